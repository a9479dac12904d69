#include "limbeck/enhance/recording.h"

#include <gmock/gmock.h>

#include <bit>
#include <limits>

#include "enhance/pass.h"
#include "enhance/support.h"
#include "limbeck/core/error.h"

namespace limbeck::test {
namespace {

constexpr int kNetworkHz = 16000;

class RecordingRate : public testing::TestWithParam<int> {
 protected:
  /// Where neither resampling nor the network's band take anything away.
  double untouched_hz() const { return 0.41 * std::min(GetParam(), kNetworkHz); }
};

TEST_P(RecordingRate, AnOpenMaskGivesTheInput) {
  const auto network = with_mask(1);
  for (int channels = 1; channels <= 6; ++channels) {
    SCOPED_TRACE(channels);
    const auto input = tones(GetParam(), channels, 12345 + channels, 50, untouched_hz());
    EXPECT_LT(largest_difference(denoised(network, GetParam(), channels, input), input), 1e-4);
  }
}

TEST_P(RecordingRate, AnOpenMaskGivesEverythingWhereTheHighBandFollows) {
  const auto network = with_mask(1);
  const auto input = white(2 * 12347, 4);
  const RecordingOptions follow{.high_band = HighBand::follow};
  EXPECT_LT(largest_difference(denoised(network, GetParam(), 2, input, follow), input), 1e-4);
}

TEST_P(RecordingRate, NothingIsLateOrEarly) {
  const auto network = with_mask(0.5);
  const auto input = tones(GetParam(), 1, 9001, 50, untouched_hz());
  const auto output = denoised(network, GetParam(), 1, input);
  ASSERT_EQ(output.size(), input.size());
  double best = -1;
  int64_t best_lag = 99;
  for (int64_t lag = -20; lag <= 20; ++lag) {
    double sum = 0;
    for (int64_t n = 20; n + 20 < 9001; ++n) {
      sum +=
          static_cast<double>(input[static_cast<size_t>(n)]) * output[static_cast<size_t>(n + lag)];
    }
    if (sum > best) {
      best = sum;
      best_lag = lag;
    }
  }
  EXPECT_EQ(best_lag, 0);
  EXPECT_NEAR(level_db(output) - level_db(input), 20 * std::log10(0.5), 0.001);
}

TEST_P(RecordingRate, TheBitsDoNotDependOnThePieces) {
  const auto network = with_memory();
  const RecordingOptions follow{.high_band = HighBand::follow};
  const auto input = white(2 * 30011, 5);
  const auto expected = denoised(network, GetParam(), 2, input, follow);
  RecordingEnhancer enhancer(network, GetParam(), 2, follow);
  for (const uint64_t longest : {1, 999, 100000}) {  // and a new recording after each
    EXPECT_EQ(hash_of(in_pieces(enhancer, 2, input, longest, longest)), hash_of(expected))
        << longest;
  }
}

TEST_P(RecordingRate, EveryLengthComesBack) {
  const auto network = with_memory();
  for (const HighBand high_band : {HighBand::drop, HighBand::follow}) {
    RecordingEnhancer enhancer(network, GetParam(), 3, {.high_band = high_band});
    for (const int64_t length : {0, 1, 2, 3, 5, 255, 257, 4801}) {
      const auto output = in_pieces(enhancer, 3, white(3 * length, 6), 1000);
      EXPECT_EQ(output.size(), static_cast<size_t>(3 * length));
      for (const float x : output) ASSERT_TRUE(std::isfinite(x)) << length;
    }
  }
}

TEST_P(RecordingRate, SilenceStaysSilence) {
  const auto network = with_memory();
  for (const HighBand high_band : {HighBand::drop, HighBand::follow}) {
    const std::vector<float> silence(2 * 20001);
    EXPECT_EQ(denoised(network, GetParam(), 2, silence, {.high_band = high_band}), silence);
  }
}

TEST_P(RecordingRate, WhatIsFiniteStaysFinite) {
  const auto network = with_memory();
  for (const float scale : {1e-38F, 1e-6F, 1e3F, 1e9F, 1e30F, std::numeric_limits<float>::max()}) {
    auto input = white(6001, 7, 1);
    for (float& x : input) x *= scale;
    const auto output =
        denoised(network, GetParam(), 1, input, {.mix = 0.9, .high_band = HighBand::follow});
    for (const float x : output) ASSERT_TRUE(std::isfinite(x)) << scale;
  }
}

TEST_P(RecordingRate, WithoutMixTheBitsAreTheInputs) {
  const auto network = with_memory();
  auto input = white(2 * 5001, 8);
  input[0] = -0.0F;
  input[1] = std::numeric_limits<float>::denorm_min();
  for (const RecordingOptions& options :
       {RecordingOptions{.mix = 0}, RecordingOptions{.limit_db = 0}}) {
    EXPECT_EQ(hash_of(denoised(network, GetParam(), 2, input, options)), hash_of(input));
  }
}

TEST_P(RecordingRate, TheLimitIsWhatIsLeftOfTheInput) {
  const auto network = with_mask(0);  // takes away all that it sees
  const auto input = tones(GetParam(), 2, 20001, 50, untouched_hz());
  for (const double limit_db : {6., 18., 40.}) {
    const auto output = denoised(network, GetParam(), 2, input, {.limit_db = limit_db});
    EXPECT_NEAR(level_db(output) - level_db(input), -limit_db, 0.01);
    std::vector<float> scaled = input;
    for (float& x : scaled) x *= static_cast<float>(std::pow(10, -limit_db / 20));
    EXPECT_LT(largest_difference(output, scaled), 2e-5);
  }
}

INSTANTIATE_TEST_SUITE_P(All, RecordingRate,
                         testing::Values(4000, 8000, 11025, 16000, 22050, 44100, 48000, 96000,
                                         192000));

TEST(Recording, MixIsTheShareOfTheEnhancedSignal) {
  const auto network = with_memory();
  const auto input = white(30001, 9);
  const auto all = denoised(network, 44100, 1, input);
  const auto part = denoised(network, 44100, 1, input, {.mix = 0.75});
  std::vector<float> expected;
  for (size_t i = 0; i < input.size(); ++i) expected.push_back(0.75F * all[i] + 0.25F * input[i]);
  EXPECT_LT(largest_difference(part, expected), 1e-6);
  // With a limit of 20 dB a tenth of what the mix leaves goes back.
  const auto limited = denoised(network, 44100, 1, input, {.mix = 0.75, .limit_db = 20});
  for (size_t i = 0; i < input.size(); ++i) expected[i] = 0.675F * all[i] + 0.325F * input[i];
  EXPECT_LT(largest_difference(limited, expected), 1e-6);
}

TEST(Recording, AtTheNetworksRateItIsTheNetwork) {
  const auto network = with_memory();
  const auto input = white(30001, 10);
  const auto stream = network.stream(1);
  auto whole = torch::empty({1, 30001});
  std::copy(input.begin(), input.end(), whole.data_ptr<float>());
  const auto estimate = at::cat({stream->process(whole), stream->flush()}, 1).contiguous();
  const float* first = estimate.const_data_ptr<float>();
  EXPECT_LT(largest_difference(denoised(network, kNetworkHz, 1, input),
                               {first, first + estimate.numel()}),
            1e-5);
}

TEST(Recording, ChannelsAreDenoisedByThemselves) {
  const auto network = with_memory();
  const RecordingOptions follow{.high_band = HighBand::follow};
  const auto input = white(3 * 30001, 11);
  const auto output = denoised(network, 44100, 3, input, follow);
  for (int c = 0; c < 3; ++c) {
    EXPECT_LT(largest_difference(channel(output, 3, c),
                                 denoised(network, 44100, 1, channel(input, 3, c), follow)),
              1e-5);
  }
}

TEST(Recording, LinkedChannelsKeepTheStereoImage) {
  const auto network = with_memory();
  const auto left = white(40001, 12);
  std::vector<float> input;
  for (const float x : left) {
    input.push_back(x);
    input.push_back(-0.125F * x);
  }
  const auto shift = [&](bool link) {  // of the right channel from where it stood, as its share
    const auto output =
        denoised(network, 48000, 2, input, {.high_band = HighBand::follow, .link = link});
    auto moved = channel(output, 2, 0);
    for (float& x : moved) x *= -0.125F;
    return largest_difference(channel(output, 2, 1), moved) / 0.125;
  };
  EXPECT_LT(shift(true), 1e-5);
  EXPECT_GT(shift(false), 1e-3);
}

TEST(Recording, SaysWhatIsLostWhereSomethingIs) {
  const auto network = with_mask(1);
  const auto said = [&](const std::vector<int>& rates_hz, const RecordingOptions& options) {
    testing::internal::CaptureStderr();
    Logger logger;
    say_what_is_lost(rates_hz, network, options, logger);
    return testing::internal::GetCapturedStderr();
  };
  const std::vector<int> rates_hz = {48000, 16000, 8000, 44100};
  EXPECT_THAT(said(rates_hz, {}), testing::HasSubstr("is dropped; --high-band follow"));
  EXPECT_THAT(said(rates_hz, {.high_band = HighBand::follow}),
              testing::HasSubstr("gets the gain of its top band"));
  EXPECT_EQ(said({16000, 8000}, {}), "");
  EXPECT_EQ(said(rates_hz, {.mix = 0}), "");
  EXPECT_EQ(said(rates_hz, {.limit_db = 0}), "");
}

TEST(Recording, RefusesWhatCannotBe) {
  const auto network = with_mask(1);
  const auto refused = [&](const RecordingOptions& options) {
    return message_of<ConfigError>([&] { RecordingEnhancer(network, 16000, 1, options); });
  };
  EXPECT_EQ(refused({.mix = 1.5}), "mix must be from 0 to 1, not 1.5");
  EXPECT_EQ(refused({.mix = NAN}), "mix must be from 0 to 1, not nan");
  EXPECT_EQ(refused({.limit_db = -3}), "the limit must be at least 0 dB, not -3");
  EXPECT_NE(message_of<DataError>([&] { RecordingEnhancer(network, 0, 1, {}); }), "");
}

/// Bytes of this process in memory.
int64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  int64_t all = 0, resident = 0;
  file >> all >> resident;
  return resident * ::sysconf(_SC_PAGESIZE);
}

TEST(Recording, TakesAsMuchMemoryForTenMinutesAsForOne) {
  const auto network = with_mask(0.5,
                                 "stft: {window_samples: 512, hop_samples: 256, "
                                 "fft_samples: 512}");
  RecordingEnhancer enhancer(network, 48000, 2, {.high_band = HighBand::follow});
  const auto second = white(2 * 48000, 13);
  size_t waiting = 0;  // samples that went in and did not come out
  int64_t after_a_minute = 0;
  for (int i = 0; i < 600; ++i) {
    waiting += second.size();
    waiting -= enhancer.process(second).size();
    ASSERT_LT(waiting, second.size() / 2);  // what a live pipe is late
    if (i == 60) after_a_minute = resident_bytes();
  }
  // Nine minutes are 207 MB at this rate, and 69 MB at the network's.
  EXPECT_LT(resident_bytes() - after_a_minute, 8 << 20);
}

}  // namespace
}  // namespace limbeck::test
