#include "limbeck/eval/evaluator.h"

#include <atomic>

#include "eval/journal.h"
#include "eval/support.h"
#include "limbeck/audio/io.h"

namespace limbeck::test {
namespace {

namespace fs = std::filesystem;

class EvaluatorTest : public testing::Test {
 protected:
  EvaluationItem pair(const std::string& id, double noise, int64_t samples = 1600) {
    return put_pair(folder_.path(), id, noise, samples);
  }
  Evaluation score(const std::vector<EvaluationItem>& items, EvaluateOptions options = {}) {
    if (options.metrics.empty()) options.metrics = build_metrics({"si_sdr"});
    if (!options.enhance) options.enhance = keep;
    return evaluate(items, options, logger_);
  }

  TempDir folder_;
  Logger logger_{Verbosity::quiet};
};

TEST_F(EvaluatorTest, ScoresEstimateAndNoisySideAlike) {
  const auto evaluation = score({pair("a", 0.1), pair("b", 0.01)});
  ASSERT_EQ(evaluation.rows.size(), 2U);
  EXPECT_TRUE(evaluation.failures.empty());
  for (const auto& row : evaluation.rows) EXPECT_EQ(row.scores, row.noisy_scores);
  EXPECT_NEAR(evaluation.rows[1].scores[0] - evaluation.rows[0].scores[0], 20, 0.2);
  EXPECT_DOUBLE_EQ(evaluation.rows[0].seconds, 0.1);
}

TEST_F(EvaluatorTest, ListsWhatFailsAndScoresTheRest) {
  EvaluationItem missing = pair("gone", 0.1);
  fs::remove(missing.noisy.path);
  EvaluationItem unequal = pair("unequal", 0.1);
  put_audio(unequal.noisy.path, std::vector<float>(1000, 0.1F));
  EvaluationItem other_rate = pair("rate", 0.1);
  put_audio(other_rate.noisy.path, std::vector<float>(1600, 0.1F), 8000);
  EvaluationItem changed = pair("changed", 0.1);
  changed.clean.hash = std::string(32, '0');
  const auto evaluation = score({missing, unequal, pair("good", 0.1), other_rate, changed});
  ASSERT_EQ(evaluation.rows.size(), 1U);
  EXPECT_EQ(evaluation.rows[0].id, "good");
  ASSERT_EQ(evaluation.failures.size(), 4U);
  EXPECT_EQ(evaluation.failures[0].id, "gone");
  EXPECT_NE(evaluation.failures[1].reason.find("has 1000 samples and its clean side 1600"),
            std::string::npos);
  EXPECT_NE(evaluation.failures[2].reason.find("8000 Hz"), std::string::npos);
  EXPECT_NE(evaluation.failures[3].reason.find("has another content"), std::string::npos);
}

TEST_F(EvaluatorTest, AMetricThatIsNotDefinedCostsTheOthersNothing) {
  // 0.1 s is too short for PESQ.
  const auto evaluation =
      score({pair("a", 0.1), pair("b", 0.1)}, {.metrics = build_metrics({"si_sdr", "pesq_wb"})});
  ASSERT_EQ(evaluation.rows.size(), 2U);
  EXPECT_EQ(evaluation.scores(0).size(), 2U);
  EXPECT_TRUE(evaluation.scores(1).empty());
  ASSERT_EQ(evaluation.failures.size(), 4U);
  EXPECT_EQ(evaluation.failures[0].metric, "pesq_wb");
  EXPECT_EQ(evaluation.failures[1].metric, "pesq_wb_noisy");
  EXPECT_NE(evaluation.failures[0].reason.find("shorter than 1/4 s"), std::string::npos);
}

TEST_F(EvaluatorTest, ASilentEstimateIsAFailureNotANumber) {
  const Enhance silence = [](const auto&, const std::vector<std::vector<float>>& noisy, int) {
    return std::vector<std::vector<float>>(noisy.size(), std::vector<float>(noisy[0].size()));
  };
  const auto evaluation = score({pair("a", 0.1)}, {.enhance = silence});
  EXPECT_TRUE(evaluation.scores(0).empty());
  ASSERT_EQ(evaluation.failures.size(), 1U);
  EXPECT_NE(evaluation.failures[0].reason.find("silent"), std::string::npos);
}

TEST_F(EvaluatorTest, EstimatesMayBeFiles) {
  EvaluationItem item = pair("a", 0.1);
  item.estimate.path = item.noisy.path;
  EvaluateOptions options{.metrics = build_metrics({"si_sdr"})};
  const auto evaluation = evaluate({item}, options, logger_);
  ASSERT_EQ(evaluation.rows.size(), 1U);
  EXPECT_EQ(evaluation.rows[0].scores, evaluation.rows[0].noisy_scores);
}

TEST_F(EvaluatorTest, GivesTheSameBitsForAnyNumberOfJobsAndAnyBatches) {
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

TEST_F(EvaluatorTest, GoesOnAfterAnInterruption) {
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
  const auto options = [&](int stop_at, const std::string& about) {
    return EvaluateOptions{.metrics = build_metrics({"si_sdr"}),
                           .jobs = 1,
                           .enhance = counted(stop_at),
                           .resume_in = folder_ / "out",
                           .about = about};
  };
  const auto whole = score(items);
  EXPECT_THROW(evaluate(items, options(3, R"({"x": 1})"), logger_), Interrupted);
  EXPECT_EQ(calls, 3);  // utterances 0, 2 and 3; of 1 there is nothing to enhance

  // A line that was cut off counts as not there.
  std::ofstream(folder_ / "out/scored.jsonl", std::ios::app) << R"({"id":"3","row":{"sec)";
  calls = 0;
  const auto resumed = evaluate(items, options(-1, R"({"x": 1})"), logger_);
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

  calls = 0;
  evaluate(items, options(-1, R"({"x": 2})"), logger_);
  EXPECT_EQ(calls, 5);  // about something else: from the start
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
