#include "limbeck/eval/compare.h"

#include <nlohmann/json.hpp>

#include "eval/result_files.h"
#include "eval/support.h"

namespace limbeck::test {
namespace {

class CompareTest : public testing::Test {
 protected:
  std::string put(const std::string& name, const ResultTable& table) {
    write_results(folder_ / name, {Identity("evaluation", 1), false, {}, table});
    return (folder_ / name).string();
  }
  /// Utterances 0 … 5 with these WSS (lower is better) and SI-SDR.
  static ResultTable scored(const std::vector<double>& si_sdr, const std::vector<double>& wss) {
    RunResults run{"system"};
    for (size_t i = 0; i < si_sdr.size(); ++i) {
      run.rows.push_back(scores_row(std::to_string(i), {}, {si_sdr[i], wss[i]}, {}));
    }
    return {build_metrics({"si_sdr", "wss"}), {run}};
  }
  TempDir folder_;
};

TEST_F(CompareTest, GivesPairedDifferencesIntervalWinsAndWorstFiles) {
  const auto a = put("a", scored({5, 6, 7, 8, 9, 4}, {40, 41, 42, 43, 44, 45}));
  const auto b = put("b", scored({6, 6, 6.5, 9.5, 12, 4.5}, {39, 42, 42, 40, 44, 40}));
  const Comparison comparison = compare_results(a, b, "", 2);
  ASSERT_EQ(comparison.differences.size(), 2U);
  const PairedDifference& d = comparison.differences[0].paired;
  EXPECT_EQ(d.n, 6U);
  EXPECT_NEAR(d.mean, 11.0 / 12, 1e-12);
  // {1, 0, -.5, 1.5, 3, .5}: 2.5705818 (t table, 5 degrees of freedom) times stdev / sqrt(6)
  EXPECT_NEAR(d.interval, 1.3030199, 1e-6);
  EXPECT_EQ(d.wins, 4U);
  EXPECT_EQ(d.losses, 1U);
  EXPECT_EQ(comparison.differences[1].paired.wins, 3U);  // a lower WSS is better
  EXPECT_EQ(comparison.differences[1].paired.losses, 1U);
  ASSERT_EQ(comparison.worst.size(), 2U);
  EXPECT_EQ(comparison.worst[0].id, "2");
  EXPECT_EQ(comparison.worst[1].id, "1");
  EXPECT_EQ(compare_results(a, b, "wss", 1).worst[0].id, "1");
  const std::string text = comparison_text(comparison, "a", "b");
  EXPECT_NE(text.find("[-0.39, +2.22]"), std::string::npos) << text;
  EXPECT_TRUE(nlohmann::json::accept(comparison_json(comparison)));
}

TEST_F(CompareTest, LeavesOutWhatOnlyOneHas) {
  ResultTable shorter = scored({5, 6, 7}, {1, 2, NAN});
  auto& rows = shorter.runs.front().rows;
  rows.erase(rows.begin());
  shorter.runs.front().failures = {{"2", "wss", "silent"}};
  const Comparison comparison =
      compare_results(put("a", scored({5, 6, 7}, {1, 2, 3})), put("b", shorter), "", 10);
  EXPECT_EQ(comparison.only_in_a, std::vector<std::string>{"0"});
  EXPECT_EQ(comparison.differences[0].paired.n, 2U);
  EXPECT_EQ(comparison.differences[1].paired.n, 1U);
  EXPECT_TRUE(std::isnan(comparison.differences[1].paired.interval));
  const std::string left_out =
      "WSS: means over 1 of 2 utterances, the same for all; without a score: 2 (B: silent)";
  EXPECT_EQ(comparison.left_out, std::vector<std::string>{left_out});
  EXPECT_NE(comparison_text(comparison, "a", "b").find("\n" + left_out + "\n"), std::string::npos);
  EXPECT_NE(comparison_json(comparison).find(left_out), std::string::npos);
}

TEST_F(CompareTest, TheNoisySideLeavesNothingOut) {
  ResultTable table = made_table();
  table.runs[0].rows[3].noisy_scores[0] = NAN;
  const auto a = put("a", table);
  EXPECT_EQ(compare_results(a, a, "", 1).differences[0].paired.n, 3U);
}

TEST_F(CompareTest, RefusesWhatCannotBeCompared) {
  const auto a = put("a", made_table());
  ResultTable other = made_table();
  other.runs[0].rows[0].noisy_scores[1] += 0.5;
  EXPECT_NE(message_of<DataError>([&] {
              compare_results(a, put("b", other), "", 1);
            }).find("not the same recordings"),
            std::string::npos);
  other = made_table();
  other.runs[0].rows[3].seconds = 2;
  EXPECT_THROW(compare_results(a, put("b", other), "", 1), DataError);
  EXPECT_THROW(compare_results(a, (folder_ / "nothing").string(), "", 1), DataError);
  EXPECT_NE(message_of<ConfigError>([&] {
              compare_results(a, a, "stoi", 1);
            }).find("common: pesq_wb, si_sdr"),
            std::string::npos);
  put_text(folder_ / "bad/per_utterance.csv", "id,seconds,si_sdr\na,1,x\n");
  EXPECT_NE(message_of<DataError>([&] {
              compare_results(a, (folder_ / "bad").string(), "", 1);
            }).find("per_utterance.csv:2: 'x' is not a number"),
            std::string::npos);
}

TEST_F(CompareTest, AMetricMayHaveNoNoisyColumn) {
  const auto put_csv = [&](const std::string& name, const std::string& noisy) {
    put_text(folder_ / name / "per_utterance.csv",
             "id,seconds,pesq_wb,si_sdr,si_sdr_noisy\na,1,2.5,8," + noisy + "\n");
    return (folder_ / name).string();
  };
  const auto a = put_csv("a", "3");
  EXPECT_EQ(compare_results(a, put_csv("b", "3"), "", 1).differences.size(), 2U);
  EXPECT_NE(message_of<DataError>([&] {
              compare_results(a, put_csv("c", "4"), "", 1);
            }).find("si_sdr of the noisy side is 3 in one and 4 in the other"),
            std::string::npos);
}

TEST_F(CompareTest, SaysWhatMakesResultsLessComparable) {
  ResultTable newer = one_row_table("b", 9, {"partial set: 1 of 2"});
  newer.metrics[0].version = 2;
  newer.runs[0].environment = {{"device", "cuda"}};
  ResultTable older = one_row_table("a");
  older.runs[0].environment = {{"device", "cpu"}};
  const Comparison comparison = compare_results(put("a", older), put("b", newer), "", 1);
  EXPECT_EQ(comparison.warnings, (std::vector<std::string>{
                                     "si_sdr is of version 1 in A and 2 in B: not the same measure",
                                     "device differs: cpu (A); cuda (B)"}));
  const std::string text = comparison_text(comparison, "a", "b");
  EXPECT_NE(text.find("\n**B: partial set: 1 of 2**\n**si_sdr is of version 1"), std::string::npos)
      << text;
  EXPECT_NE(comparison_json(comparison).find("device differs"), std::string::npos);
}

TEST_F(CompareTest, SaysWhatWasDoneToFilesOfOneSide) {
  const auto put_of = [&](const std::string& channel, int64_t cut) {
    Identity identity("evaluation", 1);
    identity.set("fit.resample_hz", 0);
    if (!channel.empty()) identity.set("fit.channel", channel);
    ResultTable table = scored({5, 6, 7}, {1, 2, 3});
    table.runs[0].rows[1].cut_samples = cut;
    write_results(folder_ / ("of" + channel), {identity, false, {}, table});
    return (folder_ / ("of" + channel)).string();
  };
  const std::string plain = put_of("", 0);
  EXPECT_TRUE(compare_results(plain, plain, "", 1).warnings.empty());
  const Comparison comparison = compare_results(plain, put_of("mix", 7), "", 1);
  ASSERT_EQ(comparison.warnings.size(), 1U);
  EXPECT_NE(comparison.warnings[0].find("files were treated otherwise (A → B): channel: "),
            std::string::npos)
      << comparison.warnings[0];
  EXPECT_NE(comparison.warnings[0].find("mix"), std::string::npos);
  ASSERT_EQ(comparison.left_out.size(), 1U);
  EXPECT_EQ(comparison.left_out[0],
            "of 1 of 3 pairs, one side is longer by 16 ms at most, and is cut");
}

}  // namespace
}  // namespace limbeck::test
