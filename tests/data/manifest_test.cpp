#include "limbeck/data/manifest.h"

#include <gmock/gmock.h>

#include "limbeck/core/error.h"
#include "support.h"

namespace limbeck {
namespace {

using test::message_of;
using test::put_text;
using test::TempDir;
using ::testing::HasSubstr;

const std::string kHash(32, 'a');
const std::string kRecordings = "id,path,speaker,split,samples,rate,hash\n";
const std::string kPairs = "id,clean,noisy,speaker,split,samples,rate,clean_hash,noisy_hash\n";

std::string row(const std::string& id, const std::string& split = "train",
                const std::string& samples = "16000", const std::string& rate = "16000") {
  return id + ",audio/" + id + ".flac,bob," + split + "," + samples + "," + rate + "," + kHash +
         "\n";
}

TEST(Manifest, ReadsRecordingsAndResolvesPaths) {
  TempDir dir;
  put_text(dir / "m.csv", kRecordings + row("a") + row("b", "valid", "8000"));
  const Manifest manifest = Manifest::read(dir / "m.csv");
  EXPECT_EQ(manifest.kind, Manifest::Kind::recordings);
  ASSERT_EQ(manifest.entries.size(), 2U);
  const ManifestEntry& b = manifest.entries[1];
  EXPECT_EQ(b.id, "b");
  EXPECT_EQ(b.audio.path, dir / "audio/b.flac");
  EXPECT_EQ(b.audio.hash, kHash);
  EXPECT_EQ(b.speaker, "bob");
  EXPECT_EQ(b.split, Split::valid);
  EXPECT_EQ(b.samples, 8000);
  EXPECT_EQ(b.rate_hz, 16000);
  EXPECT_DOUBLE_EQ(manifest.seconds(), 1.5);
}

TEST(Manifest, ReadsPairsInAnyColumnOrderAndKeepsOtherColumns) {
  TempDir dir;
  const std::string other(32, '0');
  put_text(dir / "m.csv",
           "snr_db,noisy_hash,id,clean,noisy,speaker,split,samples,rate,clean_hash\r\n2.5," +
               other + ",x,c.wav,/n/x.wav,,test,10,8000," + kHash + "\r\n");
  const Manifest manifest = Manifest::read(dir / "m.csv");
  EXPECT_EQ(manifest.kind, Manifest::Kind::pairs);
  EXPECT_EQ(manifest.extra_columns, std::vector<std::string>{"snr_db"});
  const ManifestEntry& entry = manifest.entries.at(0);
  EXPECT_EQ(entry.extra, std::vector<std::string>{"2.5"});
  EXPECT_EQ(entry.audio.path, dir / "c.wav");
  EXPECT_EQ(entry.noisy.path, "/n/x.wav");
  EXPECT_EQ(entry.audio.hash, kHash);
  EXPECT_EQ(entry.noisy.hash, other);
}

TEST(Manifest, WritesWhatItReads) {
  TempDir dir;
  put_text(dir / "m.csv",
           "id,path,speaker,split,samples,rate,hash,note\n\"a,1\",x/a.wav,\"the \"\"one\"\"\"," +
               std::string("test,10,8000,") + kHash + ",hi\n");
  const Manifest manifest = Manifest::read(dir / "m.csv");
  manifest.write(dir / "copy.csv");
  EXPECT_EQ(read_file(dir / "copy.csv"), read_file(dir / "m.csv"));

  put_text(dir / "p.csv", kPairs + "x,c.wav,n.wav,,test,10,8000," + kHash + "," + kHash + "\n");
  Manifest::read(dir / "p.csv").write(dir / "q.csv");
  EXPECT_EQ(read_file(dir / "q.csv"), read_file(dir / "p.csv"));
}

TEST(Manifest, WritesPathsThatHoldFromItsOwnFolder) {
  TempDir dir;
  std::filesystem::create_directories(dir / "lists");
  std::filesystem::create_directory_symlink(dir / "lists", dir / "link");
  Manifest manifest;
  manifest.entries.push_back({.id = "a",
                              .audio = {dir / "audio" / "a.wav", kHash},
                              .noisy = {},
                              .speaker = "",
                              .samples = 1,
                              .rate_hz = 8000,
                              .extra = {}});
  manifest.entries.push_back(manifest.entries[0]);
  manifest.entries[1].id = "b";
  manifest.entries[1].audio.path = "/elsewhere/b.wav";
  test::put_audio(dir / "audio" / "a.wav", {0.5F});
  manifest.write(dir / "link" / "m.csv");
  EXPECT_THAT(read_file(dir / "lists" / "m.csv"), HasSubstr("\na,../audio/a.wav,"));
  EXPECT_THAT(read_file(dir / "lists" / "m.csv"), HasSubstr("\nb,/elsewhere/b.wav,"));
  for (const char* folder : {"lists", "link"}) {
    const Manifest read = Manifest::read(dir / folder / "m.csv");
    EXPECT_EQ(read_audio(read.entries[0].audio.path).size(), 1) << folder;
  }
}

// As git-annex and DVC keep what they hold: under its hash.
TEST(Manifest, NamesALinkAndNotWhatItLeadsTo) {
  TempDir dir;
  namespace fs = std::filesystem;
  test::put_audio(dir / "store/objects/5f/3a9c.flac", {0.5F});
  fs::create_directory(dir / "set");
  fs::create_symlink("../store/objects/5f/3a9c.flac", dir / "set/p232_001.flac");
  fs::create_directory_symlink("set", dir / "linked");
  Manifest manifest;
  manifest.kind = Manifest::Kind::pairs;
  ManifestEntry& entry = manifest.entries.emplace_back();
  entry.id = "p232_001";
  entry.audio = entry.noisy = {dir / "linked/p232_001.flac", kHash};
  entry.samples = entry.rate_hz = 1;
  manifest.write(dir / "m.csv");
  EXPECT_THAT(read_file(dir / "m.csv"),
              HasSubstr("\np232_001,set/p232_001.flac,set/p232_001.flac,"));
  // A manifest that is a link itself is read beside the link.
  put_text(dir / "store/m.csv", "");
  fs::create_symlink("../store/m.csv", dir / "set/m.csv");
  manifest.write(dir / "set/m.csv");
  const Manifest read = Manifest::read(dir / "set/m.csv");
  EXPECT_EQ(read.entries.at(0).audio.path, dir / "set/p232_001.flac");
}

TEST(Manifest, FiltersBySplit) {
  TempDir dir;
  put_text(dir / "m.csv", kRecordings + row("a") + row("b", "valid") + row("c") + row("d", "test"));
  const Manifest manifest = Manifest::read(dir / "m.csv");
  const Manifest train = manifest.filter(Split::train);
  ASSERT_EQ(train.entries.size(), 2U);
  EXPECT_EQ(train.entries[1].id, "c");
  EXPECT_EQ(manifest.filter(Split::test).entries.at(0).id, "d");
}

TEST(Manifest, ContentHashSeesContentsAndNotPlaces) {
  TempDir dir;
  put_text(dir / "m.csv", kRecordings + row("a") + row("b"));
  Manifest manifest = Manifest::read(dir / "m.csv");
  const std::string hash = manifest.content_hash();
  EXPECT_EQ(hash.size(), 32U);
  manifest.entries[0].audio.path = "/moved/a.flac";
  EXPECT_EQ(manifest.content_hash(), hash);
  Manifest other = manifest;
  other.entries[0].audio.hash[0] = 'b';
  EXPECT_NE(other.content_hash(), hash);
  other = manifest;
  other.entries[0].split = Split::test;
  EXPECT_NE(other.content_hash(), hash);
  other = manifest;
  std::swap(other.entries[0], other.entries[1]);
  EXPECT_NE(other.content_hash(), hash);
}

struct Bad {
  const char* name;
  std::string text;
  std::string message;  // without the file's path
};

class BadManifest : public ::testing::TestWithParam<Bad> {};

TEST_P(BadManifest, IsRefusedWithFileAndLine) {
  TempDir dir;
  put_text(dir / "m.csv", GetParam().text);
  const std::string message = message_of<DataError>([&] { Manifest::read(dir / "m.csv"); });
  EXPECT_EQ(message, (dir / "m.csv").string() + GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Messages, BadManifest,
    ::testing::Values(
        Bad{"empty", "", ": is empty"},
        Bad{"missing", "id,path,speaker,split,samples,rate\n",
            ":1: column 'hash' is missing; a manifest of recordings has "
            "id,path,speaker,split,samples,rate,hash"},
        Bad{"meant", "id,path,speakers,split,samples,rate,hash,my note \n",
            ":1: column 'speaker' is missing (the header has 'speakers'); a manifest of "
            "recordings has id,path,speaker,split,samples,rate,hash"},
        Bad{"blanks", "id, path, speaker, split, samples, rate, hash\n",
            ":1: column 'path' is missing (the header has ' path': blanks beside "
            "commas count); a manifest of recordings has "
            "id,path,speaker,split,samples,rate,hash"},
        Bad{"mistyped", "id,path,speakers,split,samples,rate,hash\n",
            ":1: column 'speaker' is missing (the header has 'speakers'); a manifest "
            "of recordings has id,path,speaker,split,samples,rate,hash"},
        Bad{"missing_in_pairs", "id,clean,speaker,split,samples,rate,clean_hash,noisy_hash\n",
            ":1: column 'noisy' is missing; a manifest of pairs has "
            "id,clean,noisy,speaker,split,samples,rate,clean_hash,noisy_hash"},
        Bad{"twice", "id,path,speaker,split,samples,rate,hash,id\n",
            ":1: column 'id' occurs twice"},
        Bad{"duplicate", kRecordings + row("a") + row("b") + row("a"),
            ":4: id 'a' stands in line 2 too"},
        Bad{"no_id", kRecordings + row(""), ":2: column 'id' is empty"},
        Bad{"no_path", kRecordings + "a,,bob,train,1,1," + kHash + "\n",
            ":2: column 'path' is empty"},
        Bad{"split", kRecordings + row("a", "dev"),
            ":2: column 'split': 'dev' is none of train, valid, test"},
        Bad{"words", kRecordings + row("a", "train", "many"),
            ":2: column 'samples': 'many' is not a whole number from 1 to 68719476735"},
        Bad{"fraction", kRecordings + row("a", "train", "10.5"),
            ":2: column 'samples': '10.5' is not a whole number from 1 to 68719476735"},
        Bad{"zero", kRecordings + row("a", "train", "0"),
            ":2: column 'samples': '0' is not a whole number from 1 to 68719476735"},
        Bad{"long", kRecordings + row("a", "train", "9223372036854775807"),
            ":2: column 'samples': '9223372036854775807' is not a whole number from "
            "1 to 68719476735"},
        Bad{"fast", kRecordings + row("a", "train", "5", "2147483647"),
            ":2: column 'rate': '2147483647' is not a whole number from 1 to 1048575"},
        Bad{"negative", kRecordings + row("a", "train", "5", "-1"),
            ":2: column 'rate': '-1' is not a whole number from 1 to 1048575"},
        Bad{"cut",
            "id,clean,noisy,speaker,split,samples,rate,clean_hash,noisy_hash,"
            "clean_cut,noisy_cut\na,a.wav,b.wav,bob,train,5,16000," +
                kHash + "," + kHash + ",0,257\n",
            ":2: column 'noisy_cut': '257' is not a whole number from 0 to 256"},
        Bad{"hash", kRecordings + "a,a.wav,bob,train,1,1,12ab\n",
            ":2: column 'hash': '12ab' is not a hash of 32 hexadecimal digits"},
        Bad{"width", kRecordings + "a,b\n", ":2: 2 fields where the header has 7"}),
    [](const auto& test_case) { return std::string(test_case.param.name); });

TEST(Manifest, IsNoProtocol) {
  TempDir dir;
  put_text(dir / "p.yaml", "# A comment; with a sign that some tables have\nname: p\n");
  EXPECT_EQ(message_of<DataError>([&] { Manifest::read(dir / "p.yaml"); }),
            (dir / "p.yaml").string() +
                ": has the name of a protocol (.yaml); a manifest (.csv) is needed here");
}

TEST(Manifest, NamesAMissingFile) {
  EXPECT_THAT(message_of<DataError>([] { Manifest::read("/no/such.csv"); }),
              HasSubstr("/no/such.csv: cannot be read"));
}

TEST(HashAudio, IsThatOfTheSamples) {
  // Fixed: manifests of other machines and versions must stay valid.
  EXPECT_EQ(hash_audio({0.0F, 0.5F, -1.0F}), "9205b130e1892c0e6c5b7ae191992e79");
  EXPECT_NE(hash_audio({0.0F}), hash_audio({0.0F, 0.0F}));
}

}  // namespace
}  // namespace limbeck
