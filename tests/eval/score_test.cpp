#include "eval/score.h"

#include <atomic>

#include "eval/journal.h"
#include "eval/matching.h"
#include "eval/support.h"
#include "limbeck/audio/io.h"

namespace limbeck::test {
namespace {

namespace fs = std::filesystem;

class ScoreTest : public testing::Test {
 protected:
  EvaluationItem pair(const std::string& id, double noise, int64_t samples = 1600) {
    return put_pair(folder_.path(), id, noise, samples);
  }
  RunResults score(const std::vector<EvaluationItem>& items, ScoreOptions options = {}) {
    if (options.metrics.empty()) options.metrics = build_metrics({"si_sdr"});
    if (!options.enhance) options.enhance = keep;
    return score_items(items, options, logger_);
  }

  TempDir folder_;
  Logger logger_{Verbosity::quiet};
};

TEST_F(ScoreTest, ScoresEstimateAndNoisySideAlike) {
  const auto results = score({pair("a", 0.1), pair("b", 0.01)});
  ASSERT_EQ(results.rows.size(), 2U);
  EXPECT_TRUE(results.failures.empty());
  for (const auto& row : results.rows) EXPECT_EQ(row.scores, row.noisy_scores);
  EXPECT_NEAR(results.rows[1].scores[0] - results.rows[0].scores[0], 20, 0.2);
  EXPECT_DOUBLE_EQ(results.rows[0].seconds, 0.1);
}

TEST_F(ScoreTest, ListsWhatFailsAndScoresTheRest) {
  EvaluationItem missing = pair("gone", 0.1);
  fs::remove(missing.noisy.path);
  EvaluationItem unequal = pair("unequal", 0.1);
  put_audio(unequal.noisy.path, std::vector<float>(1000, 0.1F));
  EvaluationItem other_rate = pair("rate", 0.1);
  put_audio(other_rate.noisy.path, std::vector<float>(1600, 0.1F), 8000);
  EvaluationItem changed = pair("changed", 0.1);
  changed.clean.hash = std::string(32, '0');
  const auto results = score({missing, unequal, pair("good", 0.1), other_rate, changed});
  ASSERT_EQ(results.rows.size(), 1U);
  EXPECT_EQ(results.rows[0].id, "good");
  ASSERT_EQ(results.failures.size(), 4U);
  EXPECT_EQ(results.failures[0].id, "gone");
  EXPECT_NE(results.failures[1].reason.find("has 1000 samples and its clean side 1600"),
            std::string::npos);
  EXPECT_NE(results.failures[2].reason.find("8000 Hz"), std::string::npos);
  EXPECT_NE(results.failures[3].reason.find("has another content"), std::string::npos);
}

TEST_F(ScoreTest, CountsWhatIsCut) {
  std::vector<EvaluationItem> items = {pair("equal", 0.1), pair("longer", 0.1),
                                       pair("shorter", 0.1)};
  put_audio(items[1].noisy.path, white(1700, 1));
  put_audio(items[2].noisy.path, white(1560, 1));
  const auto cuts = [&](const FitOptions& fit, const Enhance& enhance) {
    std::vector<int64_t> all;
    const RunResults results = score_items(
        items, {.metrics = build_metrics({"si_sdr"}), .fit = fit, .enhance = enhance}, logger_);
    for (const UtteranceScores& row : results.rows) all.push_back(row.cut_samples);
    return all;
  };
  EXPECT_EQ(cuts({}, keep), (std::vector<int64_t>{0, 100, 40}));
  for (EvaluationItem& item : items) {
    item.estimate.path = folder_ / "estimate.wav";
    item.noisy = {};
  }
  put_audio(items[0].estimate.path, read_audio(items[0].clean.path).samples);
  EXPECT_EQ(cuts({}, {}), (std::vector<int64_t>{0, 0, 0}));
  auto longer = read_audio(items[0].clean.path).samples;
  longer.push_back(0);
  put_audio(items[0].estimate.path, longer);
  EXPECT_EQ(cuts({}, {}), (std::vector<int64_t>{1, 1, 1}));
  EXPECT_EQ(cuts({.align = true}, {}), (std::vector<int64_t>{0, 0, 0}));  // the lags say it all
}

TEST_F(ScoreTest, LackOfMemoryIsAFailureOfThatUtterance) {
  ScoreOptions options;
  options.enhance = [](const std::vector<const EvaluationItem*>& items,
                       const std::vector<std::vector<float>>& noisy, int) {
    if (items.front()->id == "long") throw std::bad_alloc();
    return noisy;
  };
  options.metrics = build_metrics({"si_sdr"});
  options.metrics.push_back({.name = "greedy", .score = [](ScoredPair& pair) -> double {
                               if (pair.clean().size() > 2000) throw std::bad_alloc();
                               return 1;
                             }});
  const auto results = score(
      {pair("a", 0.1), pair("long", 0.1), pair("b", 0.1), pair("longer", 0.1, 3200)}, options);
  ASSERT_EQ(results.rows.size(), 2U);
  EXPECT_EQ(results.rows[1].id, "b");
  ASSERT_EQ(results.failures.size(), 2U);
  for (const auto& failure : results.failures) EXPECT_EQ(failure.reason, "out of memory on cpu");
  EXPECT_EQ(results.failures[1].id, "longer");
}

TEST_F(ScoreTest, AMetricThatIsNotDefinedCostsTheOthersNothing) {
  // 0.1 s is too short for PESQ.
  const auto results =
      score({pair("a", 0.1), pair("b", 0.1)}, {.metrics = build_metrics({"si_sdr", "pesq_wb"})});
  ASSERT_EQ(results.rows.size(), 2U);
  for (const auto& row : results.rows) {
    EXPECT_FALSE(std::isnan(row.score(0)));
    EXPECT_TRUE(std::isnan(row.score(1)));
  }
  ASSERT_EQ(results.failures.size(), 4U);
  EXPECT_EQ(results.failures[0].metric, "pesq_wb");
  EXPECT_EQ(results.failures[1].metric, "pesq_wb_noisy");
  EXPECT_NE(results.failures[0].reason.find("shorter than 1/4 s"), std::string::npos);
}

TEST_F(ScoreTest, ASilentEstimateIsAFailureNotANumber) {
  const Enhance silence = [](const auto&, const std::vector<std::vector<float>>& noisy, int) {
    return std::vector<std::vector<float>>(noisy.size(), std::vector<float>(noisy[0].size()));
  };
  const auto results = score({pair("a", 0.1)}, {.enhance = silence});
  EXPECT_TRUE(std::isnan(results.rows.at(0).score(0)));
  ASSERT_EQ(results.failures.size(), 1U);
  EXPECT_NE(results.failures[0].reason.find("silent"), std::string::npos);
}

TEST_F(ScoreTest, EstimatesMayBeFiles) {
  EvaluationItem item = pair("a", 0.1);
  item.estimate.path = item.noisy.path;
  const auto results = score_items({item}, {.metrics = build_metrics({"si_sdr"})}, logger_);
  ASSERT_EQ(results.rows.size(), 1U);
  EXPECT_EQ(results.rows[0].scores, results.rows[0].noisy_scores);
}

TEST_F(ScoreTest, GivesTheSameBitsForAnyNumberOfJobsAndAnyBatches) {
  std::vector<EvaluationItem> items;
  for (int i = 0; i < 12; ++i) items.push_back(pair(std::to_string(i), 0.01 * (i + 1), 4800));
  const auto metrics = build_metrics({"all"});
  const auto one = score(items, {.metrics = metrics, .jobs = 1});
  const auto many = score(
      items,
      {.metrics = metrics, .jobs = 8, .batches = {{11, 0, 5}, {1, 2, 3, 4}, {6}, {7, 8, 9, 10}}});
  ASSERT_EQ(one.rows.size(), many.rows.size());
  for (size_t i = 0; i < one.rows.size(); ++i) {
    EXPECT_EQ(one.rows[i].id, many.rows[i].id);
    for (size_t m = 0; m < metrics.size(); ++m) {
      const double a = one.rows[i].scores[m];
      const double b = many.rows[i].scores[m];
      EXPECT_TRUE(a == b || (std::isnan(a) && std::isnan(b))) << metrics[m].name;
    }
  }
  EXPECT_EQ(one.failures.size(), many.failures.size());
}

TEST_F(ScoreTest, GoesOnAfterAnInterruption) {
  std::vector<EvaluationItem> items;
  for (int i = 0; i < 6; ++i) items.push_back(pair(std::to_string(i), 0.01 * (i + 1)));
  fs::remove(items[1].clean.path);
  std::atomic<int> calls = 0;
  const auto counted = [&](int stop_at) {
    return [&calls, stop_at](const auto& some, const auto& noisy, int rate_hz) {
      if (++calls == stop_at) throw Interrupted(2);
      return keep(some, noisy, rate_hz);
    };
  };
  const auto metrics = build_metrics({"si_sdr"});
  const auto run = [&](int stop_at, const std::string& model, const std::string& device) {
    JournalHead head{Identity("evaluation", 1), metrics, false, {{"device", device}}};
    head.identity.set("model", model);
    Journal journal(folder_ / "out", head);
    calls = 0;
    RunResults results = score_items(
        items, {.metrics = metrics, .jobs = 1, .enhance = counted(stop_at), .journal = &journal},
        logger_);
    results.environment = journal.environment();
    return results;
  };
  const auto whole = score(items);
  EXPECT_THROW(run(3, "x", "cpu"), Interrupted);
  EXPECT_EQ(calls, 3);  // utterances 0, 2 and 3; of 1 there is nothing to enhance

  // A line that was cut off counts as not there.
  std::ofstream(folder_ / "out/scored.jsonl", std::ios::app) << R"({"id":"3","row":{"sec)";
  const auto resumed = run(-1, "x", "cuda");
  EXPECT_EQ(calls, 3);  // 3, 4 and 5
  ASSERT_EQ(resumed.rows.size(), 5U);
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(resumed.rows[i].id, whole.rows[i].id);
    EXPECT_EQ(resumed.rows[i].scores, whole.rows[i].scores);
    EXPECT_EQ(resumed.rows[i].noisy_scores, whole.rows[i].noisy_scores);
    EXPECT_EQ(resumed.rows[i].condition.speaker, "speaker");
  }
  ASSERT_EQ(resumed.failures.size(), 1U);
  EXPECT_EQ(resumed.failures[0].reason, whole.failures[0].reason);
  EXPECT_EQ(resumed.environment.at("device"), "cpu, then cuda");

  EXPECT_EQ(run(-1, "y", "cpu").environment.at("device"), "cpu");
  EXPECT_EQ(calls, 5);  // of something else: from the start
}

TEST_F(ScoreTest, WhatFailedIsTriedAgain) {
  const JournalHead head{Identity("evaluation", 1), build_metrics({"si_sdr"}), false, {}};
  const std::vector<EvaluationItem> items = {pair("a", 0.1), pair("long", 0.1)};
  const auto run = [&](bool has_memory) {
    Journal journal(folder_ / "out", head);
    ScoreOptions options;
    options.enhance = [&](const auto& some, const auto& noisy, int rate_hz) {
      if (!has_memory && some.front()->id == "long") throw std::bad_alloc();
      return keep(some, noisy, rate_hz);
    };
    options.journal = &journal;
    return score(items, options);
  };
  EXPECT_EQ(run(false).failures.size(), 1U);
  EXPECT_EQ(Journal(folder_ / "out", head).known().size(), 1U);
  const RunResults again = run(true);
  EXPECT_EQ(again.rows.size(), 2U);
  EXPECT_TRUE(again.failures.empty());
}

TEST_F(ScoreTest, AJournalKeepsNamesThatAreNoUtf8) {
  const JournalHead head{Identity("evaluation", 1), build_metrics({"si_sdr"}), false, {}};
  const std::string id = "caf\xE9/1";
  Outcome outcome;
  outcome.row = UtteranceScores{id, 1.5, {"z\xFF", "5", R"(b\xff)"}, {}, {2.5}, {1.0}};
  outcome.row->cut_samples = 7;
  outcome.failures = {{id, "pesq", "/data/caf\xE9/1.wav: is silent"}};
  Journal(folder_ / "out", head).add(id, outcome);
  const Journal journal(folder_ / "out", head);
  ASSERT_TRUE(journal.known().contains(id));
  const Outcome& known = journal.known().at(id);
  EXPECT_EQ(known.row->id, id);
  EXPECT_EQ(known.row->cut_samples, 7);
  EXPECT_EQ(known.row->condition.speaker, "z\xFF");
  EXPECT_EQ(known.row->condition.noise, R"(b\xff)");
  EXPECT_EQ(known.failures[0].reason, outcome.failures[0].reason);
}

TEST(EvaluationItems, KnowWhatTheManifestKnows) {
  Manifest manifest;
  manifest.kind = Manifest::Kind::pairs;
  manifest.extra_columns = {"noise", "room", "snr_db"};
  ManifestEntry entry;
  entry.id = "p232_001";
  entry.speaker = "p232";
  entry.extra = {"bus", "none", "17.5"};
  manifest.entries = {entry};
  const auto items = items_of(manifest);
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(items[0].condition.speaker, "p232");
  EXPECT_EQ(items[0].condition.noise, "bus");
  EXPECT_EQ(items[0].condition.snr_db, "17.5");
  manifest.extra_columns = {};
  manifest.entries[0].extra = {};
  EXPECT_EQ(items_of(manifest)[0].condition.snr_db, "");
  manifest.kind = Manifest::Kind::recordings;
  EXPECT_THROW(items_of(manifest), DataError);
}

}  // namespace
}  // namespace limbeck::test
