#include "limbeck/eval/evaluator.h"

#include <gtest/gtest.h>

#include "data/support.h"
#include "limbeck/audio/io.h"
#include "limbeck/core/error.h"
#include "limbeck/core/files.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;

const std::vector<Metric> kMetrics = select_metrics({"si_sdr"});

class EvaluatorTest : public testing::Test {
 protected:
  /// A pair of sines, the noisy one with another sine added.
  ScoredFiles make_pair(const std::string& id, float noise) {
    Waveform clean{std::vector<float>(1600), 16000};
    Waveform noisy = clean;
    for (size_t i = 0; i < clean.samples.size(); ++i) {
      clean.samples[i] = 0.3F * std::sin(0.1F * static_cast<float>(i));
      noisy.samples[i] = clean.samples[i] + noise * std::sin(1.3F * static_cast<float>(i));
    }
    const fs::path clean_path = folder_.path() / (id + "_clean.wav");
    const fs::path noisy_path = folder_.path() / (id + "_noisy.wav");
    write_audio(clean_path, clean, SampleFormat::float32);
    write_audio(noisy_path, noisy, SampleFormat::float32);
    return {id, "speaker", clean_path, noisy_path};
  }

  test::TempDir folder_;
  Logger logger_{Verbosity::quiet};
};

std::vector<float> keep(const ScoredFiles&, const std::vector<float>& noisy, int) { return noisy; }

TEST_F(EvaluatorTest, ScoresEstimateAndNoisySideAlike) {
  const auto evaluation =
      evaluate({make_pair("a", 0.1F), make_pair("b", 0.01F)}, kMetrics, keep, logger_);
  ASSERT_EQ(evaluation.rows.size(), 2U);
  EXPECT_TRUE(evaluation.failures.empty());
  for (const auto& row : evaluation.rows) EXPECT_EQ(row.scores, row.noisy_scores);
  EXPECT_NEAR(evaluation.rows[1].scores[0] - evaluation.rows[0].scores[0], 20, 0.2);
  EXPECT_DOUBLE_EQ(evaluation.rows[0].seconds, 0.1);
}

TEST_F(EvaluatorTest, ListsWhatFailsAndScoresTheRest) {
  ScoredFiles missing = make_pair("gone", 0.1F);
  fs::remove(missing.noisy);
  ScoredFiles unequal = make_pair("unequal", 0.1F);
  write_audio(unequal.noisy, {std::vector<float>(1599, 0.1F), 16000});
  ScoredFiles other_rate = make_pair("rate", 0.1F);
  write_audio(other_rate.noisy, {std::vector<float>(1600, 0.1F), 8000});
  const auto evaluation =
      evaluate({missing, unequal, make_pair("good", 0.1F), other_rate}, kMetrics, keep, logger_);
  ASSERT_EQ(evaluation.rows.size(), 1U);
  EXPECT_EQ(evaluation.rows[0].id, "good");
  ASSERT_EQ(evaluation.failures.size(), 3U);
  EXPECT_EQ(evaluation.failures[0].id, "gone");
  EXPECT_NE(evaluation.failures[1].reason.find("1599 samples"), std::string::npos);
  EXPECT_NE(evaluation.failures[2].reason.find("8000 Hz"), std::string::npos);
}

TEST_F(EvaluatorTest, ASilentEstimateIsAFailureNotANumber) {
  const Enhance silence = [](const ScoredFiles&, const std::vector<float>& noisy, int) {
    return std::vector<float>(noisy.size());
  };
  const auto evaluation = evaluate({make_pair("a", 0.1F)}, kMetrics, silence, logger_);
  EXPECT_TRUE(evaluation.rows.empty());
  ASSERT_EQ(evaluation.failures.size(), 1U);
  EXPECT_NE(evaluation.failures[0].reason.find("silent"), std::string::npos);
}

TEST_F(EvaluatorTest, ResultsReadBackUnlessTheyAreOfSomethingElse) {
  const auto written =
      evaluate({make_pair("a,\"quoted\"", 0.1F), make_pair("b", 0.02F)}, kMetrics, keep, logger_);
  const fs::path out = folder_.path() / "scores";
  write_evaluation(out, written, R"({"model": "x"})");
  Evaluation back;
  ASSERT_TRUE(read_evaluation(out, R"({"model": "x"})", kMetrics, back));
  ASSERT_EQ(back.rows.size(), 2U);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(back.rows[i].id, written.rows[i].id);
    EXPECT_EQ(back.rows[i].scores, written.rows[i].scores);  // to the last bit
    EXPECT_EQ(back.rows[i].noisy_scores, written.rows[i].noisy_scores);
  }
  EXPECT_FALSE(read_evaluation(out, R"({"model": "y"})", kMetrics, back));
  fs::remove(out / "summary.json");
  EXPECT_FALSE(read_evaluation(out, R"({"model": "x"})", kMetrics, back));
}

}  // namespace
}  // namespace limbeck
