#include "limbeck/eval/result_table.h"

#include <gmock/gmock.h>

#include "eval/result_text.h"
#include "eval/support.h"

namespace limbeck::test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(ResultTable, SelectsMetricsInTheirVersion) {
  const ResultTable table = made_table();
  const auto si_sdr = table.select(build_metrics({"si_sdr"}));
  ASSERT_TRUE(si_sdr);
  EXPECT_EQ(si_sdr->runs.front().rows[3].scores, std::vector<double>{16.0});
  EXPECT_EQ(si_sdr->runs.front().rows[3].noisy_scores, std::vector<double>{11.0});
  EXPECT_EQ(table.select(build_metrics({"si_sdr", "pesq_wb"}))->runs.front().rows[3].scores,
            (std::vector<double>{16.0, 4.0}));
  EXPECT_FALSE(table.select(build_metrics({"stoi"})));
  auto newer = build_metrics({"si_sdr"});
  ++newer[0].version;
  EXPECT_FALSE(table.select(newer));
}

TEST(ResultTable, GivesMeanAndDeviationOverRuns) {
  ResultTable table = one_row_table("a", 7);
  table.add(one_row_table("b", 8));
  table.add(one_row_table("c", 10));
  const Summary s = table.over_runs(table.all_runs(), 0);
  EXPECT_EQ(s.n, 3U);
  EXPECT_NEAR(s.deviation, 1.527525, 1e-6);  // numpy: std([7,8,10], ddof=1)
  EXPECT_EQ(table.over_runs({table.find_run("b")}, 0).mean, 8);
  EXPECT_EQ(table.find_run("d"), nullptr);
  const std::string text = runs_table(table);
  EXPECT_THAT(text, HasSubstr("8.33 ± 1.53"));
  EXPECT_LT(text.find("| noisy "), text.find("| a "));
  EXPECT_THAT(runs_table(one_row_table("a", 7)), HasSubstr("| all runs |    1 |        7.00 |"));
  EXPECT_THROW(table.add(made_table()), std::invalid_argument);
}

/// Of these runs, with SI-SDR of utterances "0", "1", … and 3 dB less on the noisy side.
ResultTable table_of(const std::map<std::string, std::vector<double>>& runs) {
  ResultTable table{build_metrics({"si_sdr"})};
  for (const auto& [name, scores] : runs) {
    RunResults& run = table.runs.emplace_back(RunResults{name});
    for (size_t i = 0; i < scores.size(); ++i) {
      run.rows.push_back(scores_row(std::to_string(i), {}, {scores[i]}, {scores[i] - 3}));
    }
  }
  return table;
}

TEST(ResultTable, MeansOfOneTableAreOverTheSameUtterances) {
  ResultTable table = table_of({{"a", {10, 20, 60}}, {"b", {11, NAN, 61}}, {"c", {12, 22, 62}}});
  table.runs[1].rows[1].noisy_scores = {17};
  table.runs[1].failures = {{"1", "pesq_wb", "short"}, {"1", "si_sdr", "silent"}};
  table.runs[2].rows.erase(table.runs[2].rows.begin());  // "0" could not be read
  table.runs[2].failures = {{"0", "", "unreadable"}};
  const ResultTable paired = table.paired();
  for (const RunResults& run : paired.runs) {
    EXPECT_EQ(paired.over_utterances(run, 0).n, 1U) << run.name;
    EXPECT_EQ(paired.over_utterances(run, 0, true).n, 1U) << run.name;
  }
  EXPECT_EQ(paired.over_runs(paired.all_runs(), 0).mean, 61);
  EXPECT_EQ(paired.over_utterances(paired.runs[0], 0, true).mean, 57);
  EXPECT_EQ(table.over_utterances(table.runs[0], 0).n, 3U);
  EXPECT_THAT(paired.left_out,
              ElementsAre("SI-SDR (dB): means over 1 of 3 utterances, the same for all; without a "
                          "score: 0 (c: unreadable), 1 (b: silent)"));
  EXPECT_THAT(runs_table(table), AllOf(HasSubstr("| noisy    |      |        57.00 |"),
                                       HasSubstr("| all runs |    3 | 61.00 ± 1.00 |"),
                                       HasSubstr("\nSI-SDR (dB): means over 1 of 3")));
}

TEST(ResultTable, ARunWithoutAnyScoreTakesNoneFromTheOthers) {
  const ResultTable table = table_of({{"a", {10, 20}}, {"broken", {NAN, NAN}}});
  const ResultTable paired = table.paired();
  EXPECT_EQ(paired.over_utterances(paired.runs[0], 0).mean, 15);
  EXPECT_THAT(paired.left_out, IsEmpty());
  EXPECT_THAT(table_of({{"a", {10, 20}}, {"b", {1, 2}}}).paired().left_out, IsEmpty());
  // None in common: no mean, and a text that says so.
  const ResultTable apart = table_of({{"a", {10, NAN}}, {"b", {NAN, 2}}}).paired();
  EXPECT_TRUE(std::isnan(apart.over_utterances(apart.runs[0], 0).mean));
  EXPECT_THAT(apart.left_out, ElementsAre(HasSubstr("over 0 of 2 utterances")));
}

TEST(ResultTable, NamesARunWithoutAScore) {
  ResultTable table = one_row_table("a");
  table.require_scores();
  table.add(one_row_table("empty", NAN));
  EXPECT_THAT(message_of<DataError>([&] { table.require_scores(); }),
              HasSubstr("empty: si_sdr has no value for any utterance"));
}

TEST(ResultTable, RemarksSayOfWhichRuns) {
  ResultTable table = one_row_table("s1", 8, {"partial set: 1 of 2"});
  EXPECT_THAT(table.remarks(), ElementsAre("partial set: 1 of 2"));
  table.add(one_row_table("s2", 8, {"partial set: 1 of 2", "LEAK ALLOWED: a"}));
  table.add(one_row_table("s3", 8, {"partial set: 1 of 2", "LEAK ALLOWED: a"}));
  EXPECT_THAT(table.remarks(), ElementsAre("partial set: 1 of 2", "s2, s3: LEAK ALLOWED: a"));
  EXPECT_THAT(runs_table(table),
              HasSubstr("\n**partial set: 1 of 2**\n**s2, s3: LEAK ALLOWED: a**\n"));
}

TEST(ResultTable, ShowsWhereEnvironmentsDiffer) {
  ResultTable table = one_row_table("s1");
  table.add(one_row_table("s2"));
  table.runs[0].environment = {{"device", "cpu"}, {"libtorch", "2.15"}};
  table.runs[1].environment = {{"libtorch", "2.15"}};
  EXPECT_THAT(table.remarks(), IsEmpty());  // files that any system made have no device
  table.runs[1].environment["device"] = "cuda";
  EXPECT_THAT(table.remarks(), ElementsAre("device differs: cpu (s1); cuda (s2)"));
  // One of which nothing is known hides nothing, wherever it stands.
  table.add(one_row_table("s3"));
  EXPECT_THAT(table.remarks(), ElementsAre("device differs: cpu (s1); cuda (s2)"));
  std::swap(table.runs[0], table.runs[2]);
  EXPECT_THAT(table.remarks(), ElementsAre("device differs: cpu (s1); cuda (s2)"));
}

}  // namespace
}  // namespace limbeck::test
