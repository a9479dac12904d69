#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace limbeck {

/// A picture, row by row from the top, three bytes (red, green, blue) a pixel.
struct Picture {
  int64_t width = 0;
  int64_t height = 0;
  std::vector<uint8_t> rgb;
};

/// The bytes of a PNG file. Throws std::logic_error if those of the picture do not fit its size.
std::string png_bytes(const Picture& picture);

/// Writes a PNG file, whole or not at all. Throws DataError if it cannot be written; and as
/// png_bytes.
void write_png(const std::filesystem::path& path, const Picture& picture);

}  // namespace limbeck
