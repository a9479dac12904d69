#include "limbeck/corpus/doctor.h"

#include <gmock/gmock.h>

#include "corpus/made_voicebank.h"
#include "limbeck/core/error.h"
#include "limbeck/corpus/voicebank_demand.h"
#include "limbeck/data/protocol.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;
using test::message_of;
using test::put_audio;
using test::put_text;
using test::white;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A prepared set that is sound until a test breaks it.
class DoctorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    test::MadeVoiceBank().write_folders(dir_ / "source");
    prepare_voicebank_demand({dir_ / "source", set(), true, 2}, logger_);
  }

  fs::path set() const { return dir_ / "set"; }
  Checkup check(const fs::path& path) { return check_data(path, 2, logger_); }
  Checkup check() { return check(set()); }

  /// "file below the set: reason"
  std::vector<std::string> problems(const Checkup& checkup) const {
    std::vector<std::string> all;
    for (const Problem& problem : checkup.problems) {
      const fs::path file = problem.file;
      all.push_back((file.is_absolute() ? file.lexically_relative(set()) : file).string() + ": " +
                    problem.reason);
    }
    return all;
  }

  void replace(const std::string& name, const std::string& from, const std::string& to) const {
    std::string text = read_file(set() / name);
    const size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    put_text(set() / name, text.replace(at, from.size(), to));
  }

  test::TempDir dir_;
  Logger logger_{Verbosity::quiet};
};

TEST_F(DoctorTest, FindsASoundSetSound) {
  for (const fs::path& path : {set(), set() / "protocol.yaml"}) {
    const Checkup checkup = check(path);
    EXPECT_EQ(checkup.subject, (set() / "protocol.yaml").string());
    EXPECT_THAT(checkup.faults, IsEmpty());
    EXPECT_THAT(problems(checkup), IsEmpty());
    EXPECT_THAT(checkup.remarks,
                ElementsAre("partial set: train 4 of 10802, valid 4 of 770, test 4 of 824 "
                            "(voicebank-demand)"));
    EXPECT_EQ(checkup.entries, 12);
    EXPECT_EQ(checkup.files, 24);
  }
  const Checkup manifest = check(set() / "train.csv");
  EXPECT_THAT(manifest.faults, IsEmpty());
  EXPECT_THAT(manifest.problems, IsEmpty());
  EXPECT_EQ(manifest.files, 8);
  fs::rename(set(), dir_ / "moved");
  EXPECT_THAT(check(dir_ / "moved").faults, IsEmpty());
  EXPECT_THAT(check(dir_ / "moved").problems, IsEmpty());
}

TEST_F(DoctorTest, NamesEveryFileThatIsNotAsListed) {
  fs::remove(set() / "test/clean/p232_001.flac");
  const auto kept = read_audio(set() / "test/clean/p232_023.flac").samples;
  auto changed = kept;
  changed[100] += 1.0F / 32768;  // by one step
  put_audio(set() / "test/clean/p232_023.flac", changed);
  auto cut = read_audio(set() / "test/clean/p257_001.flac").samples;
  cut.pop_back();
  put_audio(set() / "test/clean/p257_001.flac", cut);
  put_audio(set() / "test/noisy/p257_023.flac",
            read_audio(set() / "test/noisy/p257_023.flac").samples, 48000);
  const std::string bytes = read_file(set() / "train/noisy/p227_001.flac");
  put_text(set() / "train/noisy/p227_001.flac", bytes.substr(0, bytes.size() / 2));
  put_audio(set() / "valid/clean/p226_999.flac", white(100, 1));
  const Checkup checkup = check();
  EXPECT_THAT(checkup.faults, IsEmpty());
  EXPECT_THAT(
      problems(checkup),
      ElementsAre("test/clean/p232_001.flac: does not exist",
                  "test/clean/p232_023.flac: has other samples than the manifest's hash says",
                  "test/clean/p257_001.flac: has " + std::to_string(cut.size()) +
                      " samples where the manifest says " + std::to_string(cut.size() + 1),
                  "test/noisy/p257_023.flac: has 48000 Hz where the manifest says 16000 Hz",
                  HasSubstr("train/noisy/p227_001.flac: ends after "),
                  "valid/clean/p226_999.flac: is in no manifest of the set"));
  EXPECT_THAT(problems(check(set() / "test.csv")), ::testing::SizeIs(4));
}

TEST_F(DoctorTest, NoticesThatAManifestChanged) {
  replace("train.csv", ",p227,", ",p228,");
  EXPECT_THAT(check().faults, ElementsAre((set() / "train.csv").string() + ": changed since " +
                                          (set() / "protocol.yaml").string() + " was locked"));
  fs::remove(set() / "train.csv");
  EXPECT_THAT(check().faults, ElementsAre(HasSubstr("train.csv: cannot be read")));
  put_text(set() / "train.csv", "id,path\n");
  EXPECT_THAT(check().faults, ElementsAre(HasSubstr("train.csv:1: column ")));
}

TEST_F(DoctorTest, NoticesSpeakersAndFilesOnTwoSides) {
  // p286 of train becomes p232 of test, and one pair of test is one of train.
  std::string train = read_file(set() / "train.csv");
  for (size_t at = 0; (at = train.find(",p286,", at)) != std::string::npos; ++at) {
    train.replace(at, 6, ",p232,");
  }
  put_text(set() / "train.csv", train);
  const Manifest manifest = Manifest::read(set() / "train.csv");
  Manifest test = Manifest::read(set() / "test.csv");
  test.entries[0] = manifest.entries[0];
  test.entries[0].id = "p257_777";
  test.entries[0].speaker = "p257";
  test.entries[0].split = Split::test;
  test.write(set() / "test.csv");
  Protocol protocol = Protocol::read(set() / "protocol.yaml");
  protocol.train.pairs[0].hash = manifest.content_hash();
  protocol.test.pairs[0].hash = test.content_hash();
  protocol.write(set() / "protocol.yaml");
  const Checkup checkup = check();
  EXPECT_THAT(
      checkup.faults,
      ElementsAre("speaker 'p232' does not belong to split train of this set",
                  HasSubstr("leak: 1 file (p257_777) and 1 speaker (p232) of test in train")));
  EXPECT_THAT(checkup.problems,
              ::testing::Contains(::testing::Field(&Problem::reason,
                                                   HasSubstr("p257_777 of test has the samples"))));
}

TEST_F(DoctorTest, HoldsThePartialNoteAgainstTheCounts) {
  replace("protocol.yaml", "partial: true", "partial: false");
  EXPECT_THAT(check().faults,
              ElementsAre("the set is not whole, and the protocol does not say so: train 4 of "
                          "10802, valid 4 of 770, test 4 of 824"));
}

TEST_F(DoctorTest, RemarksOnWhatIsOnlyStrange) {
  Manifest manifest = Manifest::read(set() / "test.csv");
  manifest.entries.pop_back();
  manifest.entries[0].noisy = manifest.entries[0].audio;
  manifest.write(set() / "some.csv");
  const Checkup checkup = check(set() / "some.csv");
  EXPECT_THAT(checkup.faults, IsEmpty());
  EXPECT_THAT(checkup.problems, IsEmpty());
  EXPECT_THAT(
      checkup.remarks,
      ElementsAre("p232_001: clean and noisy hold the same samples",
                  HasSubstr("3 audio files lie beside the listed ones and are not listed:")));
}

TEST_F(DoctorTest, SaysWhatItCannotCheck) {
  EXPECT_EQ(message_of<DataError>([&] { check(dir_ / "none"); }),
            (dir_ / "none").string() + ": does not exist");
  EXPECT_THAT(message_of<DataError>([&] { check(dir_.path()); }),
              HasSubstr("holds no protocol.yaml"));
}

}  // namespace
}  // namespace limbeck
