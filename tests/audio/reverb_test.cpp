#include "limbeck/audio/reverb.h"

#include <algorithm>

#include "../data/support.h"

namespace limbeck {
namespace {

using test::white;

/// Steps of 2^−19 (speech) and of 2^−15 of the peak (response), whose convolution is exact.
std::vector<int64_t> steps(const std::vector<float>& samples, double peak, double scale) {
  std::vector<int64_t> whole;
  for (const float x : samples) {
    whole.push_back(static_cast<int64_t>(std::nearbyint(x / peak * scale)));
  }
  return whole;
}

/// y[n] = Σ h[k] x[n + direct − k] over k < end, in integers.
std::vector<float> convolved(const std::vector<int64_t>& x, const std::vector<int64_t>& h,
                             int64_t direct, int64_t end) {
  std::vector<float> y;
  const auto count = static_cast<int64_t>(x.size());
  for (int64_t n = 0; n < count; ++n) {
    int64_t sum = 0;
    for (int64_t k = 0; k < std::min(end, static_cast<int64_t>(h.size())); ++k) {
      const int64_t i = n + direct - k;
      if (i >= 0 && i < count) sum += h[static_cast<size_t>(k)] * x[static_cast<size_t>(i)];
    }
    y.push_back(static_cast<float>(std::ldexp(static_cast<double>(sum), -34)));
  }
  return y;
}

/// Decaying noise whose largest sample, the direct path, comes after `delay`.
std::vector<float> room(int64_t samples, int64_t delay, uint64_t seed) {
  std::vector<float> response = white(samples, seed, 0.5);
  for (int64_t i = 0; i < samples; ++i) {
    const auto at = static_cast<size_t>(i);
    response[at] *= i < delay ? 0.01F : static_cast<float>(std::exp(-3.0 * (i - delay) / samples));
  }
  response[static_cast<size_t>(delay)] = 0.8F;
  return response;
}

TEST(PutInRoom, IsTheExactConvolutionOfIntegers) {
  for (const int64_t delay : {0, 1, 77, 450}) {
    const auto response = room(500, delay, 3);
    const auto h = steps(response, 0.8F, 0x1p15);
    for (const int64_t count : {1, 300, 1500}) {
      const auto speech = white(count, 5, 0.9);
      const auto x = steps(speech, 1, 0x1p19);
      const RoomSpeech result = put_in_room(speech, response, 40);
      EXPECT_EQ(result.full, convolved(x, h, delay, 500)) << delay << " " << count;
      EXPECT_EQ(result.early, convolved(x, h, delay, delay + 41)) << delay << " " << count;
    }
  }
}

/// Full-scale noise of half a minute through a dense response: as far as rounding goes wrong, here
/// it would. A part is checked, since the direct sum is slow.
TEST(PutInRoom, IsExactForLongLoudSignals) {
  const auto speech = white(480000, 1, 0.999);
  std::vector<float> response = white(16000, 2, 0.999);
  response[200] = -1;
  const RoomSpeech result = put_in_room(speech, response, 16000);
  const auto x = steps(speech, 1, 0x1p19);
  const auto h = steps(response, 1, 0x1p15);
  for (const int64_t n : {20000, 250001, 479999}) {
    int64_t sum = 0;
    for (int64_t k = 0; k < 16000; ++k) {
      const int64_t i = n + 200 - k;
      if (i < 480000) sum += h[static_cast<size_t>(k)] * x[static_cast<size_t>(i)];
    }
    EXPECT_EQ(result.full[static_cast<size_t>(n)],
              static_cast<float>(std::ldexp(static_cast<double>(sum), -34)))
        << n;
  }
}

TEST(PutInRoom, KeepsThePlaceOfTheSpeechWhateverTheDelay) {
  std::vector<float> click(4000, 0.0F);
  click[1234] = 0.5F;
  for (const int64_t delay : {0, 320, 3000}) {
    const RoomSpeech result = put_in_room(click, room(6000, delay, 9), 800);
    for (const auto& side : {result.full, result.early}) {
      const auto top = std::max_element(side.begin(), side.end());
      EXPECT_EQ(top - side.begin(), 1234);
      EXPECT_EQ(*top, 0.5F);
    }
    EXPECT_TRUE(
        std::equal(result.full.begin(), result.full.begin() + 1234 + 801, result.early.begin()));
    EXPECT_NE(result.full, result.early);
    EXPECT_TRUE(std::all_of(result.early.begin() + 1234 + 801, result.early.end(),
                            [](float x) { return x == 0; }));
  }
}

TEST(PutInRoom, DirectPathAloneChangesNothing) {
  auto speech = test::sine(4000, 440, 0.4);
  for (float& x : speech) x = std::nearbyint(x * 32768) / 32768;  // as from a 16-bit file
  for (const std::vector<float>& response :
       {std::vector<float>{1}, std::vector<float>{0, 0, 0.25F, 0}}) {
    const RoomSpeech result = put_in_room(speech, response, 800);
    EXPECT_EQ(result.full, speech);
    EXPECT_EQ(result.early, speech);
  }
  EXPECT_THROW(put_in_room(speech, std::vector<float>(10, 0.0F), 1), std::logic_error);
}

}  // namespace
}  // namespace limbeck
