#include "limbeck/core/png.h"

#include <png.h>

#include <stdexcept>
#include <string>

#include "limbeck/core/error.h"
#include "limbeck/core/files.h"

namespace limbeck {

std::string png_bytes(const Picture& picture) {
  if (picture.width < 1 || picture.height < 1 ||
      picture.rgb.size() != static_cast<size_t>(3 * picture.width * picture.height)) {
    throw std::logic_error("png_bytes: the bytes do not fit the size");
  }
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(picture.width);
  image.height = static_cast<png_uint_32>(picture.height);
  image.format = PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  std::string bytes(size, '\0');
  if (png_image_write_to_memory(&image, bytes.data(), &size, 0, picture.rgb.data(), 0, nullptr) ==
      0) {
    throw DataError(std::string("a picture cannot be encoded: ") + image.message);
  }
  bytes.resize(size);
  return bytes;
}

void write_png(const std::filesystem::path& path, const Picture& picture) {
  write_file_atomically(path, png_bytes(picture));
}

}  // namespace limbeck
