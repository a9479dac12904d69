#include "limbeck/study/study.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "data/support.h"
#include "limbeck/config/resolve.h"
#include "limbeck/core/files.h"
#include "paths.h"
#include "study/report.h"
#include "study/support.h"

namespace limbeck {
namespace {

StudyConfig demo(const std::vector<std::string>& sets = {}) {
  std::vector<std::string> all = {"study.seeds=[4, 7]", "overrides.data.source.speech=s.csv",
                                  "overrides.data.source.noise=n.csv"};
  all.insert(all.end(), sets.begin(), sets.end());
  return config::load<StudyConfig>({test::source_dir() / "configs/study/demo.yaml"}, all);
}

TEST(Report, ShowsMeanAndDeviationOverSeedsAndPairedDifferences) {
  const test::TempDir dir;
  const StudyConfig config = demo();
  const StudyPlan plan = plan_study(config);
  StudyResults results;
  results.metrics = build_metrics({"si_sdr"});
  const double values[] = {7, 8, 8, 10, 5, 6, 5.5, 6.5};
  for (size_t i = 0; i < plan.students.size(); ++i) {
    test::add_scores(results, {plan.students[i], {12345, 6.78e6}}, "vbd_test", values[i]);
  }
  const std::string table = write_report(dir.path(), config, results, {});
  EXPECT_NE(table.find("7.50 ± 0.71"), std::string::npos) << table;  // seeds 7 and 8
  EXPECT_NE(table.find("12.3 k"), std::string::npos) << table;
  // Differences 1 and 2: mean 1.5, deviation .7071, t(1) = 12.7062.
  EXPECT_NE(table.find("+1.50 [-4.85, +7.85]"), std::string::npos) << table;
  const std::string csv = read_file(dir.path() / "results.csv");
  EXPECT_TRUE(
      csv.starts_with("scenario,method,seed,set,metric,value\n,noisy,,vbd_test,si_sdr,3.8\n"))
      << csv;
  EXPECT_NE(csv.find("narrower latent,cosine,7,vbd_test,si_sdr,10\n"), std::string::npos) << csv;
}

TEST(Report, TakesTheSameUtterancesOfEveryRun) {
  const test::TempDir dir;
  const StudyConfig config = demo();
  const StudyPlan plan = plan_study(config);
  StudyResults results;
  results.metrics = build_metrics({"si_sdr"});
  for (size_t i = 0; i < plan.students.size(); ++i) {
    test::add_scores(results, {plan.students[i], {1, 1}}, "vbd_test", 7);
    RunResults& run = results.tables["vbd_test"].runs.back();
    run.rows.push_back({"hard", 1, {}, {}, {i == 3 ? NAN : 1}, {0}});
  }
  results.tables["vbd_test"].runs[3].failures = {{"hard", "si_sdr", "silent"}};
  const std::string table = write_report(dir.path(), config, results, {});
  EXPECT_NE(table.find("\nSI-SDR (dB): means over 1 of 2 utterances, the same for all; without a "
                       "score: hard (" +
                       results.runs[3].name() + ": silent)\n"),
            std::string::npos)
      << table;
  const std::string csv = read_file(dir.path() / "results.csv");
  EXPECT_NE(csv.find(",noisy,,vbd_test,si_sdr,3.8\n"), std::string::npos) << csv;
  EXPECT_EQ(csv.find(",4\n"), std::string::npos) << csv;  // (7 + 1) / 2
}

TEST(Report, GivesNoDeviationForOneSeed) {
  const test::TempDir dir;
  const StudyConfig config = demo({"study.seeds=[1]"});
  const StudyPlan plan = plan_study(config);
  StudyResults results;
  results.metrics = build_metrics({"si_sdr"});
  test::add_scores(results, {plan.students[0], {1, 1}}, "vbd_test", 7);
  const std::string table = write_report(dir.path(), config, results, {{"x", "broke"}});
  EXPECT_EQ(table.find("± 0"), std::string::npos) << table;
  EXPECT_NE(table.find("1 failures"), std::string::npos) << table;
}

}  // namespace
}  // namespace limbeck
