#include "eval/result_files.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "eval/result_text.h"
#include "eval/support.h"
#include "limbeck/core/csv.h"

namespace limbeck::test {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

/// Of made_table().
constexpr const char* kLeftOut =
    "PESQ-WB: means over 3 of 4 utterances, the same for all; without a score: c (system: no "
    "speech, \"none\")";

Identity identity_of(const std::string& model) {
  Identity identity("evaluation", 1);
  identity.set("model", model);
  identity.set("set", "s");
  return identity;
}

void write(const fs::path& folder, const ResultTable& table) {
  write_results(folder, {identity_of("x"), false, {{"model", "runs/x"}}, table});
}

TEST(ResultFiles, ReadBackToTheLastBit) {
  const TempDir folder;
  ResultTable table = made_table();
  table.metrics[0].version = 7;
  table.runs[0].environment = {{"device", "cpu"}};
  write(folder.path(), table);
  const auto stored = read_results(folder.path());
  ASSERT_TRUE(stored && stored->table);
  EXPECT_EQ(stored->identity, identity_of("x"));
  EXPECT_EQ(stored->about.at("model"), "runs/x");
  EXPECT_EQ(stored->table->metrics[0].version, 7);
  const RunResults& written = table.runs.front();
  const RunResults& back = stored->table->runs.front();
  EXPECT_EQ(back.environment, written.environment);
  ASSERT_EQ(back.rows.size(), written.rows.size());
  for (size_t i = 0; i < back.rows.size(); ++i) {
    EXPECT_EQ(back.rows[i].id, written.rows[i].id);
    EXPECT_EQ(back.rows[i].condition, written.rows[i].condition);
    EXPECT_EQ(back.rows[i].scores[1], written.rows[i].scores[1]);
    EXPECT_EQ(back.rows[i].noisy_scores, written.rows[i].noisy_scores);
  }
  EXPECT_TRUE(std::isnan(back.rows[2].scores[0]));
  ASSERT_EQ(back.failures.size(), 2U);
  EXPECT_EQ(back.failures[0].reason, "no speech, \"none\"");
}

TEST(ResultFiles, AreTakenOnlyIfTheyAreWhole) {
  const TempDir folder;
  EXPECT_FALSE(read_results(folder.path()));
  write(folder.path(), made_table());
  put_text(folder / "per_utterance.csv", "id,seconds,si_sdr\na,1,2\n");  // three rows are lost
  EXPECT_FALSE(read_results(folder.path())->table);
  fs::remove(folder / "per_utterance.csv");
  EXPECT_FALSE(read_results(folder.path())->table);
  EXPECT_EQ(read_results(folder.path())->identity, identity_of("x"));
  fs::remove(folder / "summary.json");
  EXPECT_FALSE(read_results(folder.path()));
  put_text(folder / "summary.json", R"({"about": {}, "n": 4})");
  EXPECT_THAT(message_of<ConfigError>([&] { read_results(folder.path()); }),
              HasSubstr("summary.json: does not say what it is a result of"));
}

TEST(ResultFiles, LagsAndCutsAreWholeNumbers) {
  const TempDir folder;
  for (const char* column : {"lag_samples", "cut_samples"}) {
    for (const char* value : {"1e300", "1.5", "99999999999999999999", "nan"}) {
      const std::string header = std::string("id,seconds,") + column + ",si_sdr\n";
      put_text(folder / "per_utterance.csv", header + "a,1," + value + ",2\n");
      EXPECT_THAT(message_of<DataError>([&] { read_scores(folder / "per_utterance.csv"); }),
                  HasSubstr(std::string("csv:2: '") + value + "' is not a number of samples"));
    }
  }
}

TEST(ResultFiles, AMetricMayHaveNoNoisyColumn) {
  const TempDir folder;
  put_text(folder / "per_utterance.csv",
           "id,seconds,pesq_wb,si_sdr,si_sdr_noisy,stoi\na,1,2.5,8,3,0.5\nb,1,,9,,0.25\n");
  const ResultTable table = read_scores(folder / "per_utterance.csv");
  ASSERT_EQ(table.metrics.size(), 3U);
  const auto& rows = table.runs.front().rows;
  EXPECT_TRUE(std::isnan(rows[0].score(0, true)));
  EXPECT_EQ(rows[0].score(1, true), 3);
  EXPECT_TRUE(std::isnan(rows[0].score(2, true)));
  EXPECT_TRUE(std::isnan(rows[1].score(0)));
  EXPECT_EQ(rows[1].score(2), 0.25);
  EXPECT_EQ(table.scores(table.runs.front(), 1, true), std::vector<double>{3});
  EXPECT_EQ(table.si_sdr_improvement(rows[0]), 5);
}

TEST(ResultFiles, SummaryTakesOnlyUtterancesThatBothSidesHaveAScoreOf) {
  const TempDir folder;
  write(folder.path(), made_table());
  const auto summary = nlohmann::json::parse(read_file(folder / "summary.json"));
  const auto& pesq = summary["metrics"]["pesq_wb"];
  EXPECT_EQ(pesq["n"], 3);
  EXPECT_DOUBLE_EQ(pesq["mean"], 3.0);
  EXPECT_DOUBLE_EQ(pesq["median"], 3.0);
  EXPECT_DOUBLE_EQ(pesq["std"], 1.0);
  EXPECT_EQ(summary["metrics"]["pesq_wb_noisy"]["n"], 3);
  EXPECT_DOUBLE_EQ(summary["metrics"]["pesq_wb_noisy"]["mean"], 2.0);
  EXPECT_EQ(summary["left_out"], nlohmann::json({kLeftOut}));
  EXPECT_EQ(read_csv(folder / "per_utterance.csv").rows[2][8], "1");  // every score stands there
  const auto& improvement = summary["metrics"]["si_sdr_improvement"];
  EXPECT_EQ(improvement["n"], 4);
  EXPECT_NEAR(improvement["mean"], (5.25 + 2.5 + (1.0 / 3 + 0.125) + 5.0) / 4, 1e-12);
  EXPECT_NEAR(improvement["median"], (5.0 + 2.5) / 2, 1e-12);
  EXPECT_EQ(
      read_csv(folder / "per_utterance.csv").header,
      (std::vector<std::string>{"id", "seconds", "speaker", "snr_db", "noise", "pesq_wb", "si_sdr",
                                "si_sdr_improvement", "pesq_wb_noisy", "si_sdr_noisy"}));
}

TEST(ResultText, TableHasTheNoisyRowFirstAndSaysWhereNumbersAreMissing) {
  const std::string table = score_table(made_table());
  EXPECT_NE(table.find("| system |   n | PESQ-WB | SI-SDR (dB) | SI-SDRi (dB) |"),
            std::string::npos)
      << table;
  EXPECT_LT(table.find("| noisy  |   4 |   2.000 |        5.97 |"), table.find("| system |   4 |"))
      << table;
  EXPECT_NE(table.find("|   3.000 |        9.27 |         3.30 |"), std::string::npos) << table;
  EXPECT_THAT(table, EndsWith("|\n\n" + std::string(kLeftOut) + "\n"));
}

TEST(ResultText, SaysWhatOfAnyRunWasCut) {
  EXPECT_EQ(cut_text(made_table()), "");
  ResultTable table = made_table();
  table.runs.push_back(table.runs.front());
  table.runs[0].rows[0].cut_samples = 3;
  table.runs[1].rows[0].cut_samples = 5;
  table.runs[1].rows[2].cut_samples = 1;
  const std::string text = "of 2 of 4 pairs, one side is longer by 16 ms at most, and is cut";
  EXPECT_EQ(cut_text(table), text);
  EXPECT_THAT(runs_table(table), EndsWith(text + "\n"));
  const TempDir folder;
  write_runs(folder.path(), table, {identity_of("a"), identity_of("b")}, {"a", "b"});
  EXPECT_EQ(nlohmann::json::parse(read_file(folder / "summary.json"))["cut"], 2);
}

TEST(ResultText, BreakDownBySnrSpeakerAndNoise) {
  const std::string tables = breakdown_tables(made_table());
  EXPECT_LT(tables.find("| SNR "), tables.find("| speaker "));
  EXPECT_NE(tables.find("| 0 dB  | noisy    |   2 |   1.500 |"), std::string::npos) << tables;
  EXPECT_NE(tables.find("| p2      | noisy    |   2 |   2.500 |"), std::string::npos) << tables;
  EXPECT_NE(tables.find("| cafe  | noisy "), std::string::npos) << tables;
  ResultTable many = made_table();
  auto& rows = many.runs.front().rows;
  rows.clear();
  for (int i = 0; i < 20; ++i) {
    rows.push_back(
        scores_row(std::to_string(i), {"", std::to_string(i - 5) + ".5", ""}, {2, 3}, {1, 2}));
  }
  const std::string binned = breakdown_tables(many);  // -5.5 … 14.5
  EXPECT_NE(binned.find("| -5 to 0 dB "), std::string::npos) << binned;
  EXPECT_LT(binned.find("| 0 to 5 dB "), binned.find("| 10 to 15 dB ")) << binned;
  rows.resize(1);
  EXPECT_EQ(breakdown_tables(many), "");
}

TEST(Notes, StandInEveryResult) {
  const TempDir folder;
  const std::string leak = "LEAK ALLOWED: 1 file (x) of test in train";
  const ResultTable written = one_row_table("system", 8, {"partial set: 1 of 2", leak});
  write(folder.path(), written);
  EXPECT_THAT(score_table(written), HasSubstr("|\n\n**partial set: 1 of 2**\n**" + leak + "**\n"));
  EXPECT_THAT(read_file(folder / "table.md"), HasSubstr(leak));
  const auto summary = nlohmann::json::parse(read_file(folder / "summary.json"));
  EXPECT_EQ(summary["notes"], nlohmann::json({"partial set: 1 of 2", leak}));
  const Csv csv = read_csv(folder / "per_utterance.csv");
  EXPECT_EQ(csv.header.back(), "note");
  EXPECT_EQ(csv.rows[0].back(), "partial set: 1 of 2; " + leak);
  EXPECT_EQ(read_results(folder.path())->table->runs.front().notes, written.runs.front().notes);
  write(folder.path(), one_row_table("system"));
  EXPECT_THAT(read_file(folder / "per_utterance.csv"), Not(HasSubstr("note")));
}

TEST(RunFiles, KeepRunsApartWhoseNamesAreNoUtf8) {
  const TempDir folder;
  ResultTable table = one_row_table("s\xE8");
  table.add(one_row_table("s\xE9"));
  write_runs(folder.path(), table, {identity_of("m1"), identity_of("m2")}, {"s\xE8", "s\xE9"});
  const auto summary = nlohmann::json::parse(read_file(folder / "summary.json"));
  EXPECT_EQ(summary["models"], nlohmann::json({{R"(s\xe8)", "m1"}, {R"(s\xe9)", "m2"}}));
  EXPECT_TRUE(summary["environment"].contains(R"(s\xe8)"));
}

TEST(RunFiles, HoldMeansDeviationsAndModels) {
  const TempDir folder;
  ResultTable table = one_row_table("s1", 7);
  table.add(one_row_table("s2", 8));
  const std::vector<Identity> both = {identity_of("m1"), identity_of("m2")};
  write_runs(folder.path(), table, both, {"runs/s1", "runs/s2"});
  const auto summary = nlohmann::json::parse(read_file(folder / "summary.json"));
  EXPECT_EQ(summary["models"], nlohmann::json({{"s1", "m1"}, {"s2", "m2"}}));
  const auto& si_sdr = summary["metrics"]["si_sdr"];
  EXPECT_EQ(si_sdr["n"], 2);
  EXPECT_EQ(si_sdr["mean"], 7.5);
  EXPECT_NEAR(si_sdr["std"], std::sqrt(0.5), 1e-12);
  EXPECT_EQ(si_sdr["values"], nlohmann::json({7, 8}));

  // A run may be added, none lost, and nothing else may take the place.
  require_own_runs_folder(folder.path(), {both[0], both[1], identity_of("m3")});
  EXPECT_THAT(message_of<ConfigError>(
                  [&] { require_own_runs_folder(folder.path(), {both[0], identity_of("m3")}); }),
              HasSubstr("models: s2 (m2) → not among the runs"));
  Identity other = both[0];
  other.set("set", "t");
  EXPECT_THAT(
      message_of<ConfigError>([&] { require_own_runs_folder(folder.path(), {other, both[1]}); }),
      HasSubstr("set: s → t"));
  write(folder.path(), made_table());
  EXPECT_THAT(message_of<ConfigError>([&] { require_own_runs_folder(folder.path(), both); }),
              HasSubstr("--out"));
}

}  // namespace
}  // namespace limbeck::test
