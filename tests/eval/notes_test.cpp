#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "eval/results.h"
#include "eval/runs.h"
#include "eval/support.h"
#include "limbeck/core/csv.h"
#include "limbeck/eval/compare.h"

namespace limbeck::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Evaluation noted(const std::vector<std::string>& notes) {
  Evaluation e{select_metrics({"si_sdr"}), {{"x", 1, {}, {}, {8}, {3}}}, {}};
  e.notes = notes;
  return e;
}

TEST(Notes, StandInEveryResult) {
  const TempDir folder;
  const std::string leak = "LEAK ALLOWED: 1 file (x) of test in train";
  const Evaluation written = noted({"partial set: 1 of 2", leak});
  write_evaluation(folder.path(), written, "system", "{}");
  EXPECT_THAT(score_table(written, "system"),
              HasSubstr("|\n\n**partial set: 1 of 2**\n**" + leak + "**\n"));
  EXPECT_THAT(read_file(folder / "table.md"), HasSubstr(leak));
  const auto summary = nlohmann::json::parse(read_file(folder / "summary.json"));
  EXPECT_EQ(summary["notes"], nlohmann::json({"partial set: 1 of 2", leak}));
  const Csv csv = read_csv(folder / "per_utterance.csv");
  EXPECT_EQ(csv.header.back(), "note");
  EXPECT_EQ(csv.rows[0].back(), "partial set: 1 of 2; " + leak);
  Evaluation back;
  ASSERT_TRUE(read_evaluation(folder.path(), "{}", written.metrics, back));
  EXPECT_EQ(back.notes, written.notes);

  write_evaluation(folder / "clean", noted({}), "system", "{}");
  EXPECT_THAT(read_file(folder / "clean/per_utterance.csv"), Not(HasSubstr("note")));
  const Comparison comparison =
      compare_results((folder / "clean").string(), folder.path().string(), "", 1);
  EXPECT_THAT(comparison_text(comparison, "a", "b"),
              HasSubstr("\n**B: partial set: 1 of 2; " + leak));
  EXPECT_THAT(comparison_json(comparison), HasSubstr(leak));
}

TEST(Notes, OfRunsSayOfWhich) {
  RunTable table(select_metrics({"si_sdr"}));
  table.add("s1", noted({"partial set: 1 of 2"}));
  table.add("s2", noted({"partial set: 1 of 2", "LEAK ALLOWED: a"}));
  table.add("s3", noted({"partial set: 1 of 2", "LEAK ALLOWED: a"}));
  EXPECT_THAT(table.markdown(),
              HasSubstr("\n**partial set: 1 of 2**\n**s2, s3: LEAK ALLOWED: a**\n"));
  EXPECT_EQ(table.summary()["notes"],
            nlohmann::json({"partial set: 1 of 2", "s2, s3: LEAK ALLOWED: a"}));
}

}  // namespace
}  // namespace limbeck::test
