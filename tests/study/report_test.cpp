#include "study/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "core/scratch.h"
#include "limbeck/core/csv.h"
#include "limbeck/core/files.h"
#include "limbeck/core/plot.h"
#include "study/made_study.h"

namespace limbeck::test {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

/// No program is found, so that no PNG is drawn: that takes half a second each.
class Report : public testing::Test {
 protected:
  Report() { ::setenv("PATH", "", 1); }
  ~Report() override { ::setenv("PATH", path_.c_str(), 1); }

 private:
  std::string path_ = std::getenv("PATH");
};

/// The line of a table that has all of these cells.
std::string line_with(const std::string& text, const std::vector<std::string>& cells) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto is_there = [&](const std::string& cell) {
      return line.find(" " + cell + " ") != std::string::npos;
    };
    if (std::all_of(cells.begin(), cells.end(), is_there)) return line;
  }
  return "";
}

/// Without what pads the cells.
std::string packed(std::string line) {
  for (size_t at = line.find("  "); at != line.npos; at = line.find("  ")) line.erase(at, 1);
  return line;
}

nlohmann::json summary(const Scratch& dir) {
  return nlohmann::json::parse(read_file(dir / "summary.json"));
}

/// One scenario, none against cosine: differences 1, 2 and 3.
MadeStudy three_seeds() {
  MadeStudy study({"causal student"}, {"none", "cosine"});
  study.config.study.baseline = "none";
  const double none[] = {7, 8, 9}, cosine[] = {8, 10, 12};
  for (int64_t seed = 1; seed <= 3; ++seed) {
    study.add({0, 0, 0}, seed, {none[seed - 1]});
    study.add({0, 1, 0}, seed, {cosine[seed - 1]});
  }
  return study;
}

TEST_F(Report, ShowsMeansAndPairedDifferences) {
  const Scratch dir;
  MadeStudy study = three_seeds();
  study.add_teacher(1, {15});
  const std::string table = write_report(dir.path(), study.config, study.results);
  EXPECT_EQ(read_file(dir / "table.md"), table);
  EXPECT_TRUE(table.starts_with("# made\n\n## Set vbd_test\n")) << table;
  EXPECT_EQ(packed(line_with(table, {"noisy"})), "| | noisy | | | | 3.00 |");
  EXPECT_EQ(packed(line_with(table, {"teacher t"})),
            "| | teacher t | 2.40 M | 1500.0 | 1 | 15.00 |");
  EXPECT_EQ(packed(line_with(table, {"none", "3"})),
            "| causal student | none | 12.3 k | 6.8 | 3 | 8.00 ± 1.00 |");
  // scipy.stats.ttest_rel([8, 10, 12], [7, 8, 9]): t 3.4641, p .07418; 2 ± 4.30265 / sqrt(3)
  EXPECT_EQ(packed(line_with(table, {"cosine − none", "3"})),
            "| causal student | cosine − none | 3 | +2.00 [-0.48, +4.48] | 0.074 | 0.074 |");
  EXPECT_THAT(table, HasSubstr("corrected for the one comparison that was named beforehand"));
  EXPECT_THAT(table, HasSubstr("which cannot be below .05 for n < 6"));
  // With J(2) = .5642 and variances 1 and 4: 2 / sqrt(2.5) J = .71; 7.5 of 9 pairs are better.
  EXPECT_THAT(packed(line_with(table, {"cosine − none", "0.250"})),
              HasSubstr("| 3 | +2.00 [-0.48, +4.48] | 0.074 | 0.250 | 0.71 | 0.83 ["));
}

TEST_F(Report, GivesEveryNumberUnroundedInTheSummary) {
  const Scratch dir;
  const MadeStudy study = three_seeds();
  write_report(dir.path(), study.config, study.results);
  const auto json = summary(dir);
  EXPECT_EQ(json["version"], 1);
  EXPECT_EQ(json["partial"], false);
  const auto& set = json["sets"][0];
  const auto& cosine = set["systems"][2];
  EXPECT_EQ(cosine["method"], "cosine");
  EXPECT_EQ(cosine["parameters"], 12345);
  EXPECT_NEAR(cosine["metrics"]["si_sdr"]["mean"].get<double>(), 10, 1e-12);
  EXPECT_EQ(cosine["runs"][2]["seed"], 3);
  EXPECT_TRUE(cosine["metrics"]["si_sdr"]["iqm"].is_null());  // n < 5
  ASSERT_EQ(set["comparisons"].size(), 1U);
  const auto& difference = set["comparisons"][0]["metrics"]["si_sdr"];
  EXPECT_NEAR(difference["p_t"].get<double>(), 0.07417990, 1e-7);
  EXPECT_NEAR(difference["interval95"][1].get<double>(), 4.48413771, 1e-7);
  EXPECT_EQ(difference["values"].size(), 3U);
  EXPECT_EQ(set["comparisons"][0]["bootstrap"]["speakers"], 2);
}

TEST_F(Report, GivesTheSameBytesAgain) {
  const Scratch a, b;
  const MadeStudy study = three_seeds();
  write_report(a.path(), study.config, study.results);
  write_report(b.path(), study.config, study.results);
  size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(a.path())) {
    if (!entry.is_regular_file()) continue;
    const auto other = b.path() / entry.path().lexically_relative(a.path());
    EXPECT_EQ(read_file(entry.path()), read_file(other)) << entry.path();
    ++files;
  }
  EXPECT_GE(files, 8U);
}

TEST_F(Report, OfOneSeedHasNoDeviationAndNoTest) {
  const Scratch dir;
  MadeStudy study({"a"}, {"none", "cosine"});
  study.config.study.baseline = "none";
  study.add({0, 0, 0}, 1, {7});
  study.add({0, 1, 0}, 1, {8});
  const std::string table = write_report(dir.path(), study.config, study.results);
  EXPECT_EQ(table.find("± 0"), std::string::npos) << table;
  EXPECT_EQ(table.find("nan"), std::string::npos) << table;
  EXPECT_EQ(packed(line_with(table, {"cosine − none"})), "| a | cosine − none | 1 | +1.00 | | |");
  const auto comparison = summary(dir)["sets"][0]["comparisons"][0];
  EXPECT_TRUE(comparison["p_holm"].is_null());
  // Each draw of utterances is of both sides.
  for (const auto& bound : comparison["bootstrap"]["interval95"]) {
    EXPECT_NEAR(bound.get<double>(), 1, 1e-12);
  }
}

TEST_F(Report, CorrectsTheNamedComparisonsOfAllScenarios) {
  const Scratch dir;
  MadeStudy study({"a", "b"}, {"none", "clskd", "cosine"});
  study.config.study.compare = {{"cosine", "clskd"}};
  study.config.study.baseline = "clskd";
  const double far[] = {1.0, 1.1, 1.2}, near[] = {1, -1, 0.5};
  for (int64_t seed = 1; seed <= 3; ++seed) {
    for (size_t scenario : {0, 1}) {
      study.add({scenario, 0, 0}, seed, {7});
      study.add({scenario, 1, 0}, seed, {8});
      const double gain = scenario == 0 ? far[seed - 1] : near[seed - 1];
      study.add({scenario, 2, 0}, seed, {8 + gain});
    }
  }
  const std::string table = write_report(dir.path(), study.config, study.results);
  EXPECT_THAT(table, HasSubstr("corrected for all 2 comparisons of this metric that were named "
                               "beforehand, over all scenarios."));
  const auto comparisons = summary(dir)["sets"][0]["comparisons"];
  ASSERT_EQ(comparisons.size(), 6U);  // with cosine − none and none − clskd, in two scenarios
  const auto p = [&](size_t i) { return comparisons[i]["metrics"]["si_sdr"]["p_t"].get<double>(); };
  EXPECT_NEAR(comparisons[0]["p_holm"].get<double>(), 2 * p(0), 1e-12);
  EXPECT_NEAR(comparisons[1]["p_holm"].get<double>(), p(1), 1e-12);
  for (size_t i = 2; i < 6; ++i) {
    EXPECT_EQ(comparisons[i]["named"], false);
    EXPECT_TRUE(comparisons[i]["p_holm"].is_null());
  }
  const std::string exploratory = table.substr(table.find(": exploratory\n"));
  EXPECT_THAT(line_with(exploratory, {"cosine − none"}), HasSubstr("| a "));
  EXPECT_EQ(line_with(table.substr(0, table.find(": exploratory\n")), {"cosine − none"}), "");
}

TEST_F(Report, ShowsWhatIsMissing) {
  const Scratch dir;
  MadeStudy study({"a", "b"}, {"none", "cosine"});
  study.config.study.baseline = "none";
  for (int64_t seed = 1; seed <= 3; ++seed) {
    study.add({0, 0, 0}, seed, {7 + 0.1 * static_cast<double>(seed)});
    if (seed < 3) study.add({0, 1, 0}, seed, {8 + 0.3 * static_cast<double>(seed)});
  }
  study.results.missing = {
      {"a, cosine, seed 3", StudyArm{0, 1, 0}, "", "exit code 4:\ndiverged", "t", 1, 3},
      {"b, none, seed 1", StudyArm{1, 0, 0}, "other", "no scores", "t", 0, 1},
      {"b, cosine, seed 1", StudyArm{1, 1, 0}, "vbd_test", "not done yet", "t", 1, 1},
      {"teacher t", {}, "", "killed", "t", 1, 1},
      {"search: a, none, seed 101", {}, "", "to run"}};
  const std::string table = write_report(dir.path(), study.config, study.results);
  EXPECT_TRUE(table.starts_with("# made (partial: 5 results are missing)\n")) << table;
  EXPECT_THAT(line_with(table, {"a", "cosine"}), HasSubstr(" 2 of 3 "));
  EXPECT_EQ(packed(line_with(table, {"b", "cosine"})), "| b | cosine | | | 0 of 1 | |");
  EXPECT_THAT(packed(table), Not(HasSubstr("| b | none |")));  // missing on another set only
  EXPECT_THAT(table, AllOf(HasSubstr("- Missing: a, cosine, seed 3: exit code 4: diverged\n"),
                           HasSubstr("- Missing: b, none, seed 1, set other: no scores\n")));
  // The comparison in b is of the family, though nothing is known of it.
  const auto comparisons = summary(dir)["sets"][0]["comparisons"];
  EXPECT_NEAR(comparisons[0]["p_holm"].get<double>(),
              std::min(1.0, 2 * comparisons[0]["metrics"]["si_sdr"]["p_t"].get<double>()), 1e-12);
  EXPECT_EQ(summary(dir)["partial"], true);
  EXPECT_THAT(read_file(dir / "table.tex"),
              HasSubstr("caption{Set vbd\\_test (partial: 5 results are missing). Mean"));
  const std::string csv = read_file(dir / "results.csv");
  for (const char* line : {"a,cosine,,3,1,vbd_test,mean,si_sdr,,missing: exit code 4: diverged",
                           "b,cosine,,1,1,vbd_test,mean,si_sdr,,missing: not done yet",
                           ",teacher t,,,1,vbd_test,mean,si_sdr,,missing: killed"}) {
    EXPECT_THAT(csv, HasSubstr(format("\n%s\n", line)));
  }
  EXPECT_THAT(csv, Not(AnyOf(HasSubstr("\nb,none"), HasSubstr("to run"))));
}

TEST_F(Report, KeepsSweptPointsApart) {
  const Scratch dir;
  MadeStudy study({"a"}, {"none", "cosine"});
  study.config.study.baseline = "none";
  study.results.sweep = {"train.batch_size=8", "train.batch_size=16"};
  for (size_t sweep : {0, 1}) {
    for (int64_t seed = 1; seed <= 2; ++seed) {
      const auto at = static_cast<double>(seed);
      study.add({0, 0, sweep}, seed, {7 + at});
      study.add({0, 1, sweep}, seed, {8 + at + 0.1 * at + static_cast<double>(sweep)});
    }
  }
  const std::string table = write_report(dir.path(), study.config, study.results);
  EXPECT_THAT(line_with(table, {"train.batch_size=8", "cosine − none"}), HasSubstr(" +1.15 ["));
  EXPECT_THAT(line_with(table, {"train.batch_size=16", "cosine − none"}), HasSubstr(" +2.15 ["));
  EXPECT_THAT(read_file(dir / "results.csv"),
              HasSubstr("\na,cosine,train.batch_size=16,2,1,vbd_test,mean,si_sdr,"));
}

/// The students' seeds 1, 2 and 3 with two teachers, of which the second is worth 1 dB more.
MadeStudy two_teachers() {
  MadeStudy study({"a"}, {"none", "cosine"});
  study.config.study.baseline = "none";
  study.config.study.teacher_seeds = {1, 2};
  const double gains[] = {0, 0.3, 0.9};
  for (int64_t teacher = 1; teacher <= 2; ++teacher) {
    study.add_teacher(teacher, {14 + static_cast<double>(teacher)});
    for (int64_t seed = 1; seed <= 3; ++seed) {
      if (teacher == 1) study.add({0, 0, 0}, seed, {7}, 0);  // once for all teachers
      study.add({0, 1, 0}, seed, {8 + gains[seed - 1] + static_cast<double>(teacher)}, teacher);
    }
  }
  return study;
}

TEST_F(Report, DoesNotCountRunsOfOneTeacherAsIndependent) {
  const Scratch dir;
  const MadeStudy study = two_teachers();
  const std::string table = write_report(dir.path(), study.config, study.results);
  EXPECT_EQ(packed(line_with(table, {"none", "7.00 ± 0.00"})),
            "| a | none | 12.3 k | 6.8 | 3 | 7.00 ± 0.00 |");
  EXPECT_THAT(packed(line_with(table, {"a", "cosine"})), HasSubstr(" 6 | 9.90 ± 0.68 "));
  EXPECT_THAT(packed(line_with(table, {"teacher t"})), HasSubstr(" 2 | 15.50 ± 0.71 "));
  // Each pair is a seed, with the mean of its teachers: 2.5, 2.8 and 3.4.
  EXPECT_THAT(packed(line_with(table, {"cosine − none", "+2.90"})),
              HasSubstr("| 3 | +2.90 [+1.76, +4.04] |"));
  EXPECT_THAT(table, HasSubstr("says nothing of other teachers"));
  // Teachers 1 dB apart: variance .5; nothing is left for the rest.
  EXPECT_EQ(packed(line_with(table, {"cosine", "0.71"})),
            "| a | cosine | 2 | 3 | 0.71 | 0.46 | 0.00 |");
  EXPECT_THAT(read_file(dir / "results.csv"), HasSubstr("\na,none,,1,,vbd_test,mean,si_sdr,"));
}

TEST_F(Report, PairsByTeachersWhereThereAreMoreOfThem) {
  const Scratch dir;
  MadeStudy study({"a"}, {"clskd", "cosine"});
  study.config.study.baseline = "clskd";
  study.config.study.teacher_seeds = {1, 2, 3};
  study.config.study.seeds = {5};
  for (int64_t teacher = 1; teacher <= 3; ++teacher) {
    study.add({0, 0, 0}, 5, {7}, teacher);
    study.add({0, 1, 0}, 5, {7 + static_cast<double>(teacher)}, teacher);
  }
  const std::string table = write_report(dir.path(), study.config, study.results);
  EXPECT_THAT(packed(line_with(table, {"cosine − clskd"})),
              HasSubstr("| 3 | +2.00 [-0.48, +4.48] |"));
  EXPECT_THAT(table, HasSubstr("says nothing of other seeds of students"));
}

TEST_F(Report, PairsAsPlannedWhereRunsAreMissing) {
  const Scratch dir;
  MadeStudy study({"a"}, {"clskd", "cosine"});
  study.config.study.baseline = "clskd";
  study.config.study.teacher_seeds = {1, 2, 3};
  for (int64_t teacher = 1; teacher <= 3; ++teacher) {
    for (int64_t seed = 1; seed <= 2; ++seed) {  // of 3
      study.add({0, 0, 0}, seed, {7}, teacher);
      study.add({0, 1, 0}, seed, {7 + static_cast<double>(teacher + seed)}, teacher);
    }
  }
  const std::string table = write_report(dir.path(), study.config, study.results);
  EXPECT_THAT(table, HasSubstr("says nothing of other teachers"));
  const auto set = summary(dir)["sets"][0];
  EXPECT_EQ(set["comparisons"][0]["unit"], "seed");
  EXPECT_EQ(set["comparisons"][0]["units"], (std::vector<int64_t>{1, 2}));
  // Seeds with means of 10 and 11: 12.7062 / 2 to either side.
  EXPECT_NEAR(set["systems"][2]["metrics"]["si_sdr"]["interval95"][0].get<double>(), 4.1469, 1e-4);
}

TEST_F(Report, SaysWhatCountsForEachPair) {
  const Scratch dir;
  MadeStudy study({"a"}, {"none", "plain", "cosine"});
  study.config.methods[1].distill.terms.clear();
  study.config.study.compare = {{"plain", "none"}, {"cosine", "none"}};
  study.config.study.teacher_seeds = {1, 2, 3};
  study.config.study.seeds = {5, 6};
  for (int64_t seed = 5; seed <= 6; ++seed) {
    study.add({0, 0, 0}, seed, {7}, 0);
    study.add({0, 1, 0}, seed, {8}, 0);
    for (int64_t teacher = 1; teacher <= 3; ++teacher) study.add({0, 2, 0}, seed, {9}, teacher);
  }
  const std::string of_teachers = "n counts seeds of teachers";
  const std::string of_none =
      "Where neither method follows a teacher, n counts seeds of students, one run each.";
  EXPECT_THAT(write_report(dir.path(), study.config, study.results),
              AllOf(HasSubstr(of_teachers), HasSubstr(of_none)));
  const auto comparisons = summary(dir)["sets"][0]["comparisons"];
  EXPECT_EQ(comparisons[0]["units"].size(), 2U);
  EXPECT_EQ(comparisons[1]["units"].size(), 3U);
  study.config.study.compare.pop_back();
  EXPECT_THAT(write_report(dir.path(), study.config, study.results),
              AllOf(Not(HasSubstr(of_teachers)), HasSubstr(of_none)));
  study.config.study.compare = {{"cosine", "none"}};
  EXPECT_THAT(write_report(dir.path(), study.config, study.results),
              AllOf(HasSubstr(of_teachers), Not(HasSubstr(of_none))));
}

TEST_F(Report, GivesIntervalsAboutTheMeansThatTheyAreOf) {
  const Scratch dir;
  MadeStudy study = two_teachers();
  std::erase_if(study.results.runs,
                [](const ScoredRun& run) { return run.id == "runs/0/1/0/teacher-2/seed-3"; });
  const std::string table = write_report(dir.path(), study.config, study.results);
  EXPECT_THAT(packed(line_with(table, {"a", "cosine"})), HasSubstr(" 5 | 9.70 ± "));
  // Seeds with means of 9.5, 9.8 and 9.9.
  EXPECT_THAT(packed(table), HasSubstr("| a | cosine | 5 | 9.73 [9.22, 10.25] |"));
  const auto cosine = summary(dir)["sets"][0]["systems"][3]["metrics"]["si_sdr"];
  EXPECT_NEAR(cosine["interval95"][0].get<double>(), 9.2162, 1e-4);
  EXPECT_NEAR(cosine["interval95"][1].get<double>(), 10.2505, 1e-4);
}

TEST_F(Report, EscapesNames) {
  const Scratch dir;
  MadeStudy study({"a|b & 50_%"}, {"none", "*bold* $x$ _y_ <i>"});
  study.config.study.baseline = "none";
  for (int64_t seed = 1; seed <= 2; ++seed) {
    study.add({0, 0, 0}, seed, {7});
    study.add({0, 1, 0}, seed, {7 + static_cast<double>(seed)});
  }
  const std::string table = write_report(dir.path(), study.config, study.results);
  EXPECT_THAT(table, HasSubstr(R"(| a\|b & 50_% | \*bold\* \$x\$ \_y\_ \<i> |)")) << table;
  const Csv csv = read_csv(dir / "results.csv");
  EXPECT_EQ(csv.rows.back()[0], "a|b & 50_%");
  EXPECT_EQ(csv.rows.back()[1], "*bold* $x$ _y_ <i>");
}

TEST_F(Report, TakesTheSameUtterancesOfEveryRun) {
  const Scratch dir;
  MadeStudy study({"a"}, {"none", "cosine"});
  study.add({0, 0, 0}, 1, {7});
  study.add({0, 1, 0}, 1, {8}).label = "the second";
  study.last_scores().rows[3].scores = {NAN};
  study.last_scores().failures = {{"u3", "si_sdr", "silent"}};
  const std::string table = write_report(dir.path(), study.config, study.results);
  EXPECT_THAT(line_with(table, {"a", "none"}), HasSubstr(" 6.95 "));  // 7 + .1 (−1.5 − .5 + .5) / 3
  EXPECT_THAT(table, HasSubstr("- Set vbd_test, SI-SDR (dB): means over 3 of 4 utterances"));
  const std::string csv = read_file(dir / "results.csv");
  EXPECT_THAT(csv, AllOf(HasSubstr(",u3,si_sdr,7.15,not in the mean: another run has no score\n"),
                         HasSubstr(",u3,si_sdr,,no score\n")));
}

TEST_F(Report, ListsEveryValue) {
  const Scratch dir;
  const MadeStudy study = three_seeds();
  write_report(dir.path(), study.config, study.results);
  const std::string csv = read_file(dir / "results.csv");
  EXPECT_TRUE(
      csv.starts_with("scenario,method,sweep,seed,teacher_seed,set,utterance,metric,value,"
                      "note\n,noisy,,,,vbd_test,mean,si_sdr,3,\n,noisy,,,,vbd_test,u0,"))
      << csv;
  EXPECT_THAT(csv, HasSubstr("\ncausal student,cosine,,2,1,vbd_test,mean,si_sdr,10,\n"));
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 1 + 7 * (1 + 4));
}

TEST_F(Report, SaysWhatMakesRunsLessComparable) {
  const Scratch dir;
  MadeStudy study = three_seeds();
  study.results.runs[1].skipped_steps = 2;
  for (ScoredRun& run : study.results.runs) run.environment = {{"threads", "1"}};
  study.results.runs[0].environment["threads"] = "4";
  study.results.runs[2].environment.clear();
  study.results.tables["vbd_test"].runs[0].environment = {{"device", "cpu"}};
  study.results.unfair = {"causal student, seed 2: other initial weights"};
  study.results.notes["vbd_test"] = {"LEAK ALLOWED: p232"};
  const std::string table = write_report(dir.path(), study.config, study.results);
  EXPECT_THAT(line_with(table, {"causal student", "cosine"}), HasSubstr(" 3 † "));
  EXPECT_THAT(
      table,
      AllOf(HasSubstr("\n**Unfair arms: see Notes.**\n"), HasSubstr("\n**LEAK ALLOWED: p232**\n"),
            HasSubstr("- Unfair: causal student, seed 2: other initial weights\n"),
            HasSubstr("seed 1: 2 training steps were skipped"),
            HasSubstr("- Students were trained in different environments: threads differs: 1 ("),
            Not(HasSubstr("device differs"))));  // known of one
  const std::string csv = read_file(dir / "results.csv");
  EXPECT_THAT(csv, HasSubstr(",mean,si_sdr,8,LEAK ALLOWED: p232; 2 training steps were skipped\n"));
  const std::string tex = read_file(dir / "table.tex");
  const std::string reserve =
      "set vbd\\_test. Unfair arms: see the notes of table.md. LEAK ALLOWED: p232. "
      "Mean";
  EXPECT_THAT(tex, AllOf(HasSubstr("caption{S" + reserve.substr(1)),
                         HasSubstr("caption{Differences in SI-SDR (dB), " + reserve)));
}

TEST_F(Report, ShowsTheSearch) {
  const Scratch dir;
  MadeStudy study = three_seeds();
  study.results.searches = {
      {"causal student",
       "cosine",
       "pesq_wb",
       true,
       {{"target=0.25", {2.1, 2.3}}, {"target=0.5", {2.4, NAN}}, {"target=1", {2, 2}}},
       1}};
  const std::string table = write_report(dir.path(), study.config, study.results);
  EXPECT_EQ(packed(line_with(table, {"target=0.5"})),
            "| causal student | cosine | target=0.5 | pesq_wb | 3 | 1 | 2.4000 | 2.4000, 2.0000 |");
  const auto search = summary(dir)["searches"][0];
  EXPECT_EQ(search["chosen"], "target=0.5");
  EXPECT_TRUE(search["points"][1]["values"][1].is_null());
}

TEST_F(Report, WarnsOfFewSpeakers) {
  const Scratch dir;
  MadeStudy study = three_seeds();
  EXPECT_THAT(write_report(dir.path(), study.config, study.results),
              HasSubstr("**2 test speakers do not stand for others"));
  for (RunResults& run : study.results.tables["vbd_test"].runs) {
    const UtteranceScores row = run.rows[0];
    for (int i = 0; i < 12; ++i) {
      run.rows.push_back(row);
      run.rows.back().id = "further " + std::to_string(i);
      run.rows.back().condition.speaker = "speaker " + std::to_string(i);
    }
  }
  const std::string table = write_report(dir.path(), study.config, study.results);
  EXPECT_THAT(table, Not(HasSubstr("do not stand for others")));
  EXPECT_THAT(packed(line_with(table, {"cosine − none", "14"})),
              HasSubstr("| 3 | 14 | 16 | +2.00 ["));
}

TEST_F(Report, ShowsInterquartileMeansOfFiveSeeds) {
  const Scratch dir;
  MadeStudy study({"a"}, {"none"});
  for (int64_t seed = 1; seed <= 5; ++seed) {
    study.add({0, 0, 0}, seed, {seed == 5 ? 100.0 : static_cast<double>(seed)});
  }
  const std::string table = write_report(dir.path(), study.config, study.results);
  // 2, 3 and 4 are left.
  EXPECT_THAT(packed(line_with(table, {"a", "none", "5", "3.00"})),
              HasSubstr("| 5 | 22.00 [-32.16, "));
}

/// Columns of the lines between two rules of a table of LaTeX.
std::set<size_t> columns_of(const std::string& tex) {
  std::set<size_t> counts;
  std::istringstream lines(tex);
  for (std::string line; std::getline(lines, line);) {
    if (!line.ends_with("\\\\")) continue;
    size_t count = 1;
    for (size_t i = 1; i < line.size(); ++i) count += line[i] == '&' && line[i - 1] != '\\';
    counts.insert(count);
  }
  return counts;
}

MadeStudy with_every_sign() {
  MadeStudy study({"a & b_c %d #e {f} [g] ~h^ é 漢"}, {"none", "*x* $y$ \\z <λ>"});
  study.config.study.baseline = "none";
  for (int64_t seed = 1; seed <= 2; ++seed) {
    study.add({0, 0, 0}, seed, {7});
    study.add({0, 1, 0}, seed, {7 - static_cast<double>(seed)});
  }
  return study;
}

TEST_F(Report, GivesTablesOfLatex) {
  const Scratch dir;
  const MadeStudy study = with_every_sign();
  write_report(dir.path(), study.config, study.results);
  const std::string tex = read_file(dir / "table.tex");
  EXPECT_THAT(
      tex,
      HasSubstr(R"(    a \& b\_c \%d \#e \{f\} {[}g{]} \textasciitilde{}h\textasciicircum{} é ? & )"
                R"({*}x{*} \$y\$ \textbackslash{}z $<$$\lambda$$>$ & 12.3 k & 6.8 & 2 & )"
                R"($5.50 \pm 0.71$ \\)"))
      << tex;
  EXPECT_THAT(tex, HasSubstr(R"(\begin{tabular}{llrrrr})"));  // means: one metric
  EXPECT_THAT(tex, HasSubstr(R"(& 2 & $-1.50\ [-7.85, +4.85]$ & $0.205$ & $0.205$ \\)")) << tex;
  EXPECT_EQ(columns_of(tex), (std::set<size_t>{6}));
  EXPECT_EQ(std::count(tex.begin(), tex.end(), '{'), std::count(tex.begin(), tex.end(), '}'));
}

TEST(ReportPictures, ArePngsTooWhereTheyCanBeDrawn) {
  if (!can_draw_png()) GTEST_SKIP() << "no rsvg-convert";
  const Scratch dir;
  const MadeStudy study = three_seeds();
  write_report(dir.path(), study.config, study.results);
  EXPECT_TRUE(read_file(dir / "figures" / "vbd_test-seeds.png").starts_with("\x89PNG"));
}

TEST(ReportTex, IsTakenByLatex) {
  if (std::system("command -v pdflatex >/dev/null 2>&1") != 0) GTEST_SKIP() << "no pdflatex";
  const Scratch dir;
  const MadeStudy study = with_every_sign();
  write_report(dir.path(), study.config, study.results);
  dir.put("paper.tex",
          "\\documentclass{article}\\usepackage[utf8]{inputenc}\\usepackage[T1]{fontenc}"
          "\\usepackage{booktabs}\\begin{document}\\input{table}\\end{document}\n");
  const std::string command =
      "cd '" + dir.path().string() + "' && pdflatex -halt-on-error paper.tex >log.txt 2>&1";
  EXPECT_EQ(std::system(command.c_str()), 0) << read_file(dir / "log.txt");
  EXPECT_TRUE(std::filesystem::exists(dir / "paper.pdf"));
}

TEST_F(Report, DrawsFigures) {
  const Scratch dir;
  const MadeStudy study = three_seeds();
  write_report(dir.path(), study.config, study.results);
  for (const char* name : {"seeds", "differences", "parameters", "macs"}) {
    const std::string svg = read_file(dir / "figures" / ("vbd_test-" + std::string(name) + ".svg"));
    EXPECT_TRUE(svg.starts_with("<svg ")) << name;
    EXPECT_THAT(svg, HasSubstr("SI-SDR (dB)")) << name;
    EXPECT_THAT(svg, Not(ContainsRegex("[^a-z](nan|inf)[^a-z]"))) << name;
  }
  EXPECT_FALSE(std::filesystem::exists(dir / "figures" / "trainings.svg"));  // there are none
}

}  // namespace
}  // namespace limbeck::test
