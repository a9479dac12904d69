#include "limbeck/audio/spectrogram.h"

#include "data/support.h"

namespace limbeck {
namespace {

Colour pixel(const Picture& picture, int64_t column, int64_t row) {
  const auto at = static_cast<size_t>(3 * (row * picture.width + column));
  return {picture.rgb[at], picture.rgb[at + 1], picture.rgb[at + 2]};
}

TEST(Magma, GoesFromDarkToLight) {
  EXPECT_EQ(magma(0), (Colour{0, 0, 4}));
  EXPECT_EQ(magma(-1), magma(0));
  EXPECT_EQ(magma(1), (Colour{252, 253, 191}));
  EXPECT_EQ(magma(7), magma(1));
  EXPECT_EQ(magma(0.5), (Colour{182, 54, 121}));
  double before = -1;
  for (double x = 0; x <= 1; x += 1.0 / 64) {
    const Colour c = magma(x);
    const double luminance = 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2];
    EXPECT_GT(luminance, before);
    before = luminance;
  }
}

TEST(Spectrogram, ShowsATonesFrequencyLevelAndTime) {
  // 2 s; a tone on a bin's centre, 60 dB below full scale, in the second half.
  auto samples = test::sine(32000, 2000, 0.001);
  std::fill(samples.begin(), samples.begin() + 16000, 0.0F);
  const Picture picture = spectrogram(samples, 16000);
  EXPECT_EQ(picture.width, 400);
  EXPECT_EQ(picture.height, 256);
  const int64_t row = 255 - 64;  // bin 64 of 512
  EXPECT_EQ(pixel(picture, 300, row), magma(0.5));
  EXPECT_EQ(pixel(picture, 100, row), magma(0));
  EXPECT_EQ(pixel(picture, 300, 20), magma(0));
  for (int64_t column = 203; column < 397; ++column) {
    ASSERT_EQ(pixel(picture, column, row), magma(0.5)) << column;
  }
}

TEST(Spectrogram, HasASizeForEverySignal) {
  EXPECT_EQ(spectrogram(std::vector<float>{}, 16000).width, 1);
  EXPECT_EQ(spectrogram(std::vector<float>(1, 0.5F), 16000).width, 1);
  EXPECT_LE(spectrogram(std::vector<float>(1000000), 16000).width, 1600);
  EXPECT_GT(spectrogram(std::vector<float>(1000000), 16000).width, 800);
  EXPECT_EQ(spectrogram(std::vector<float>(96000), 48000).height, 1024);
  EXPECT_EQ(spectrogram(std::vector<float>(96000), 48000).width, 400);
}

}  // namespace
}  // namespace limbeck
