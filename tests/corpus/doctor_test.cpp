#include "limbeck/corpus/doctor.h"

#include <gmock/gmock.h>

#include <functional>
#include <tuple>

#include "corpus/made_voicebank.h"
#include "data/made_corpus.h"
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
  put_text(set() / "test/clean/p257_001.mp3", "a preview, which is passed over");
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

/// LibriSpeech's layout; the column `speaker` may hold the chapters.
Manifest made_chapters(const fs::path& dir, bool chapters_for_speakers) {
  Manifest manifest;
  for (const auto& [speaker, chapter, split] :
       {std::tuple("26", "495", Split::train), std::tuple("32", "497", Split::train),
        std::tuple("26", "496", Split::test)}) {
    const std::string name = std::string(speaker) + "-" + chapter + "-0000";
    ManifestEntry entry = test::put_entry(dir / speaker / chapter / (name + ".wav"),
                                          white(1000, std::hash<std::string>()(name)));
    entry.speaker = chapters_for_speakers ? chapter : speaker;
    entry.split = split;
    manifest.entries.push_back(entry);
  }
  manifest.write(dir / "m.csv");
  return manifest;
}

TEST_F(DoctorTest, SeesASpeakerOnTwoSidesThroughItsChapters) {
  for (const bool chapters : {true, false}) {
    made_chapters(dir_ / "libri", chapters);
    EXPECT_THAT(check(dir_ / "libri/m.csv").faults,
                ElementsAre("leak: 1 speaker (26) of test in train"));
  }
  Manifest unknown = made_chapters(dir_ / "libri", true);
  for (ManifestEntry& entry : unknown.entries) entry.speaker = "";
  unknown.write(dir_ / "libri/m.csv");
  EXPECT_THAT(check(dir_ / "libri/m.csv").remarks,
              ElementsAre("3 of 3 entries have no speaker: one on two sides would not be seen"));
}

TEST_F(DoctorTest, HasAnEarForSilenceAndOffsets) {
  Manifest manifest;
  auto shifted = white(1000, 1);
  for (float& x : shifted) x += 0.2F;
  manifest.entries = {test::put_entry(dir_ / "a/none.wav", std::vector<float>(1000, 0.0F)),
                      test::put_entry(dir_ / "a/shifted.wav", shifted)};
  manifest.write(dir_ / "m.csv");
  Checkup checkup = check(dir_ / "m.csv");
  EXPECT_THAT(checkup.faults, IsEmpty());
  EXPECT_THAT(checkup.remarks, ElementsAre(HasSubstr("a/none.wav: is silent"),
                                           HasSubstr("a/shifted.wav: has a mean of 0.19")));
  manifest.entries[0].split = Split::test;
  manifest.write(dir_ / "m.csv");
  checkup = check(dir_ / "m.csv");
  EXPECT_THAT(checkup.faults, ElementsAre((dir_ / "m.csv").string() +
                                          ": in all 1 entries of speech in split test nothing is "
                                          "to be heard"));
}

// As git-annex keeps them.
TEST_F(DoctorTest, FindsWhatIsUnlistedAmongLinks) {
  Manifest manifest;
  fs::create_directories(dir_ / "set2");
  for (const char* name : {"a", "b"}) {
    ManifestEntry entry = test::put_entry(dir_ / "store" / (name + std::string("55.wav")),
                                          white(1000, static_cast<uint64_t>(name[0])));
    entry.id = name;
    fs::create_symlink(entry.audio.path, dir_ / "set2" / (name + std::string(".wav")));
    entry.audio.path = dir_ / "set2" / (name + std::string(".wav"));
    manifest.entries.push_back(entry);
  }
  manifest.write(dir_ / "set2.csv");
  put_audio(dir_ / "store/other.wav", white(1000, 9));
  EXPECT_THAT(check(dir_ / "set2.csv").remarks, IsEmpty());
  fs::create_symlink(dir_ / "store/other.wav", dir_ / "set2/c.wav");
  fs::create_symlink(dir_ / "store/a55.wav", dir_ / "set2/again.wav");
  EXPECT_THAT(check(dir_ / "set2.csv").remarks, ElementsAre(HasSubstr("1 audio files lie beside")));
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

TEST_F(DoctorTest, APathThatCannotBeIsAProblemOfItsOwn) {
  std::string deep;
  for (int i = 0; i < 3000; ++i) deep += "x/";
  put_audio(dir_ / "a.flac", white(300, 1), 16000);
  const std::string row = ",s,train,300,16000," + std::string(32, '0') + "\n";
  put_text(dir_ / "m.csv", "id,path,speaker,split,samples,rate,hash\na,a.flac" + row + "b," + deep +
                               "b.flac" + row);
  const Checkup checkup = check(dir_ / "m.csv");
  ASSERT_EQ(checkup.problems.size(), 2U);
  EXPECT_THAT(checkup.problems[0].reason + checkup.problems[1].reason,
              testing::AllOf(HasSubstr("File name too long"), HasSubstr("hash")));
}

TEST_F(DoctorTest, SaysWhatItCannotCheck) {
  EXPECT_EQ(message_of<DataError>([&] { check(dir_ / "none"); }),
            (dir_ / "none").string() + ": does not exist");
  EXPECT_THAT(message_of<DataError>([&] { check(dir_.path()); }),
              HasSubstr("holds no protocol.yaml"));
  put_text(dir_ / "list.txt", "id,path\n");
  EXPECT_EQ(message_of<DataError>([&] { check(dir_ / "list.txt"); }),
            (dir_ / "list.txt").string() +
                ": is neither a manifest (.csv) nor a protocol (.yaml) by its name");
  put_text(dir_ / "LIST.CSV", "id,path\n");
  EXPECT_THAT(message_of<DataError>([&] { check(dir_ / "LIST.CSV"); }),
              HasSubstr("LIST.CSV:1: column 'speaker' is missing"));
}

}  // namespace
}  // namespace limbeck
