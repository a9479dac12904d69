#include "limbeck/core/png.h"

#include <gtest/gtest.h>
#include <png.h>

#include <stdexcept>

#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "scratch.h"

namespace limbeck {
namespace {

TEST(WritePng, IsReadBackByLibpng) {
  const test::Scratch scratch;
  Picture picture{5, 3, {}};
  for (int i = 0; i < 45; ++i) picture.rgb.push_back(static_cast<uint8_t>(i * 5));
  write_png(scratch / "a.png", picture);
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  ASSERT_NE(png_image_begin_read_from_file(&image, (scratch / "a.png").c_str()), 0);
  EXPECT_EQ(image.width, 5U);
  EXPECT_EQ(image.height, 3U);
  image.format = PNG_FORMAT_RGB;
  std::vector<uint8_t> read(PNG_IMAGE_SIZE(image));
  ASSERT_NE(png_image_finish_read(&image, nullptr, read.data(), 0, nullptr), 0);
  EXPECT_EQ(read, picture.rgb);
}

TEST(WritePng, WritesTheBytesThatCanBeHad) {
  const test::Scratch scratch;
  const Picture picture{1, 2, {1, 2, 3, 4, 5, 6}};
  write_png(scratch / "a.png", picture);
  EXPECT_EQ(png_bytes(picture), read_file(scratch / "a.png"));
}

TEST(WritePng, RefusesWrongSizesAndFolders) {
  const test::Scratch scratch;
  EXPECT_THROW(write_png(scratch / "a.png", {2, 2, std::vector<uint8_t>(11)}), std::logic_error);
  EXPECT_THROW(write_png(scratch / "a.png", {0, 2, {}}), std::logic_error);
  EXPECT_THROW(write_png(scratch / "no" / "a.png", {1, 1, {1, 2, 3}}), DataError);
}

}  // namespace
}  // namespace limbeck
