#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace limbeck {

/// A picture, row by row from the top, three bytes (red, green, blue) a pixel.
struct Picture {
  int64_t width = 0;
  int64_t height = 0;
  std::vector<uint8_t> rgb;
};

/// Writes a PNG file, whole or not at all. Throws DataError if it cannot be written,
/// std::logic_error if the bytes do not fit the size.
void write_png(const std::filesystem::path& path, const Picture& picture);

}  // namespace limbeck
