#include "limbeck/corpus/synthetic.h"

#include <gmock/gmock.h>

#include <cmath>
#include <map>
#include <set>

#include "data/support.h"
#include "limbeck/audio/mix.h"
#include "limbeck/core/error.h"
#include "limbeck/corpus/prepare.h"

namespace limbeck {
namespace {

using test::hash_of;
using test::message_of;
using test::TempDir;
using ::testing::HasSubstr;

SeedKey key(uint64_t i) { return SeedKey(i).with("test"); }

/// Share of the power above `hz`, by first differences of a one-pole low-pass: coarse, but enough
/// here.
double high_share(const std::vector<float>& samples, double hz) {
  const double keep = std::exp(-2 * std::numbers::pi * hz / kSyntheticRateHz);
  double low = 0;
  double high_power = 0;
  double power = 0;
  for (const float x : samples) {
    low = x + keep * (low - x);
    high_power += (x - low) * (x - low);
    power += static_cast<double>(x) * x;
  }
  return high_power / power;
}

TEST(SyntheticSpeech, IsAFunctionOfItsKeys) {
  const auto speech = synthetic_speech(key(1), key(2), 32000);
  EXPECT_EQ(speech.size(), 32000U);
  EXPECT_EQ(synthetic_speech(key(1), key(2), 32000), speech);
  EXPECT_NE(synthetic_speech(key(1), key(3), 32000), speech);
  EXPECT_NE(synthetic_speech(key(3), key(2), 32000), speech);
}

TEST(SyntheticSpeech, HasTheLevelPausesAndBalanceOfSpeech) {
  for (uint64_t s = 0; s < 8; ++s) {
    const auto speech = synthetic_speech(key(s), key(100 + s), 160000);
    for (const float x : speech) ASSERT_TRUE(std::isfinite(x));
    EXPECT_NEAR(active_level_dbfs(speech, kSyntheticRateHz), -26, 0.01);
    int quiet = 0;
    for (size_t at = 0; at + 512 <= speech.size(); at += 512) {
      quiet += level_dbfs(std::span(speech).subspan(at, 512)) < -26 - 30;
    }
    const double pauses = quiet / std::floor(160000 / 512.0);
    EXPECT_GT(pauses, 0.05) << s;
    EXPECT_LT(pauses, 0.45) << s;
    EXPECT_LT(high_share(speech, 2000), 0.6) << s;  // vowels carry the power
    EXPECT_GT(high_share(speech, 2000), 0.01) << s;
  }
}

TEST(SyntheticSpeech, VoicedPartsRepeatWithThePitch) {
  // The best normalised autocorrelation in 70 … 320 Hz, over frames: noise stays near 0.2.
  const auto speech = synthetic_speech(key(5), key(6), 80000);
  int voiced = 0;
  int frames = 0;
  for (size_t at = 0; at + 1280 <= speech.size(); at += 1280) {
    if (level_dbfs(std::span(speech).subspan(at, 1024)) < -36) continue;
    ++frames;
    double best = 0;
    for (size_t lag = 50; lag <= 228; ++lag) {
      double product = 0;
      double a = 1e-12;
      double b = 1e-12;
      for (size_t i = at; i < at + 1024; ++i) {
        product += speech[i] * speech[i + lag];
        a += speech[i] * speech[i];
        b += speech[i + lag] * speech[i + lag];
      }
      best = std::max(best, product / std::sqrt(a * b));
    }
    voiced += best > 0.6;
  }
  EXPECT_GT(frames, 20);
  EXPECT_GT(voiced, frames / 2);
}

TEST(SyntheticNoise, EveryKindHasItsLevelAndItsKey) {
  std::set<std::string> hashes;
  for (const auto& kind : synthetic_noise_kinds()) {
    const auto noise = synthetic_noise(kind, key(1), 48000);
    ASSERT_EQ(noise.size(), 48000U);
    for (const float x : noise) ASSERT_LE(std::abs(x), 0.9901F) << kind;
    EXPECT_LE(level_dbfs(noise), -25.99) << kind;
    EXPECT_GE(level_dbfs(noise), -36) << kind;
    EXPECT_EQ(synthetic_noise(kind, key(1), 48000), noise) << kind;
    hashes.insert(hash_of(noise));
    hashes.insert(hash_of(synthetic_noise(kind, key(2), 48000)));
  }
  EXPECT_EQ(hashes.size(), 2 * synthetic_noise_kinds().size());
  EXPECT_THAT(message_of<ConfigError>([] { synthetic_noise("silence", key(1), 10); }),
              HasSubstr("unknown noise 'silence'; known: babble, brown"));
}

TEST(SyntheticNoise, ColoursDiffer) {
  const auto share = [](const char* kind) {
    return high_share(synthetic_noise(kind, key(1), 80000), 1000);
  };
  EXPECT_GT(share("white"), 0.5);
  EXPECT_LT(share("pink"), share("white"));
  EXPECT_LT(share("brown"), share("pink"));
  EXPECT_LT(share("wind"), 0.3);
}

class SyntheticCorpus : public ::testing::Test {
 protected:
  SyntheticOptions options(const std::string& name) {
    SyntheticOptions options;
    options.out = dir_ / name;
    options.minutes = 0.4;
    options.speakers = 4;
    return options;
  }

  /// Hash of every file of a corpus.
  static std::map<std::string, std::string> contents(const std::filesystem::path& folder) {
    std::map<std::string, std::string> hashes;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      if (entry.is_directory()) continue;
      hashes[entry.path().lexically_relative(folder).string()] = hash_file(entry.path());
    }
    return hashes;
  }

  TempDir dir_;
  Logger logger_{Verbosity::quiet};
};

TEST_F(SyntheticCorpus, IsAFunctionOfTheSeedWhateverTheThreads) {
  auto one = options("one");
  one.threads = 1;
  make_synthetic_corpus(one, logger_);
  auto two = options("two");
  two.threads = 3;
  make_synthetic_corpus(two, logger_);
  EXPECT_EQ(contents(dir_ / "one"), contents(dir_ / "two"));
  auto other = options("other");
  other.seed = 2;
  make_synthetic_corpus(other, logger_);
  EXPECT_NE(contents(dir_ / "one"), contents(dir_ / "other"));
}

TEST_F(SyntheticCorpus, IsTakenByPrepareAndKeepsSplitsApart) {
  make_synthetic_corpus(options("corpus/"), logger_);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir_.path()), {}), 1);
  RecordingsOptions recordings;
  recordings.splits = {dir_ / "corpus" / "manifest.csv"};
  for (const char* part : {"clean", "noise"}) {
    recordings.folders = {dir_ / "corpus" / part};
    const Listing prepared = prepare_recordings(recordings, logger_);
    EXPECT_TRUE(prepared.problems.empty());
    std::map<std::string, std::set<Split>> of;
    std::set<Split> all;
    for (const auto& entry : prepared.manifest.entries) {
      of[entry.speaker].insert(entry.split);
      all.insert(entry.split);
    }
    EXPECT_EQ(all.size(), 3U) << part;
    for (const auto& [label, splits] : of) EXPECT_EQ(splits.size(), 1U) << label;
  }
  PairsOptions pairs;
  pairs.clean = dir_ / "corpus" / "vbd_test" / "clean";
  pairs.noisy = dir_ / "corpus" / "vbd_test" / "noisy";
  const Listing prepared = prepare_pairs(pairs, logger_);
  EXPECT_TRUE(prepared.problems.empty());
  EXPECT_EQ(prepared.manifest.entries.size(), 24U);
  std::map<int, int> snrs;
  for (const auto& entry : prepared.manifest.entries) {
    EXPECT_EQ(entry.speaker, "s004");  // the only test speaker of four
    const auto clean = read_audio(entry.audio.path).samples;
    auto noise = read_audio(entry.noisy.path).samples;
    for (size_t i = 0; i < noise.size(); ++i) noise[i] -= clean[i];
    const double snr_db = active_level_dbfs(clean, kSyntheticRateHz) - level_dbfs(noise);
    ++snrs[static_cast<int>(std::lround(snr_db * 10))];
  }
  EXPECT_EQ(snrs, (std::map<int, int>{{-25, 6}, {25, 6}, {75, 6}, {125, 6}}));
}

TEST_F(SyntheticCorpus, RefusesWrongOptionsAndFullFolders) {
  auto wrong = options("a");
  wrong.minutes = 0;
  EXPECT_THROW(make_synthetic_corpus(wrong, logger_), ConfigError);
  wrong = options("a");
  wrong.speakers = 3;
  EXPECT_THROW(make_synthetic_corpus(wrong, logger_), ConfigError);
  test::put_text(dir_ / "full" / "mine.txt", "precious");
  EXPECT_THAT(message_of<ConfigError>([&] { make_synthetic_corpus(options("full"), logger_); }),
              HasSubstr("full: exists and is not an empty folder"));
  EXPECT_EQ(read_file(dir_ / "full" / "mine.txt"), "precious");
  test::put_text(dir_ / "file", "x");
  EXPECT_THAT(message_of<DataError>([&] { make_synthetic_corpus(options("file/below"), logger_); }),
              HasSubstr("file: Not a directory"));
}

TEST_F(SyntheticCorpus, LeavesWhatIsNotItsOwn) {
  test::put_text(dir_ / "corpus.part" / "mine.txt", "precious");
  std::filesystem::create_directory(dir_ / "empty");
  std::filesystem::create_directory_symlink("empty", dir_ / "link");
  make_synthetic_corpus(options("corpus"), logger_);
  make_synthetic_corpus(options("link/"), logger_);
  EXPECT_EQ(read_file(dir_ / "corpus.part" / "mine.txt"), "precious");
  EXPECT_TRUE(std::filesystem::is_symlink(dir_ / "link"));
  EXPECT_EQ(contents(dir_ / "empty"), contents(dir_ / "corpus"));
}

}  // namespace
}  // namespace limbeck
