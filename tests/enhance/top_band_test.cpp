#include "enhance/top_band.h"

#include "enhance/support.h"

namespace limbeck::test {
namespace {

constexpr int kNetworkHz = 16000;
constexpr int kRateHz = 48000;

/// The gain at `rate_hz` for what the network made of `before`.
std::vector<float> gain_of(TopBandGain& gain, const std::vector<float>& before,
                           const std::vector<float>& after, int rate_hz, int channels = 1) {
  const auto seconds = static_cast<double>(before.size()) / channels / kNetworkHz;
  std::vector<float> ones(
      static_cast<size_t>(std::floor(seconds * rate_hz)) * static_cast<size_t>(channels), 1);
  std::span<float> rest(ones);
  const auto take = [&] {
    const auto known = static_cast<size_t>(gain.known() * channels);
    const auto now = rest.first(std::min(known, rest.size()));
    gain.apply(now);
    rest = rest.subspan(now.size());
  };
  const auto half = static_cast<std::ptrdiff_t>(before.size() / 4) * 2;
  gain.add(std::span(before).first(half), std::span(after).first(half));
  take();
  gain.add(std::span(before).subspan(half), std::span(after).subspan(half));
  gain.finish();
  take();
  EXPECT_TRUE(rest.empty()) << rest.size();
  return ones;
}

TEST(TopBandGain, IsTheOneOfTheTopBandAndOneAtMost) {
  TopBandGain gain(kNetworkHz, 8000, kRateHz, 1, false);
  const auto low = tones(kNetworkHz, 1, 16001, 100, 6500, 1);
  const auto top = tones(kNetworkHz, 1, 16001, 7100, 7900, 2);
  for (const double factor : {0., 0.1, 0.5, 1., 2.}) {
    std::vector<float> before, after;
    for (size_t i = 0; i < low.size(); ++i) {
      before.push_back(low[i] + top[i]);
      after.push_back(0.7F * low[i] + static_cast<float>(factor) * top[i]);
    }
    const auto gains = gain_of(gain, before, after, kRateHz);
    gain.reset();
    for (size_t i = 12000; i < 36000; ++i) ASSERT_NEAR(gains[i], std::min(factor, 1.), 0.002);
  }
}

TEST(TopBandGain, FollowsAStepWithoutDelay) {
  TopBandGain gain(kNetworkHz, 8000, kRateHz, 1, false);
  const auto before = white(16000, 3);
  auto after = before;
  for (size_t i = 8000; i < after.size(); ++i) after[i] *= 0.2F;
  const auto gains = gain_of(gain, before, after, kRateHz);
  EXPECT_NEAR(gains[24000 - 1500], 1, 0.01);    // 31 ms before
  EXPECT_NEAR(gains[24000 + 1500], 0.2, 0.01);  // and after it
  // In the middle of it half of the energy is what it was.
  EXPECT_NEAR(gains[24000], std::sqrt((1 + 0.04) / 2), 0.1);
}

TEST(TopBandGain, OfSilenceAndOfTheNoiseOfSixteenBitsIsOne) {
  TopBandGain gain(kNetworkHz, 8000, kRateHz, 1, false);
  const std::vector<float> silence(8000);
  for (const float x : gain_of(gain, silence, silence, kRateHz)) ASSERT_EQ(x, 1);
  gain.reset();
  for (const float x : gain_of(gain, white(8000, 4, 1. / 65536), silence, kRateHz)) {
    ASSERT_GT(x, 0.9);
  }
}

TEST(TopBandGain, ChannelsHaveTheirOwnUnlessTheyAreLinked) {
  const auto left = white(16000, 5), right = white(16000, 6);
  std::vector<float> before, after;
  for (size_t i = 0; i < left.size(); ++i) {
    before.insert(before.end(), {left[i], right[i]});
    after.insert(after.end(), {0.8F * left[i], 0.2F * right[i]});
  }
  TopBandGain own(kNetworkHz, 8000, 44100, 2, false);
  const auto gains = gain_of(own, before, after, 44100, 2);
  TopBandGain linked(kNetworkHz, 8000, 44100, 2, true);
  const auto one = gain_of(linked, before, after, 44100, 2);
  double mean = 0;
  for (size_t i = 20000; i < 60000; i += 2) {
    ASSERT_NEAR(gains[i], 0.8, 0.01);
    ASSERT_NEAR(gains[i + 1], 0.2, 0.01);
    ASSERT_EQ(one[i], one[i + 1]);
    mean += one[i] / 20000;
  }
  EXPECT_NEAR(mean, std::sqrt((0.64 + 0.04) / 2), 0.03);
}

TEST(TopBandGain, IsAppliedAboveTheBand) {
  const auto network = with_mask(0.25);
  const auto below = tones(kRateHz, 1, 48000, 100, 6000, 7);
  const auto top = tones(kRateHz, 1, 48000, 7000, 7300, 8);
  const auto above = tones(kRateHz, 1, 48000, 9000, 23000, 9);
  std::vector<float> input, low;
  for (size_t i = 0; i < below.size(); ++i) {
    low.push_back(0.25F * (below[i] + top[i]));
    input.push_back(below[i] + top[i] + above[i]);
  }
  const auto above_of = [&](HighBand high_band) {
    auto output = denoised(network, kRateHz, 1, input, {.high_band = high_band});
    for (size_t i = 0; i < output.size(); ++i) output[i] -= low[i];
    return level_db(output) - level_db(above);
  };
  EXPECT_NEAR(above_of(HighBand::follow), 20 * std::log10(0.25), 0.1);
  EXPECT_LT(above_of(HighBand::drop), -70);
}

}  // namespace
}  // namespace limbeck::test
