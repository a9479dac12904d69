#include "limbeck/data/training_record.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "limbeck/core/error.h"
#include "support.h"

namespace limbeck {
namespace {

using test::message_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Fingerprint print(const std::string& stem, const std::string& speaker, char hash) {
  return {"set/" + stem, stem, speaker, std::string(32, hash), std::string(32, 'f'), 0.1, false};
}

TrainingRecord made() {
  TrainingRecord record;
  record.source = "p.yaml";
  record.protocol = "made";
  record.protocol_hash = std::string(32, '9');
  record.notes = {"partial set: 1 of 2 (made)"};
  record.train = {print("a", "ann", '1'), print("b", "", '2')};
  record.valid = {print("c", "ann", '3')};
  record.valid[0].is_noise = true;
  record.valid[0].noisy_hash = "";
  return record;
}

TEST(TrainingRecord, ReadsWhatItWrites) {
  TrainingRecord record = made();
  record.teacher = {print("t", "tom", '4')};
  record.teacher_unknown = true;
  const TrainingRecord read = TrainingRecord::parse(record.text(), "data.json");
  EXPECT_EQ(read.text(), record.text());
  EXPECT_EQ(read.train, record.train);
  EXPECT_EQ(read.valid, record.valid);
  EXPECT_EQ(read.teacher, record.teacher);
  EXPECT_EQ(read.notes, record.notes);
  EXPECT_TRUE(read.teacher_unknown);
  EXPECT_EQ(read.protocol_hash, record.protocol_hash);
}

TEST(TrainingRecord, KeepsFileNamesThatAreNoUtf8) {
  TrainingRecord record = made();
  record.train[0].id = "set/caf\xe9";
  record.train[0].stem = "caf\xe9";
  record.train[0].speaker = R"(\xe9)";
  const TrainingRecord read = TrainingRecord::parse(record.text(), "data.json");
  EXPECT_EQ(read.train, record.train);
}

TEST(TrainingRecord, RefusesWhatItCannotUnderstand) {
  EXPECT_THAT(message_of<DataError>([] { TrainingRecord::parse("{", "r/data.json"); }),
              HasSubstr("r/data.json: is no record of training data"));
  EXPECT_THAT(
      message_of<DataError>([] { TrainingRecord::parse("{\"format\": 1}", "r/data.json"); }),
      HasSubstr("r/data.json: is no record of training data"));
  auto other = nlohmann::json::parse(made().text());
  other["format"] = 2;
  EXPECT_THAT(message_of<DataError>([&] { TrainingRecord::parse(other.dump(), "r/data.json"); }),
              HasSubstr("r/data.json: another format version"));
}

TEST(TrainingRecord, TakesOverWhatTheTeacherSawOnce) {
  TrainingRecord student = made();
  TrainingRecord teacher = made();
  teacher.train.push_back(print("x", "xan", '5'));
  teacher.teacher = {print("y", "yan", '6')};
  teacher.notes.push_back("LEAK ALLOWED: 1 file");
  teacher.teacher_unknown = true;
  student.inherit(teacher);
  EXPECT_THAT(student.teacher, ElementsAre(print("x", "xan", '5'), print("y", "yan", '6')));
  EXPECT_THAT(student.notes,
              ElementsAre("partial set: 1 of 2 (made)", "teacher: LEAK ALLOWED: 1 file"));
  EXPECT_TRUE(student.teacher_unknown);
  TrainingRecord of_bare_teacher = made();
  of_bare_teacher.inherit(std::nullopt);
  EXPECT_TRUE(of_bare_teacher.teacher_unknown);
  const auto leaks = student.leaks_into({print("z", "yan", '6')});
  ASSERT_EQ(leaks.size(), 2U);
  EXPECT_EQ(leaks[0].text, "set/z of test has the samples of set/y of the teacher's data");
  EXPECT_EQ(leaks[1].text, "speaker yan is in test (1 ×) and in the teacher's data (1 ×)");
}

TEST(TrainingRecord, LetsTrainAndValidShareSpeakersButNotFiles) {
  TrainingRecord record = made();
  record.valid = {print("d", "ann", '3')};
  record.valid[0].noisy_hash = "";
  EXPECT_TRUE(record.leaks_within().empty());
  record.valid[0].hash = record.train[1].hash;
  ASSERT_EQ(record.leaks_within().size(), 1U);
  EXPECT_EQ(record.leaks_within()[0].text, "set/d of valid has the samples of set/b of train");
}

ManifestEntry entry(const std::string& name, const std::string& speaker, char hash) {
  ManifestEntry made;
  made.id = name;
  made.audio = {"clean/" + name + ".wav", std::string(32, hash)};
  made.speaker = speaker;
  made.samples = 16000;
  made.rate_hz = 16000;
  return made;
}

/// Data that shares nothing, with a teacher that saw more.
class RecordedTraining : public ::testing::Test {
 protected:
  RecordedTraining() {
    data_.source = "speech.csv";
    data_.train.speech = {entry("a", "ann", '1'), entry("b", "bob", '2')};
    data_.valid.speech = {entry("c", "ann", '3')};
    data_.test.speech = {entry("d", "dan", '4')};
  }

  TrainingRecord checked(bool allow = false) {
    TrainingRecord record(data_);
    if (!teacher_.train.empty()) record.inherit(teacher_);
    refuse_leaks(record, data_, allow, quiet_);
    return record;
  }

  Logger quiet_{Verbosity::quiet};
  DataSelection data_;
  TrainingRecord teacher_;
};

TEST_F(RecordedTraining, PassesWhereNothingLeaks) {
  const TrainingRecord record = checked();
  EXPECT_EQ(record.train.size(), 2U);
  EXPECT_EQ(record.valid.size(), 1U);
  EXPECT_THAT(record.teacher, IsEmpty());
  EXPECT_THAT(record.notes, IsEmpty());
  EXPECT_FALSE(record.teacher_unknown);
}

TEST_F(RecordedTraining, IsRefusedWithALeakOrMarked) {
  data_.valid.speech[0].audio.hash = data_.train.speech[1].audio.hash;
  data_.test.speech[0].speaker = "bob";
  const std::string message = message_of<DataError>([&] { checked(); });
  EXPECT_THAT(message, HasSubstr("c of valid has the samples of b of train"));
  EXPECT_THAT(message, HasSubstr("speaker bob is in test (1 ×) and in train (1 ×)"));
  EXPECT_THAT(checked(true).notes,
              ElementsAre("LEAK ALLOWED: 1 speaker (bob) of test in train; 1 file (c) of valid in "
                          "train"));
}

TEST_F(RecordedTraining, IsHeldAgainstWhatTheTeacherSaw) {
  teacher_.train = fingerprints({entry("e", "eve", '5')});
  ASSERT_EQ(checked().teacher.size(), 1U);
  EXPECT_EQ(checked().teacher[0].id, "e");
  teacher_.train = fingerprints(data_.test.speech);
  EXPECT_THAT(message_of<DataError>([&] { checked(); }),
              HasSubstr("d of test has the samples of d of the teacher's data"));
}

class NotesOnATestSet : public ::testing::Test {
 protected:
  NotesOnATestSet() {
    set_.pairs.kind = Manifest::Kind::pairs;
    set_.pairs.path = "test.csv";
    set_.pairs.entries = {entry("x", "tom", '1'), entry("y", "tim", '2')};
    data_.train.pairs = {entry("a", "ann", '3')};
    data_.valid.pairs = {entry("b", "bob", '4')};
  }

  std::vector<std::string> notes(bool allow = false) {
    return notes_on(set_, "the model", record_, allow, quiet_);
  }

  Logger quiet_{Verbosity::quiet};
  TestSet set_;
  DataSelection data_;
  std::optional<TrainingRecord> record_;
};

TEST_F(NotesOnATestSet, LetsASetPassThatWasNotSeen) {
  record_ = TrainingRecord(data_);
  EXPECT_THAT(notes(), IsEmpty());
}

TEST_F(NotesOnATestSet, RefusesWhatTrainingOrValidationOrTheTeacherSaw) {
  TrainingRecord record(data_);
  record.train.push_back(fingerprints({entry("moved", "ann", '1')})[0]);
  record.valid[0].speaker = "tim";
  record.teacher = fingerprints({entry("y", "tim", '5')});
  record_ = record;
  const std::string message = message_of<DataError>([&] { notes(); });
  EXPECT_TRUE(message.starts_with("the model against test.csv: ")) << message;
  EXPECT_THAT(message, HasSubstr("x of test has the samples of moved of train"));
  EXPECT_THAT(message, HasSubstr("y of test has the name and speaker of y of the teacher's data"));
  EXPECT_THAT(message, HasSubstr("speaker tim is in test (1 ×) and in valid (1 ×)"));
  EXPECT_THAT(notes(true),
              ElementsAre("LEAK ALLOWED: 1 file (y) and 1 speaker (tim) of test in the teacher's "
                          "data; 1 file (x) of test in train; 1 speaker (tim) of test in valid"));
}

TEST_F(NotesOnATestSet, SaysWhatHasToBeSaidOfSetAndTrainingOnce) {
  TrainingRecord record(data_);
  record.notes = {"partial set: 1 of 2 (made)", "LEAK ALLOWED: 1 file (b) of valid in train"};
  record_ = record;
  set_.notes = {"partial set: 1 of 2 (made)"};
  EXPECT_THAT(notes(), ElementsAre("partial set: 1 of 2 (made)",
                                   "training: LEAK ALLOWED: 1 file (b) of valid in train"));
}

TEST_F(NotesOnATestSet, SaysWhereNothingIsKnown) {
  Logger normal;
  ::testing::internal::CaptureStderr();
  notes_on(set_, "the model", record_, false, normal);
  TrainingRecord record(data_);
  record.teacher_unknown = true;
  record_ = record;
  notes_on(set_, "the model", record_, false, normal);
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(said, HasSubstr("nothing is known of what it was trained on"));
  EXPECT_THAT(said, HasSubstr("nothing is known of what its teacher was trained on"));
}

}  // namespace
}  // namespace limbeck
