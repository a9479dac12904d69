#include "eval/results.h"

#include <nlohmann/json.hpp>

#include "eval/runs.h"
#include "eval/support.h"
#include "limbeck/core/csv.h"
#include "limbeck/eval/compare.h"

namespace limbeck::test {
namespace {

namespace fs = std::filesystem;

UtteranceScores row(const std::string& id, const Condition& condition, std::vector<double> scores,
                    std::vector<double> noisy) {
  return {id, 1.5, condition, {}, std::move(scores), std::move(noisy)};
}

/// Four utterances of two speakers; one has no PESQ.
Evaluation made() {
  Evaluation e{build_metrics({"pesq_wb", "si_sdr"}), {}, {}};
  e.rows = {row("a,\"quoted\"", {"p1", "0", "bus"}, {2.0, 8.25}, {1.5, 3.0}),
            row("b", {"p1", "10", "bus"}, {3.0, 12.5}, {2.0, 10.0}),
            row("c", {"p2", "0", "cafe"}, {NAN, 1.0 / 3}, {1.0, -0.125}),
            row("d", {"p2", "10", "cafe"}, {4.0, 16.0}, {2.5, 11.0})};
  e.failures = {{"c", "pesq_wb", "no speech, \"none\""}, {"e", "", "unreadable"}};
  return e;
}

TEST(Results, ReadBackToTheLastBit) {
  const TempDir folder;
  const Evaluation written = made();
  write_evaluation(folder.path(), written, "system", R"({"model": "x"})");
  Evaluation back;
  ASSERT_TRUE(read_evaluation(folder.path(), R"({"model": "x"})", written.metrics, back));
  ASSERT_EQ(back.rows.size(), written.rows.size());
  for (size_t i = 0; i < back.rows.size(); ++i) {
    EXPECT_EQ(back.rows[i].id, written.rows[i].id);
    EXPECT_EQ(back.rows[i].condition.snr_db, written.rows[i].condition.snr_db);
    EXPECT_EQ(back.rows[i].condition.noise, written.rows[i].condition.noise);
    EXPECT_EQ(back.rows[i].scores[1], written.rows[i].scores[1]);
    EXPECT_EQ(back.rows[i].noisy_scores, written.rows[i].noisy_scores);
  }
  EXPECT_TRUE(std::isnan(back.rows[2].scores[0]));
  ASSERT_EQ(back.failures.size(), 2U);
  EXPECT_EQ(back.failures[0].reason, "no speech, \"none\"");

  const auto si_sdr_only = build_metrics({"si_sdr"});
  ASSERT_TRUE(read_evaluation(folder.path(), R"({"model": "x"})", si_sdr_only, back));
  EXPECT_EQ(back.rows[3].scores, std::vector<double>{16.0});
  EXPECT_FALSE(read_evaluation(folder.path(), R"({"model": "x"})", build_metrics({"stoi"}), back));
  EXPECT_FALSE(read_evaluation(folder.path(), R"({"model": "y"})", written.metrics, back));
  fs::remove(folder / "summary.json");
  EXPECT_FALSE(read_evaluation(folder.path(), R"({"model": "x"})", written.metrics, back));
}

TEST(Results, SummaryTakesOnlyScoresThatExist) {
  const TempDir folder;
  write_evaluation(folder.path(), made(), "system", "{}");
  const auto summary = nlohmann::json::parse(read_file(folder / "summary.json"));
  const auto& pesq = summary["metrics"]["pesq_wb"];
  EXPECT_EQ(pesq["n"], 3);
  EXPECT_DOUBLE_EQ(pesq["mean"], 3.0);
  EXPECT_DOUBLE_EQ(pesq["median"], 3.0);
  EXPECT_DOUBLE_EQ(pesq["std"], 1.0);
  EXPECT_EQ(summary["metrics"]["pesq_wb_noisy"]["n"], 4);
  const auto& improvement = summary["metrics"]["si_sdr_improvement"];
  EXPECT_EQ(improvement["n"], 4);
  EXPECT_NEAR(improvement["mean"], (5.25 + 2.5 + (1.0 / 3 + 0.125) + 5.0) / 4, 1e-12);
  EXPECT_NEAR(improvement["median"], (5.0 + 2.5) / 2, 1e-12);
  EXPECT_EQ(
      read_csv(folder / "per_utterance.csv").header,
      (std::vector<std::string>{"id", "seconds", "speaker", "snr_db", "noise", "pesq_wb", "si_sdr",
                                "si_sdr_improvement", "pesq_wb_noisy", "si_sdr_noisy"}));
}

TEST(Results, TableHasTheNoisyRowFirstAndSaysWhereNumbersAreMissing) {
  const std::string table = score_table(made(), "system");
  EXPECT_NE(table.find("| system |   n | PESQ-WB | SI-SDR (dB) | SI-SDRi (dB) |"),
            std::string::npos)
      << table;
  EXPECT_LT(table.find("| noisy  |   4 |   1.750 |        5.97 |"), table.find("| system |   4 |"))
      << table;
  EXPECT_NE(table.find("|   3.000 |        9.27 |         3.30 |"), std::string::npos) << table;
  EXPECT_NE(table.find("PESQ-WB: mean over the 3 of 4 utterances"), std::string::npos) << table;
}

TEST(Results, BreakDownBySnrSpeakerAndNoise) {
  const std::string tables = breakdown_tables(made());
  EXPECT_LT(tables.find("| SNR "), tables.find("| speaker "));
  EXPECT_NE(tables.find("| 0 dB  | noisy    |   2 |   1.250 |"), std::string::npos) << tables;
  EXPECT_NE(tables.find("| p2      | noisy    |   2 |   1.750 |"), std::string::npos) << tables;
  EXPECT_NE(tables.find("| cafe  | noisy "), std::string::npos) << tables;
  Evaluation many = made();
  many.rows.clear();
  for (int i = 0; i < 20; ++i) {
    many.rows.push_back(
        row(std::to_string(i), {"", std::to_string(i - 5) + ".5", ""}, {2, 3}, {1, 2}));
  }
  const std::string binned = breakdown_tables(many);  // -5.5 … 14.5
  EXPECT_NE(binned.find("| -5 to 0 dB "), std::string::npos) << binned;
  EXPECT_LT(binned.find("| 0 to 5 dB "), binned.find("| 10 to 15 dB ")) << binned;
  many.rows.resize(1);
  EXPECT_EQ(breakdown_tables(many), "");
}

TEST(Runs, HaveNamesOfTheirOwn) {
  const auto names = [](const std::vector<fs::path>& runs) {
    std::vector<std::string> all;
    for (const auto& [name, run] : named_runs(runs)) all.push_back(name);
    return all;
  };
  EXPECT_EQ(names({"runs/s1", "runs/s2/"}), (std::vector<std::string>{"s1", "s2"}));
  EXPECT_EQ(names({"x/a/cosine/s1", "x/b/cosine/s1"}),
            (std::vector<std::string>{"a/cosine/s1", "b/cosine/s1"}));
  EXPECT_EQ(names({"x/one"}), std::vector<std::string>{"one"});
}

TEST(Runs, GiveMeanAndDeviationOverRuns) {
  RunTable table(build_metrics({"si_sdr"}));
  for (const double value : {7.0, 8.0, 10.0}) {
    Evaluation e{build_metrics({"si_sdr"}), {row("a", {}, {value}, {3.8})}, {}};
    table.add("run", e);
  }
  const std::string text = table.markdown();
  EXPECT_NE(text.find("8.33 ± 1.53"), std::string::npos) << text;  // numpy: std([7,8,10], ddof=1)
  EXPECT_EQ(table.summary()["metrics"]["si_sdr"]["n"], 3);
  Evaluation none{build_metrics({"si_sdr"}), {row("a", {}, {NAN}, {3.8})}, {}};
  EXPECT_THROW(table.add("empty", none), DataError);
}

class CompareTest : public testing::Test {
 protected:
  std::string put(const std::string& name, const Evaluation& evaluation) {
    write_evaluation(folder_ / name, evaluation, name, "{}");
    return (folder_ / name).string();
  }
  /// Utterances 0 … 5 with these WSS (lower is better) and SI-SDR.
  static Evaluation scored(const std::vector<double>& si_sdr, const std::vector<double>& wss) {
    Evaluation e{build_metrics({"si_sdr", "wss"}), {}, {}};
    for (size_t i = 0; i < si_sdr.size(); ++i) {
      e.rows.push_back(row(std::to_string(i), {}, {si_sdr[i], wss[i]}, {}));
    }
    return e;
  }
  TempDir folder_;
};

TEST_F(CompareTest, GivesPairedDifferencesIntervalWinsAndWorstFiles) {
  const auto a = put("a", scored({5, 6, 7, 8, 9, 4}, {40, 41, 42, 43, 44, 45}));
  const auto b = put("b", scored({6, 6, 6.5, 9.5, 12, 4.5}, {39, 42, 42, 40, 44, 40}));
  const Comparison comparison = compare_results(a, b, "", 2);
  ASSERT_EQ(comparison.differences.size(), 2U);
  const PairedDifference& d = comparison.differences[0];
  EXPECT_EQ(d.n, 6U);
  EXPECT_NEAR(d.mean, 11.0 / 12, 1e-12);
  // {1, 0, -.5, 1.5, 3, .5}: 2.5705818 (t table, 5 degrees of freedom) times stdev / sqrt(6)
  EXPECT_NEAR(d.interval, 1.3030199, 1e-6);
  EXPECT_EQ(d.wins, 4U);
  EXPECT_EQ(d.losses, 1U);
  EXPECT_EQ(comparison.differences[1].wins, 3U);  // a lower WSS is better
  EXPECT_EQ(comparison.differences[1].losses, 1U);
  ASSERT_EQ(comparison.worst.size(), 2U);
  EXPECT_EQ(comparison.worst[0].id, "2");
  EXPECT_EQ(comparison.worst[1].id, "1");
  EXPECT_EQ(compare_results(a, b, "wss", 1).worst[0].id, "1");
  const std::string text = comparison_text(comparison, "a", "b");
  EXPECT_NE(text.find("[-0.39, +2.22]"), std::string::npos) << text;
  EXPECT_NO_THROW(nlohmann::json::parse(comparison_json(comparison)));
}

TEST_F(CompareTest, LeavesOutWhatOnlyOneHas) {
  Evaluation shorter = scored({5, 6, 7}, {1, 2, NAN});
  shorter.rows.erase(shorter.rows.begin());
  const Comparison comparison =
      compare_results(put("a", scored({5, 6, 7}, {1, 2, 3})), put("b", shorter), "", 10);
  EXPECT_EQ(comparison.only_in_a, std::vector<std::string>{"0"});
  EXPECT_EQ(comparison.differences[0].n, 2U);
  EXPECT_EQ(comparison.differences[1].n, 1U);
  EXPECT_TRUE(std::isnan(comparison.differences[1].interval));
}

TEST_F(CompareTest, RefusesWhatCannotBeCompared) {
  const auto a = put("a", made());
  Evaluation other = made();
  other.rows[0].noisy_scores[1] += 0.5;
  EXPECT_NE(message_of<DataError>([&] {
              compare_results(a, put("b", other), "", 1);
            }).find("not the same recordings"),
            std::string::npos);
  other = made();
  other.rows[3].seconds = 2;
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

}  // namespace
}  // namespace limbeck::test
