#include "eval/fit.h"

#include "eval/support.h"

namespace limbeck::test {
namespace {

Waveform wave(std::vector<float> samples, int rate_hz = 16000) {
  return {std::move(samples), rate_hz};
}

std::vector<float> part(const std::vector<float>& samples, size_t first, size_t count) {
  return {samples.begin() + static_cast<std::ptrdiff_t>(first),
          samples.begin() + static_cast<std::ptrdiff_t>(first + count)};
}

TEST(Fit, CutsWhatDiffersByAHopAndRefusesMore) {
  const auto clean = wave(white(16000, 1));
  for (const size_t length : {16000U, 15744U, 16256U}) {
    const Overlap overlap = fit(clean, wave(white(static_cast<int64_t>(length), 2)), "x", {});
    EXPECT_EQ(overlap.count, std::min<size_t>(length, 16000));
    EXPECT_EQ(overlap.cut(clean, wave(white(static_cast<int64_t>(length), 2))),
              length == 16000 ? 0 : 256);
    EXPECT_EQ(overlap.lag(), 0);
  }
  for (const int64_t length : {15743, 16257}) {
    const std::string message =
        message_of<DataError>([&] { fit(clean, wave(white(length, 2)), "a.wav", {}); });
    EXPECT_TRUE(message.starts_with("a.wav: has ")) << message;
    EXPECT_NE(message.find("--align"), std::string::npos) << message;
  }
}

TEST(Fit, RefusesAnotherRate) {
  const std::string message = message_of<DataError>(
      [&] { fit(wave(white(100, 1)), wave(white(100, 1), 48000), "a.wav", {}); });
  EXPECT_NE(message.find("48000 Hz"), std::string::npos) << message;
  EXPECT_NE(message.find("--resample"), std::string::npos) << message;
}

TEST(Fit, AlignFindsTheLagInBothDirections) {
  const auto signal = white(40000, 1);
  for (const int64_t lag : {-15999, -300, 0, 1, 7777, 16000}) {
    // `other` holds the same sound `lag` samples later, upside down, with noise, and longer.
    const int64_t first = 16000 - lag;
    auto samples = part(signal, static_cast<size_t>(first), 8000);
    const auto noise = white(8000, 2, 0.1);
    for (size_t i = 0; i < samples.size(); ++i) samples[i] = -0.2F * samples[i] + noise[i];
    const auto clean = wave(part(signal, 16000, 6000 + static_cast<size_t>(std::abs(lag))));
    const auto other = wave(samples);
    if (std::abs(lag) > 7000) {
      // Nothing of the same sound is left within reach.
      EXPECT_THROW(fit(wave(part(signal, 16000, 6000)), other, "x", {.align = true}), DataError);
      continue;
    }
    const Overlap overlap = fit(clean, other, "x", {.align = true});
    EXPECT_EQ(overlap.lag(), lag);
    EXPECT_EQ(overlap.of_clean(clean).size(), overlap.of_other(other).size());
    EXPECT_LE(overlap.other_start + overlap.count, other.samples.size());
    EXPECT_LE(overlap.clean_start + overlap.count, clean.samples.size());
  }
}

TEST(Fit, AlignRefusesUnrelatedSignals) {
  const std::string message = message_of<DataError>(
      [] { fit(wave(white(16000, 1)), wave(white(16000, 2)), "a.wav", {.align = true}); });
  EXPECT_NE(message.find("a.wav: cannot be aligned"), std::string::npos) << message;
}

TEST(Fit, ReadsAtTheRateThatIsAskedFor) {
  const TempDir folder;
  const auto path = folder / "a.wav";
  put_audio(path, sine(48000, 1000, 0.5, 48000), 48000, SampleFormat::float32);
  const Waveform read = read_for_scoring({path, ""}, {.resample_hz = 16000});
  EXPECT_EQ(read.rate_hz, 16000);
  ASSERT_EQ(read.size(), 16000);
  const auto expected = sine(16000, 1000, 0.5);
  for (size_t i = 1000; i < 15000; ++i) ASSERT_NEAR(read.samples[i], expected[i], 1e-4);
  EXPECT_THROW(read_for_scoring({path, std::string(32, '0')}, {}), DataError);
}

TEST(Fit, ReadsTheChannelThatIsAskedFor) {
  const TempDir folder;
  const auto path = folder / "a.wav";
  put_stereo(path, white(100, 1), white(100, 2));
  const auto read = [&](const ChannelChoice& channel, const std::string& hash = "") {
    return read_for_scoring({path, hash}, {.channel = channel}).samples;
  };
  EXPECT_EQ(read(1), read_audio(path, {.channel = 1}).samples);
  EXPECT_EQ(read(1, hash_audio(read(1))), read(1));
  EXPECT_THROW(read(0, hash_audio(read(1))), DataError);
  for (size_t i = 0; i < 100; ++i) {
    EXPECT_EQ(read(channel_choice("mix"))[i], (read(0)[i] + read(1)[i]) / 2);
  }
  EXPECT_NE(message_of<DataError>([&] { read({}); }).find("limbeck-evaluate --channel"),
            std::string::npos);
}

TEST(Fit, KnowsTheLengthOfWhatItReadsWhole) {
  const TempDir folder;
  EvaluationItem item;
  item.samples = 1000;
  item.rate_hz = 16000;
  item.noisy = {folder / "noisy.wav", "", 77};
  put_audio(item.noisy.path, white(1077, 1));
  for (const int64_t rate_hz : {0, 16000, 11025, 48000}) {
    const FitOptions options{.resample_hz = rate_hz};
    EXPECT_EQ(noisy_lengths({item}, options).at(0), read_for_scoring(item.noisy, options).size());
  }
}

}  // namespace
}  // namespace limbeck::test
