#include "limbeck/data/protocol.h"

#include <gmock/gmock.h>

#include "limbeck/core/error.h"
#include "support.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;
using test::message_of;
using test::put_text;
using test::TempDir;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kRecordings = "id,path,speaker,split,samples,rate,hash\n";
const std::string kPairs = "id,clean,noisy,speaker,split,samples,rate,clean_hash,noisy_hash\n";

std::string recording(const std::string& id, const std::string& split) {
  return id + ",audio/" + id + ".flac,s," + split + ",16000,16000," + std::string(32, 'a') + "\n";
}

std::string pair(const std::string& id, const std::string& split) {
  return id + ",clean/" + id + ".flac,noisy/" + id + ".flac,s," + split + ",16000,16000," +
         std::string(32, 'a') + "," + std::string(32, 'b') + "\n";
}

std::vector<std::string> ids(const Manifest& manifest) {
  std::vector<std::string> all;
  for (const ManifestEntry& entry : manifest.entries) all.push_back(entry.id);
  return all;
}

/// set/lists/{speech,noise,test}.csv and a protocol of them.
class MadeProtocol : public ::testing::Test {
 protected:
  MadeProtocol() {
    put_text(dir_ / "set/lists/speech.csv", kRecordings + recording("a", "train") +
                                                recording("b", "valid") + recording("c", "train"));
    put_text(dir_ / "set/lists/noise.csv",
             kRecordings + recording("m", "train") + recording("n", "valid"));
    put_text(dir_ / "set/lists/test.csv", kPairs + pair("x", "test") + pair("y", "test"));
    protocol_.name = "made";
    for (const Split split : {Split::train, Split::valid}) {
      protocol_.add(split, Role::speech, list("speech"));
      protocol_.add(split, Role::noise, list("noise"));
    }
    protocol_.add(Split::test, Role::pairs, list("test"));
    protocol_.write(dir_ / "set/protocol.yaml");
  }

  Manifest list(const std::string& name) const {
    return Manifest::read(dir_ / "set" / "lists" / (name + ".csv"));
  }
  Protocol read() const { return Protocol::read(dir_ / "set/protocol.yaml"); }

  TempDir dir_;
  Protocol protocol_;
};

TEST_F(MadeProtocol, TakesEachSplitFromTheManifestsNamedForIt) {
  const Protocol protocol = read();
  EXPECT_EQ(protocol.name, "made");
  EXPECT_THAT(ids(protocol.manifest(Split::train, Role::speech)), ElementsAre("a", "c"));
  EXPECT_THAT(ids(protocol.manifest(Split::valid, Role::speech)), ElementsAre("b"));
  EXPECT_THAT(ids(protocol.manifest(Split::train, Role::noise)), ElementsAre("m"));
  EXPECT_THAT(ids(protocol.manifest(Split::test, Role::pairs)), ElementsAre("x", "y"));
  EXPECT_TRUE(protocol.manifest(Split::test, Role::noise).entries.empty());
  EXPECT_TRUE(protocol.notes().empty());
}

TEST_F(MadeProtocol, NamesItsManifestsFromItsOwnFolderAndMovesWithThem) {
  EXPECT_THAT(read_file(dir_ / "set/protocol.yaml"), HasSubstr("manifest: lists/speech.csv\n"));
  const std::string hash = read().content_hash();
  fs::rename(dir_ / "set", dir_ / "moved");
  const Protocol moved = Protocol::read(dir_ / "moved/protocol.yaml");
  const auto speech = moved.manifest(Split::valid, Role::speech);
  EXPECT_EQ(speech.entries.at(0).audio.path, dir_ / "moved/lists/audio/b.flac");
  EXPECT_EQ(moved.content_hash(), hash);
}

TEST_F(MadeProtocol, WrittenAgainIsTheSame) {
  Protocol protocol = read();
  protocol.write(dir_ / "set/again.yaml");
  EXPECT_EQ(read_file(dir_ / "set/again.yaml"), read_file(dir_ / "set/protocol.yaml"));
  protocol.partial = true;
  protocol.note = "2 of 3 \"test\" pairs: '#1'";
  protocol.leak = "1 test file";
  protocol.write(dir_ / "set/again.yaml");
  EXPECT_THAT(
      Protocol::read(dir_ / "set/again.yaml").notes(),
      ElementsAre("partial set: 2 of 3 \"test\" pairs: '#1' (made)", "LEAK ALLOWED: 1 test file"));
}

// What is whole may have a note as well.
TEST_F(MadeProtocol, ShowsItsNote) {
  Protocol protocol = read();
  protocol.note = "made from copies";
  EXPECT_THAT(protocol.notes(), ElementsAre("made from copies (made)"));
}

TEST_F(MadeProtocol, RefusesAManifestThatChanged) {
  const std::string before = list("speech").content_hash();
  put_text(dir_ / "set/lists/speech.csv",
           kRecordings + recording("a", "train") + recording("b", "valid"));
  const std::string after = list("speech").content_hash();
  EXPECT_EQ(message_of<DataError>([&] { read().manifest(Split::train, Role::speech); }),
            (dir_ / "set/lists/speech.csv").string() + ": changed since " +
                (dir_ / "set/protocol.yaml").string() + " was locked (content hash " + after +
                ", locked " + before +
                "); bring it back, or lock it anew with limbeck-prepare protocol");
  EXPECT_EQ(read().manifest(Split::train, Role::noise).entries.size(), 1U);
}

TEST_F(MadeProtocol, HashTellsContentSplitAndRole) {
  const std::string hash = protocol_.content_hash();
  Protocol other = protocol_;
  other.name = "another name";
  EXPECT_EQ(other.content_hash(), hash);
  std::swap(other.train.speech, other.train.noise);
  EXPECT_NE(other.content_hash(), hash);
  other = protocol_;
  std::swap(other.train, other.valid);
  EXPECT_EQ(other.content_hash(), hash);  // the same manifests in both
  other.test = {};
  EXPECT_NE(other.content_hash(), hash);
  other = protocol_;
  other.test.pairs[0].hash = std::string(32, '0');
  EXPECT_NE(other.content_hash(), hash);
}

TEST_F(MadeProtocol, LocksOnlyWhatFits) {
  EXPECT_EQ(message_of<DataError>([&] { protocol_.add(Split::test, Role::speech, list("test")); }),
            (dir_ / "set/lists/test.csv").string() + ": lists pairs, and cannot be speech");
  EXPECT_EQ(
      message_of<DataError>([&] { protocol_.add(Split::train, Role::pairs, list("speech")); }),
      (dir_ / "set/lists/speech.csv").string() + ": lists recordings, and cannot be pairs");
  EXPECT_EQ(
      message_of<DataError>([&] { protocol_.add(Split::valid, Role::pairs, list("test")); }),
      (dir_ / "set/lists/test.csv").string() + ": no entry has split valid (of 2 in the file)");
}

TEST_F(MadeProtocol, JoinsExtraColumnsByName) {
  put_text(dir_ / "set/lists/one.csv",
           "snr_db," + kPairs + "5," + pair("p", "test") + "6," + pair("q", "train"));
  put_text(dir_ / "set/lists/two.csv", "noise,snr_db," + kPairs + "bus,7," + pair("r", "test"));
  protocol_.add(Split::test, Role::pairs, list("one"));
  protocol_.add(Split::test, Role::pairs, list("two"));
  const Manifest test = protocol_.manifest(Split::test, Role::pairs);
  EXPECT_THAT(ids(test), ElementsAre("x", "y", "p", "r"));
  EXPECT_THAT(test.extra_columns, ElementsAre("snr_db", "noise"));
  EXPECT_THAT(test.entries[0].extra, ElementsAre("", ""));
  EXPECT_THAT(test.entries[2].extra, ElementsAre("5", ""));
  EXPECT_THAT(test.entries[3].extra, ElementsAre("7", "bus"));
}

TEST_F(MadeProtocol, TellsPairsOfOneIdApartInTraining) {
  put_text(dir_ / "set/lists/again.csv", kPairs + pair("p", "train"));
  put_text(dir_ / "set/lists/once.csv", kPairs + pair("p", "train") + pair("q", "train"));
  Protocol protocol;
  protocol.add(Split::train, Role::pairs, list("once"));
  protocol.add(Split::train, Role::pairs, list("again"));
  EXPECT_THAT(ids(protocol.manifest(Split::train, Role::pairs)), ElementsAre("p", "q", "p#2"));
}

TEST_F(MadeProtocol, IsNotWrittenAsNobodyCouldReadIt) {
  Protocol protocol = read();
  protocol.name = "";
  EXPECT_THAT(message_of<ConfigError>([&] { protocol.write(dir_ / "set/new.yaml"); }),
              HasSubstr("name: must not be empty"));
  EXPECT_FALSE(fs::exists(dir_ / "set/new.yaml"));
}

TEST_F(MadeProtocol, NamesAManifestThatIsGoneAndWhoNamesIt) {
  fs::remove(dir_ / "set/lists/noise.csv");
  EXPECT_EQ(message_of<DataError>([&] { read().manifest(Split::train, Role::noise); }),
            (dir_ / "set/lists/noise.csv").string() +
                ": cannot be read: No such file or directory (" +
                (dir_ / "set/protocol.yaml").string() + " names it)");
}

TEST_F(MadeProtocol, RefusesWhatIsNamedTwice) {
  protocol_.add(Split::train, Role::speech, list("speech"));
  const std::string speech = (dir_ / "set/lists/speech.csv").string();
  EXPECT_EQ(message_of<DataError>([&] { protocol_.manifest(Split::train, Role::speech); }),
            protocol_.file.string() + ": names " + speech + " and " + speech +
                " for speech of train, which list the same; name one of them");
}

TEST_F(MadeProtocol, RefusesTwoTestPairsOfOneId) {
  put_text(dir_ / "set/lists/more.csv", kPairs + pair("y", "test"));
  protocol_.add(Split::test, Role::pairs, list("more"));
  EXPECT_THAT(message_of<DataError>([&] { protocol_.manifest(Split::test, Role::pairs); }),
              HasSubstr("two test pairs have the id 'y': "));
}

TEST(Protocol, ReportsAllThatIsWrongAtOnce) {
  TempDir dir;
  put_text(dir / "p.yaml",
           "format: 1\npartial: true\nlocked: x\ntest: {pairs: [{manifest: a.csv}]}\n");
  const std::string message = message_of<ConfigError>([&] { Protocol::read(dir / "p.yaml"); });
  EXPECT_THAT(message, HasSubstr("name: is required"));
  EXPECT_THAT(message, HasSubstr("p.yaml:3:1: locked: unknown key"));
  EXPECT_THAT(message, HasSubstr("test.pairs.0.hash: is required"));
}

TEST(Protocol, ChecksAcrossItsFields) {
  TempDir dir;
  const std::string test = "test: {pairs: [{manifest: a.csv, hash: aa}]}\n";
  const auto failure = [&](const std::string& text) {
    put_text(dir / "p.yaml", text);
    return message_of<ConfigError>([&] { Protocol::read(dir / "p.yaml"); });
  };
  EXPECT_THAT(failure("name: a\nformat: 2\n" + test),
              HasSubstr("p.yaml:2:9: format: this program reads format 1"));
  EXPECT_THAT(failure("name: a\nformat: 1\n"), HasSubstr("no manifest is named"));
  EXPECT_THAT(failure("name: a\nformat: 1\npartial: true\n" + test),
              HasSubstr("note: is required where partial is true"));
  EXPECT_THAT(failure("name: a\nformat: 1\ntrain: {speech: [{manifest: s.csv, hash: aa}]}\n"),
              HasSubstr("train.speech: speech and noise go together"));
  const std::string mixed = "{manifest: s.csv, hash: aa}";
  EXPECT_THAT(
      failure("name: a\nformat: 1\ntest: {speech: [" + mixed + "], noise: [" + mixed + "]}\n"),
      HasSubstr("test: results need pairs"));
  EXPECT_THAT(message_of<DataError>([&] { Protocol::read(dir / "none.yaml"); }),
              HasSubstr("none.yaml: cannot be read"));
}

}  // namespace
}  // namespace limbeck
