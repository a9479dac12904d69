#include "limbeck/corpus/manifest_stats.h"

#include <gmock/gmock.h>

#include "core/full_disk.h"
#include "core/memory_limit.h"
#include "data/made_corpus.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"

namespace limbeck {
namespace {

using test::put_entry;
using test::sine;
using test::TempDir;
using ::testing::ElementsAre;
using ::testing::Pair;

TEST(Spread, InterpolatesBetweenTheValues) {
  // numpy.percentile([1, 2, 4, 8, 16], [0, 5, 50, 95, 100])
  const Spread s = spread({8, 1, 16, 2, 4});
  EXPECT_DOUBLE_EQ(s.min, 1);
  EXPECT_NEAR(s.p5, 1.2, 1e-12);
  EXPECT_DOUBLE_EQ(s.median, 4);
  EXPECT_NEAR(s.p95, 14.4, 1e-12);
  EXPECT_DOUBLE_EQ(s.max, 16);
  EXPECT_DOUBLE_EQ(spread({3}).p95, 3);
  EXPECT_TRUE(std::isnan(spread({}).median));
}

TEST(Histogram, HasAllBinsBetweenTheFirstAndTheLast) {
  EXPECT_THAT(histogram({-0.1, 0, 2.4, 2.5, 9}, 2.5),
              ElementsAre(Pair(-1, 1), Pair(0, 2), Pair(1, 1), Pair(2, 0), Pair(3, 1)));
  EXPECT_TRUE(histogram({}, 1).empty());
}

TEST(ManifestStats, MeasuresRecordings) {
  TempDir dir;
  Manifest manifest;
  std::vector<float> square(16000, 1.0F);
  for (size_t i = 0; i < square.size(); i += 2) square[i] = -1;
  manifest.entries = {put_entry(dir / "half.wav", sine(16000, 500, 0.5)),
                      put_entry(dir / "quiet.wav", sine(48000, 500, 0.05)),
                      put_entry(dir / "silent.wav", std::vector<float>(8000)),
                      put_entry(dir / "full.wav", square),
                      put_entry(dir / "other.wav", sine(32000, 500, 0.5))};
  for (size_t i = 0; i < 4; ++i) manifest.entries[i].speaker = i < 2 ? "ann" : "bob";
  manifest.entries[4].split = Split::test;
  Logger logger(Verbosity::quiet);
  const ManifestStats stats = measure(manifest, 2, logger);
  EXPECT_TRUE(stats.problems.empty());
  ASSERT_EQ(stats.splits.size(), 2U);
  const SplitStats& train = stats.splits[0];
  EXPECT_EQ(train.split, Split::train);
  EXPECT_EQ(train.files, 4);
  EXPECT_EQ(train.speakers, 2);
  EXPECT_DOUBLE_EQ(train.seconds, 5.5);
  EXPECT_DOUBLE_EQ(train.seconds_of_file.min, 0.5);
  EXPECT_DOUBLE_EQ(train.seconds_of_file.median, 1);
  EXPECT_DOUBLE_EQ(train.seconds_of_file.max, 3);
  ASSERT_EQ(train.sides.size(), 1U);
  const SideStats& side = train.sides[0];
  EXPECT_EQ(side.side, "recording");
  EXPECT_EQ(side.silent_files, 1);
  EXPECT_EQ(side.offset_files, 0);
  ASSERT_EQ(stats.oddities.size(), 1U);
  EXPECT_EQ(stats.oddities[0].file, (dir / "silent.wav").string());
  EXPECT_EQ(side.full_scale_files, 1);
  EXPECT_EQ(side.full_scale_samples, 16000);
  // RMS of a sine of amplitude a: 20 log10(a / √2).
  EXPECT_NEAR(side.rms_dbfs.min, -29.03, 0.01);
  EXPECT_NEAR(side.rms_dbfs.median, -9.03, 0.01);
  EXPECT_NEAR(side.rms_dbfs.max, 0, 0.01);
  EXPECT_NEAR(side.peak_dbfs.min, -26.02, 0.01);
  EXPECT_NEAR(side.peak_dbfs.median, -6.02, 0.01);
  // No pause in it; the first 23 ms, in which the envelope of P.56 rises, do not count as active.
  EXPECT_NEAR(side.active_dbfs.median, -9.03 - 10 * std::log10(1 - 0.023), 0.02);
  EXPECT_EQ(stats.splits[1].split, Split::test);
  EXPECT_EQ(stats.splits[1].speakers, 0);
  EXPECT_DOUBLE_EQ(stats.splits[1].seconds, 2);
}

TEST(ManifestStats, MeasuresTheSnrOfPairs) {
  TempDir dir;
  Manifest manifest;
  manifest.kind = Manifest::Kind::pairs;
  const auto add = [&](const std::string& name, const std::vector<float>& clean,
                       const std::vector<float>& noisy) {
    ManifestEntry entry = put_entry(dir / (name + "_c.wav"), clean);
    entry.id = name;
    entry.noisy = put_entry(dir / (name + "_n.wav"), noisy).audio;
    manifest.entries.push_back(entry);
  };
  const auto clean = sine(16000, 500, 0.2);
  for (const double snr_db : {-5.0, 0.0, 10.0}) {
    // Two tones over whole cycles: the ratio of powers is that of the squared amplitudes.
    const auto noise = sine(16000, 1300, 0.2 * std::pow(10, -snr_db / 20));
    auto noisy = clean;
    for (size_t i = 0; i < noisy.size(); ++i) noisy[i] += noise[i];
    add("at" + std::to_string(snr_db), clean, noisy);
  }
  add("alike", clean, clean);
  add("silent", std::vector<float>(16000), clean);
  Logger logger(Verbosity::quiet);
  const ManifestStats stats = measure(manifest, 2, logger);
  ASSERT_EQ(stats.splits.size(), 1U);
  const SplitStats& s = stats.splits[0];
  EXPECT_EQ(s.files, 5);
  EXPECT_EQ(s.without_snr, 2);
  ASSERT_EQ(s.snrs_db.size(), 3U);
  EXPECT_NEAR(s.snrs_db[0], -5, 0.005);
  EXPECT_NEAR(s.snrs_db[1], 0, 0.005);
  EXPECT_NEAR(s.snrs_db[2], 10, 0.005);
  ASSERT_EQ(s.sides.size(), 2U);
  EXPECT_EQ(s.sides[0].side, "clean");
  EXPECT_EQ(s.sides[0].silent_files, 1);
  EXPECT_EQ(s.sides[1].side, "noisy");
  EXPECT_EQ(s.sides[1].silent_files, 0);
}

TEST(ManifestStats, LeavesOutWhatIsCut) {
  TempDir dir;
  Manifest manifest;
  manifest.kind = Manifest::Kind::pairs;
  ManifestEntry entry = put_entry(dir / "clean.wav", sine(16000, 500, 0.5));
  std::vector<float> noisy = sine(16200, 500, 0.55);
  entry.noisy = put_entry(dir / "noisy.wav", noisy).audio;
  entry.noisy.cut = 200;
  manifest.entries = {entry};
  Logger logger(Verbosity::quiet);
  const ManifestStats stats = measure(manifest, 1, logger);
  ASSERT_TRUE(stats.problems.empty());
  EXPECT_NEAR(stats.splits.at(0).snrs_db.at(0), 20, 0.1);
}

TEST(ManifestStats, LeavesOffsetsOutAndNamesThem) {
  TempDir dir;
  auto clean = sine(16000, 500, 0.2);
  auto noisy = clean;
  const auto noise = sine(16000, 1300, 0.2 * std::pow(10, -5.0 / 20));
  for (size_t i = 0; i < clean.size(); ++i) {
    clean[i] += 0.1F;
    noisy[i] += noise[i] - 0.2F;
  }
  Manifest manifest;
  manifest.kind = Manifest::Kind::pairs;
  manifest.entries = {put_entry(dir / "c.wav", clean)};
  manifest.entries[0].noisy = put_entry(dir / "n.wav", noisy).audio;
  Logger logger(Verbosity::quiet);
  const ManifestStats stats = measure(manifest, 1, logger);
  const SplitStats& s = stats.splits.at(0);
  EXPECT_NEAR(s.snrs_db.at(0), 5, 0.005);
  EXPECT_NEAR(s.sides[0].rms_dbfs.median, 20 * std::log10(0.2 / std::sqrt(2)), 0.005);
  EXPECT_EQ(s.sides[0].offset_files, 1);
  EXPECT_EQ(s.sides[1].offset_files, 1);
  EXPECT_EQ(s.sides[0].silent_files, 0);
  ASSERT_EQ(stats.oddities.size(), 2U);
  EXPECT_EQ(stats.oddities[0].file, (dir / "c.wav").string());
  EXPECT_EQ(stats.oddities[1].file, (dir / "n.wav").string());
  EXPECT_EQ(stats.oddities[1].reason,
            "has a mean of -0.200 of full scale (a DC offset); levels and SNRs leave it out");
}

TEST(ManifestStats, LeavesOutWhatCannotBeReadAndSaysSo) {
  TempDir dir;
  Manifest manifest;
  manifest.kind = Manifest::Kind::pairs;
  for (const char* name : {"good", "gone", "short"}) {
    ManifestEntry entry = put_entry(dir / (std::string(name) + "_c.wav"), sine(1600, 500, 0.4));
    entry.noisy = put_entry(dir / (std::string(name) + "_n.wav"), sine(1600, 700, 0.4)).audio;
    manifest.entries.push_back(entry);
  }
  std::filesystem::remove(dir / "gone_n.wav");
  test::put_audio(dir / "short_n.wav", sine(1599, 700, 0.4));
  Logger logger(Verbosity::quiet);
  const ManifestStats stats = measure(manifest, 1, logger);
  ASSERT_EQ(stats.splits.size(), 1U);
  EXPECT_EQ(stats.splits[0].files, 1);
  ASSERT_EQ(stats.problems.size(), 2U);
  EXPECT_EQ(stats.problems[0].file, (dir / "gone_n.wav").string());
  EXPECT_EQ(stats.problems[0].reason, "does not exist");
  EXPECT_EQ(stats.problems[1].file, (dir / "short_c.wav").string());
  EXPECT_EQ(stats.problems[1].reason, "has 1600 samples at 16000 Hz and " +
                                          (dir / "short_n.wav").string() + " has 1599 at 16000 Hz");
}

// What the README of the recordings says of them: harder than the whole test set.
TEST(ManifestStats, RealPairs) {
  LIMBECK_NEED_SHARED_DATA(data);
  PairsOptions options;
  options.clean = data / "vbd_test" / "clean";
  options.noisy = data / "vbd_test" / "noisy";
  Logger logger(Verbosity::quiet);
  const ManifestStats stats = measure(prepare_pairs(options, logger).manifest, 0, logger);
  ASSERT_EQ(stats.splits.size(), 1U);
  EXPECT_EQ(stats.splits[0].files, 25);
  EXPECT_EQ(stats.splits[0].speakers, 2);
  ASSERT_EQ(stats.splits[0].snrs_db.size(), 25U);
  double mean = 0;
  for (const double snr_db : stats.splits[0].snrs_db) mean += snr_db / 25;
  EXPECT_NEAR(mean, 3.8, 0.3);  // mean SI-SDR of the noisy side is 3.80 dB
}

#ifdef LIMBECK_MEMORY_LIMITS
TEST(ManifestStats, WhatTakesTooMuchMemoryOnceItIsDecodedIsOneProblem) {
  TempDir dir;
  // Takes 192 MiB while it is decoded and 384 while it is measured, beside what a thread reserves:
  // 8 MiB, or 72 where there is room for it. Up to 64 may be at hand already.
  constexpr int64_t kLong = 32 << 20;
  std::vector<float> clicks(kLong);
  for (size_t i = 0; i < clicks.size(); i += 1000) clicks[i] = 0.5F;
  Manifest manifest;
  manifest.entries = {put_entry(dir / "long.wav", clicks),
                      put_entry(dir / "short.wav", sine(16000, 500, 0.5))};
  const auto measured = [&] {
    test::leave_memory(280 << 20);
    Logger logger(Verbosity::quiet);
    const ManifestStats stats = measure(manifest, 1, logger);
    throw DataError(format("%d measured; %s: %s", stats.splits.at(0).files,
                           stats.problems.at(0).file, stats.problems.at(0).reason));
  };
  EXPECT_EQ(test::message_on_full_disk(1 << 20, measured),
            "1 measured; " + (dir / "long.wav").string() + ": takes more memory than there is");
}
#endif

}  // namespace
}  // namespace limbeck
