#include "limbeck/data/training_record.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "limbeck/core/error.h"
#include "support.h"

namespace limbeck {
namespace {

using test::message_of;
using test::put_text;
using test::TempDir;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

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
  EXPECT_TRUE(read.same_data(record));
  EXPECT_EQ(read.teacher, record.teacher);
  EXPECT_EQ(read.notes, record.notes);
  EXPECT_TRUE(read.teacher_unknown);
  EXPECT_EQ(read.protocol_hash, record.protocol_hash);
}

TEST(TrainingRecord, KeepsFileNamesThatAreNoUtf8AsWellAsItCan) {
  TrainingRecord record = made();
  record.train[0].stem = "caf\xe9";
  const TrainingRecord read = TrainingRecord::parse(record.text(), "data.json");
  EXPECT_EQ(read.train[0].stem, "caf\xef\xbf\xbd");
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

TEST(TrainingRecord, TellsOtherDataFromTheSame) {
  TrainingRecord other = made();
  other.notes = {};
  other.source = "moved/p.yaml";
  EXPECT_TRUE(made().same_data(other));
  std::swap(other.train[0], other.train[1]);
  EXPECT_FALSE(made().same_data(other));
  other = made();
  other.valid[0].hash[0] = '0';
  EXPECT_FALSE(made().same_data(other));
}

TEST(TrainingRecord, IsFoundFromAModelFile) {
  const TempDir dir;
  const auto model = dir / "run/checkpoints/step-00000008/model.safetensors";
  put_text(model, "");
  EXPECT_FALSE(TrainingRecord::of_model(model));
  put_text(dir / "run/data.json", made().text());
  EXPECT_TRUE(TrainingRecord::of_model(model)->same_data(made()));
  put_text(dir / "copy/model.safetensors", "");
  EXPECT_FALSE(TrainingRecord::of_model(dir / "copy/model.safetensors"));
  put_text(dir / "copy/data.json", made().text());
  EXPECT_TRUE(TrainingRecord::of_model(dir / "copy/model.safetensors"));
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

}  // namespace
}  // namespace limbeck
