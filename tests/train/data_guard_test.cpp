#include "train/data_guard.h"

#include <gmock/gmock.h>

#include "data/support.h"
#include "limbeck/core/error.h"
#include "limbeck/train/config.h"

namespace limbeck::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

ManifestEntry entry(const std::string& name, const std::string& speaker, char hash) {
  ManifestEntry made;
  made.id = name;
  made.audio = {name + ".flac", std::string(32, hash)};
  made.speaker = speaker;
  made.samples = 16000;
  made.rate_hz = 16000;
  return made;
}

class Guard : public testing::Test {
 protected:
  Guard() {
    data_.source = "speech.csv";
    data_.train.speech = {entry("a", "ann", '1'), entry("b", "bob", '2')};
    data_.valid.speech = {entry("c", "ann", '3')};
    data_.test.speech = {entry("d", "dan", '4')};
  }

  TrainingRecord guard(bool allow = false) { return guard_data(data_, teacher_, allow, quiet_); }
  /// A trained teacher that saw one more file.
  void put_teacher(const ManifestEntry& seen) {
    DataSelection of_teacher = data_;
    of_teacher.train.speech.push_back(seen);
    teacher_ = dir_ / "teacher/checkpoints/step-00000001/model.safetensors";
    put_text(*teacher_, "");
    put_text(dir_ / "teacher/data.json", TrainingRecord(of_teacher).text());
  }

  TempDir dir_;
  Logger quiet_{Verbosity::quiet};
  DataSelection data_;
  std::optional<std::filesystem::path> teacher_;
};

TEST_F(Guard, LetsCleanDataPassAndRecordsIt) {
  const TrainingRecord record = guard();
  EXPECT_EQ(record.train.size(), 2U);
  EXPECT_EQ(record.valid.size(), 1U);
  EXPECT_THAT(record.teacher, IsEmpty());
  EXPECT_THAT(record.notes, IsEmpty());
  EXPECT_FALSE(record.teacher_unknown);
}

TEST_F(Guard, RefusesALeakOrMarksTheRecord) {
  data_.valid.speech[0].audio.hash = data_.train.speech[1].audio.hash;
  data_.test.speech[0].speaker = "bob";
  const std::string message = message_of<DataError>([&] { guard(); });
  EXPECT_THAT(message, HasSubstr("c of valid has the samples of b of train"));
  EXPECT_THAT(message, HasSubstr("speaker bob is in test (1 ×) and in train (1 ×)"));
  EXPECT_THAT(guard(true).notes,
              ElementsAre("LEAK ALLOWED: 1 speaker (bob) of test in train; 1 file (c) of valid in "
                          "train"));
}

TEST_F(Guard, HoldsTheTestSetAgainstWhatTheTeacherSaw) {
  put_teacher(entry("e", "eve", '5'));
  const TrainingRecord record = guard();
  ASSERT_EQ(record.teacher.size(), 1U);
  EXPECT_EQ(record.teacher[0].id, "e");
  put_teacher(data_.test.speech[0]);
  EXPECT_THAT(message_of<DataError>([&] { guard(); }),
              HasSubstr("d of test has the samples of d of the teacher's data"));
}

TEST_F(Guard, SaysThatNothingIsKnownOfABareTeacher) {
  teacher_ = dir_ / "model.safetensors";
  put_text(*teacher_, "");
  EXPECT_TRUE(guard().teacher_unknown);
}

struct Config {
  RunOptions run;
  void describe(config::Visitor& v) { v.section("run", run, "where and how"); }
};

TEST_F(Guard, ARunGoesOnOnlyOnTheDataThatItWasBegunOn) {
  Config config;
  config.run.dir = (dir_ / "run").string();
  const RunDir run = open_run_dir(config.run.dir, config, false);
  keep_record(run, guard());
  const std::string first = read_file(dir_ / "run/data.json");
  EXPECT_EQ(TrainingRecord::parse(first, "data.json").text(), guard().text());

  data_.source = "moved/speech.csv";
  data_.test.speech.clear();  // plays no part in training
  keep_record(run, guard());
  EXPECT_THAT(read_file(dir_ / "run/data.json"), HasSubstr("moved/speech.csv"));

  std::swap(data_.train.speech[0], data_.train.speech[1]);  // other files are drawn
  EXPECT_THAT(message_of<DataError>([&] { keep_record(run, guard()); }),
              HasSubstr("was begun on other files than moved/speech.csv lists now"));
}

}  // namespace
}  // namespace limbeck::test
