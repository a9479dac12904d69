#include "limbeck/audio/stream_resampler.h"

#include "../data/support.h"
#include "limbeck/audio/resample.h"
#include "limbeck/core/error.h"

namespace limbeck {
namespace {

std::vector<float> in_blocks(StreamResampler& resampler, const std::vector<float>& samples,
                             size_t block) {
  std::vector<float> out;
  const auto append = [&](const std::vector<float>& more) {
    out.insert(out.end(), more.begin(), more.end());
  };
  for (size_t at = 0; at < samples.size(); at += block) {
    append(resampler.process(std::span(samples).subspan(at, std::min(block, samples.size() - at))));
  }
  append(resampler.flush());
  return out;
}

TEST(StreamResampler, GivesTheBitsOfTheWholeWhateverTheBlocks) {
  for (const auto& [from, to] :
       {std::pair(8000, 16000), std::pair(11025, 16000), std::pair(44100, 16000),
        std::pair(16000, 44100), std::pair(48000, 16000), std::pair(16000, 96000),
        std::pair(16000, 16000), std::pair(16000, 80), std::pair(16000, 15999)}) {
    StreamResampler resampler(from, to, 1);
    for (const int64_t size : {1, 2, 7, 999, 30011}) {
      const Waveform whole{test::white(size, 3), from};
      const std::vector<float> wanted = resample(whole, to).samples;
      EXPECT_EQ(static_cast<int64_t>(wanted.size()), (size * to + from - 1) / from);
      for (const size_t block : {size_t{1}, size_t{640}, size_t{100'000}}) {
        if (block == 1 && size > 1000) continue;
        EXPECT_EQ(in_blocks(resampler, whole.samples, block), wanted)
            << from << " to " << to << ", " << size << " in blocks of " << block;
      }
    }
  }
}

TEST(StreamResampler, KeepsChannelsApart) {
  constexpr int kChannels = 6;
  constexpr int64_t kFrames = 5003;
  std::vector<float> interleaved(kFrames * kChannels);
  std::vector<std::vector<float>> wanted;
  for (int c = 0; c < kChannels; ++c) {
    const Waveform channel{test::white(kFrames, static_cast<uint64_t>(c)), 44100};
    for (size_t i = 0; i < kFrames; ++i) {
      interleaved[i * kChannels + static_cast<size_t>(c)] = channel.samples[i];
    }
    wanted.push_back(resample(channel, 16000).samples);
  }
  StreamResampler resampler(44100, 16000, kChannels);
  const std::vector<float> out = in_blocks(resampler, interleaved, 77 * kChannels);
  ASSERT_EQ(out.size(), wanted[0].size() * kChannels);
  for (size_t i = 0; i < out.size(); ++i) {
    ASSERT_EQ(out[i], wanted[i % kChannels][i / kChannels]) << i;
  }
}

TEST(StreamResampler, GivesNothingForNothing) {
  StreamResampler resampler(48000, 16000, 2);
  EXPECT_TRUE(resampler.flush().empty());
  EXPECT_TRUE(resampler.process({}).empty());
  EXPECT_TRUE(resampler.flush().empty());
}

TEST(StreamResampler, RefusesRatesThatAskForAnyAmountOfMemory) {
  const auto failure = [](int from, int to) {
    const std::string message = test::message_of<DataError>([&] { StreamResampler(from, to, 1); });
    EXPECT_EQ(test::message_of<DataError>([&] { resample({{0.5F}, from}, to); }), message);
    return message;
  };
  EXPECT_EQ(failure(16000, 0), "cannot resample from 16000 Hz to 0 Hz");
  EXPECT_EQ(failure(-1, 16000), "cannot resample from -1 Hz to 16000 Hz");
  EXPECT_EQ(failure(1, 16000),
            "cannot resample from 1 Hz to 16000 Hz: more than a factor of 200 lies between");
  EXPECT_EQ(failure(2'000'000'000, 16000),
            "cannot resample from 2000000000 Hz to 16000 Hz: more than a factor of 200 lies "
            "between");
  EXPECT_EQ(resample({{0.5F}, 80}, 16000).size(), 200);
  EXPECT_EQ(resample({std::vector<float>(200, 0.5F), 16000}, 80).size(), 1);
}

}  // namespace
}  // namespace limbeck
