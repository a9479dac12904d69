#include "eval/guard.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "eval/results.h"
#include "eval/runs.h"
#include "eval/support.h"
#include "limbeck/core/csv.h"
#include "limbeck/core/error.h"
#include "limbeck/data/training_record.h"
#include "limbeck/eval/compare.h"

namespace limbeck::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

ManifestEntry entry(const std::string& name, const std::string& speaker, char hash) {
  ManifestEntry made;
  made.id = name;
  made.audio = {"clean/" + name + ".wav", std::string(32, hash)};
  made.speaker = speaker;
  made.samples = 16000;
  made.rate_hz = 16000;
  return made;
}

class EvaluationGuard : public testing::Test {
 protected:
  EvaluationGuard() {
    put_text(model_, "");
    set_.pairs.kind = Manifest::Kind::pairs;
    set_.pairs.path = "test.csv";
    set_.pairs.entries = {entry("x", "tom", '1'), entry("y", "tim", '2')};
    data_.train.pairs = {entry("a", "ann", '3')};
    data_.valid.pairs = {entry("b", "bob", '4')};
  }

  std::vector<std::string> guard(bool allow = false) {
    return guard_model(model_, set_, allow, quiet_);
  }
  void put_record(const TrainingRecord& record) { put_text(dir_ / "data.json", record.text()); }

  TempDir dir_;
  std::filesystem::path model_ = dir_ / "checkpoints/step-00000001/model.safetensors";
  Logger quiet_{Verbosity::quiet};
  TestSet set_;
  DataSelection data_;
};

TEST_F(EvaluationGuard, LetsASetPassThatWasNotSeen) {
  put_record(TrainingRecord(data_));
  EXPECT_THAT(guard(), IsEmpty());
}

TEST_F(EvaluationGuard, RefusesWhatTrainingOrValidationOrTheTeacherSaw) {
  TrainingRecord record(data_);
  record.train.push_back(fingerprints({entry("moved", "ann", '1')})[0]);
  record.valid[0].speaker = "tim";
  record.teacher = fingerprints({entry("y", "tim", '5')});
  put_record(record);
  const std::string message = message_of<DataError>([&] { guard(); });
  EXPECT_TRUE(message.starts_with(model_.string() + " against test.csv: ")) << message;
  EXPECT_THAT(message, HasSubstr("x of test has the samples of moved of train"));
  EXPECT_THAT(message, HasSubstr("y of test has the name and speaker of y of the teacher's data"));
  EXPECT_THAT(message, HasSubstr("speaker tim is in test (1 ×) and in valid (1 ×)"));
  EXPECT_THAT(guard(true),
              ElementsAre("LEAK ALLOWED: 1 file (y) and 1 speaker (tim) of test in the teacher's "
                          "data; 1 file (x) of test in train; 1 speaker (tim) of test in valid"));
}

TEST_F(EvaluationGuard, SaysWhatHasToBeSaidOfSetAndTrainingOnce) {
  TrainingRecord record(data_);
  record.notes = {"partial set: 1 of 2 (made)", "LEAK ALLOWED: 1 file (b) of valid in train"};
  put_record(record);
  set_.notes = {"partial set: 1 of 2 (made)"};
  EXPECT_THAT(guard(), ElementsAre("partial set: 1 of 2 (made)",
                                   "training: LEAK ALLOWED: 1 file (b) of valid in train"));
}

TEST_F(EvaluationGuard, SaysWhereNothingIsKnown) {
  Logger normal;
  testing::internal::CaptureStderr();
  guard_model(model_, set_, false, normal);
  TrainingRecord record(data_);
  record.teacher_unknown = true;
  put_record(record);
  guard_model(model_, set_, false, normal);
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_THAT(said, HasSubstr("nothing is known of what it was trained on"));
  EXPECT_THAT(said, HasSubstr("nothing is known of what its teacher was trained on"));
}

Evaluation noted(const std::vector<std::string>& notes) {
  Evaluation e{build_metrics({"si_sdr"}), {{"x", 1, {}, {}, {8}, {3}}}, {}};
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
  RunTable table(build_metrics({"si_sdr"}));
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
