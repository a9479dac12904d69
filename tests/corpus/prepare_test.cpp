#include "limbeck/corpus/prepare.h"

#include <gmock/gmock.h>

#include <map>
#include <set>

#include "core/full_disk.h"
#include "core/memory_limit.h"
#include "data/support.h"
#include "limbeck/audio/find_audio.h"
#include "limbeck/audio/resample.h"
#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/corpus/doctor.h"
#include "limbeck/data/leak.h"

namespace limbeck {
namespace {

using test::message_of;
using test::put_audio;
using test::put_stereo;
using test::put_text;
using test::TempDir;
using test::white;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class Prepare : public ::testing::Test {
 protected:
  void put(const std::string& name, int64_t count = 100, int rate_hz = 16000) {
    put_audio(dir_ / name, white(count, ++seed_), rate_hz);
  }

  Listing recordings(RecordingsOptions options = {}) {
    if (options.folders.empty()) options.folders = {dir_ / "speech"};
    return prepare_recordings(options, logger_);
  }

  Listing pairs(PairsOptions options = {}) {
    options.clean = dir_ / "clean";
    options.noisy = dir_ / "noisy";
    return prepare_pairs(options, logger_);
  }

  static std::vector<std::string> ids(const Listing& prepared) {
    std::vector<std::string> all;
    for (const auto& entry : prepared.manifest.entries) all.push_back(entry.id);
    return all;
  }

  TempDir dir_;
  uint64_t seed_ = 0;
  Logger logger_{Verbosity::quiet};
};

TEST_F(Prepare, FindsAudioSortedAndBelow) {
  for (const char* name : {"speech/b/2.WAV", "speech/b/10.flac", "speech/a.ogg",
                           "speech/.hidden.wav", "speech/.git/x.wav"}) {
    put(name);
  }
  put_text(dir_ / "speech" / "notes.txt", "no audio");
  EXPECT_THAT(find_audio(dir_ / "speech"), ElementsAre("a.ogg", "b/10.flac", "b/2.WAV"));
  EXPECT_EQ(message_of<DataError>([&] { find_audio(dir_ / "none"); }),
            (dir_ / "none").string() + ": does not exist");
  EXPECT_THAT(message_of<DataError>([&] { find_audio(dir_ / "speech" / "notes.txt"); }),
              HasSubstr("notes.txt: is not a folder"));
  std::filesystem::create_directory(dir_ / "empty");
  EXPECT_THAT(message_of<DataError>([&] { find_audio(dir_ / "empty"); }),
              HasSubstr("empty: holds no audio file"));
}

TEST_F(Prepare, KeepsAllChaptersOfASpeakerOnOneSide) {
  for (const int speaker : {26, 32, 78, 83}) {
    for (const int chapter : {495, 496, 497}) {
      const std::string both = std::to_string(speaker) + "/" + std::to_string(chapter) + "/" +
                               std::to_string(speaker) + "-" + std::to_string(chapter);
      put("speech/" + both + "-0000.flac");
      put("speech/" + both + "-0001.flac");
    }
  }
  RecordingsOptions options;
  options.split_by = SplitBy::speaker;
  options.test_count = options.valid_count = 1;
  std::map<std::string, std::set<Split>> of;  // by the folder at the top
  for (const auto& entry : recordings(options).manifest.entries) {
    of[entry.id.substr(0, 2)].insert(entry.split);
    EXPECT_EQ(entry.speaker, entry.id.substr(0, 2));
  }
  EXPECT_EQ(of.size(), 4U);
  for (const auto& [speaker, splits] : of) EXPECT_EQ(splits.size(), 1U) << speaker;
}

TEST_F(Prepare, DoesNotGuessASpeaker) {
  put("speech/bob/monday/1.flac");
  put("speech/bob/tuesday/1.flac");
  put("speech/ann/monday/1.flac");
  put("speech/tom/1.flac");
  logger_.add_file(dir_ / "log");
  RecordingsOptions options;
  const auto speakers = [&] {
    std::vector<std::string> all;
    for (const auto& entry : recordings(options).manifest.entries) all.push_back(entry.speaker);
    return all;
  };
  EXPECT_THAT(speakers(), ElementsAre("", "", "", "tom"));
  EXPECT_THAT(read_file(dir_ / "log"),
              HasSubstr("of 4 files, 3 have no speaker that folders and file name agree on: say "
                        "with --speaker where it is"));
  options.split_by = SplitBy::speaker;
  options.test_count = 1;
  EXPECT_THAT(message_of<ConfigError>([&] { recordings(options); }),
              ::testing::AllOf(HasSubstr("nothing to split by: of 4 files, 3 have no speaker"),
                               HasSubstr("ann/monday/1.flac")));
  options.speaker = SpeakerRule::top;
  EXPECT_THAT(speakers(), ElementsAre("ann", "bob", "bob", "tom"));
}

TEST_F(Prepare, KeepsTheNamesOfLinks) {
  namespace fs = std::filesystem;
  for (const char* name : {"clean", "noisy"}) {
    put("store/" + std::string(name) + ".flac", 50);
    fs::create_directories(dir_ / name / "x");
    fs::create_symlink(dir_ / "store" / (name + std::string(".flac")), dir_ / name / "x/p1_1.flac");
  }
  pairs().manifest.write(dir_ / "pairs.csv");
  EXPECT_THAT(read_file(dir_ / "pairs.csv"),
              HasSubstr("\nx/p1_1,clean/x/p1_1.flac,noisy/x/p1_1.flac,"));
  const Manifest read = Manifest::read(dir_ / "pairs.csv");
  EXPECT_EQ(fingerprints(read.entries).at(0).stem, "p1_1");
  // Two links to one content are two rows of a table.
  fs::create_symlink(dir_ / "store/clean.flac", dir_ / "clean/x/p1_2.flac");
  put_text(dir_ / "splits.csv", "file,split\nclean/x/p1_1.flac,valid\nclean/x/p1_2.flac,test\n");
  RecordingsOptions options;
  options.folders = {dir_ / "clean"};
  options.splits = {dir_ / "splits.csv"};
  const Listing prepared = recordings(options);
  EXPECT_EQ(prepared.manifest.entries.at(0).split, Split::valid);
  EXPECT_EQ(prepared.manifest.entries.at(1).split, Split::test);
  // So does a folder, in front of ids.
  fs::create_directory_symlink(dir_ / "store", dir_ / "mine");
  options = {};
  options.folders = {dir_ / "mine/", dir_ / "clean"};
  EXPECT_EQ(recordings(options).manifest.entries.at(0).id, "mine/clean");
}

TEST_F(Prepare, NamesSilentFilesAndOffsets) {
  put_audio(dir_ / "clean/none.wav", std::vector<float>(1000, 0.0F));
  put("noisy/none.wav", 1000);
  auto samples = white(1000, 5);
  put_audio(dir_ / "clean/shifted.wav", samples);
  for (float& x : samples) x += 0.25F;
  put_audio(dir_ / "noisy/shifted.wav", samples);
  const Listing prepared = pairs();
  EXPECT_THAT(ids(prepared), ElementsAre("none", "shifted"));
  EXPECT_TRUE(prepared.problems.empty());
  ASSERT_EQ(prepared.oddities.size(), 2U);
  EXPECT_EQ(prepared.oddities[0].file, (dir_ / "clean/none.wav").string());
  EXPECT_EQ(prepared.oddities[0].reason, "is silent: its level is below -80 dBFS");
  EXPECT_EQ(prepared.oddities[1].file, (dir_ / "noisy/shifted.wav").string());
  EXPECT_THAT(prepared.oddities[1].reason, HasSubstr("(a DC offset)"));
  RecordingsOptions options;
  options.folders = {dir_ / "clean"};
  EXPECT_EQ(recordings(options).oddities.size(), 1U);
}

TEST_F(Prepare, ListsRecordingsWithHashesThatHold) {
  put("speech/bob/1.flac", 123);
  put("speech/ann/1.wav", 77);
  const Listing prepared = recordings();
  EXPECT_TRUE(prepared.problems.empty());
  EXPECT_THAT(ids(prepared), ElementsAre("ann/1", "bob/1"));
  const ManifestEntry& bob = prepared.manifest.entries[1];
  EXPECT_EQ(bob.speaker, "bob");
  EXPECT_EQ(bob.split, Split::train);
  EXPECT_EQ(bob.samples, 123);
  EXPECT_EQ(bob.rate_hz, 16000);
  EXPECT_EQ(bob.audio.hash, hash_audio(read_audio(bob.audio.path).samples));
  prepared.manifest.write(dir_ / "m.csv");
  EXPECT_EQ(Manifest::read(dir_ / "m.csv").content_hash(), prepared.manifest.content_hash());
}

TEST_F(Prepare, ThreadsDoNotChangeTheManifest) {
  for (int i = 0; i < 30; ++i)
    put("speech/" + std::to_string(i % 7) + "/" + std::to_string(i) + ".flac");
  RecordingsOptions options;
  options.threads = 1;
  const Listing one = recordings(options);
  options.threads = 5;
  EXPECT_EQ(recordings(options).manifest.content_hash(), one.manifest.content_hash());
}

TEST_F(Prepare, LeavesOutWhatCannotBeUsedAndSaysWhy) {
  put("speech/good.wav");
  put("speech/fast.wav", 100, 48000);
  put_text(dir_ / "speech" / "broken.flac", "this is no flac file");
  const Listing prepared = recordings();
  EXPECT_THAT(ids(prepared), ElementsAre("good"));
  ASSERT_EQ(prepared.problems.size(), 2U);
  EXPECT_EQ(prepared.problems[0].file, (dir_ / "speech" / "broken.flac").string());
  EXPECT_THAT(prepared.problems[0].reason, HasSubstr("cannot be read as audio"));
  EXPECT_EQ(
      prepared.problems[1].reason,
      "has 48000 Hz where 16000 Hz are asked for (--rate; --resample makes copies that have them)");
}

TEST_F(Prepare, SeveralFoldersAndEqualNames) {
  put("one/a.wav");
  put("two/a.wav");
  RecordingsOptions options;
  options.folders = {dir_ / "one", dir_ / "two"};
  EXPECT_THAT(ids(recordings(options)), ElementsAre("one/a", "two/a"));
  put("x/deep/one/a.wav");
  put("y/deep/one/a.wav");
  options.folders = {dir_ / "x/deep/one", dir_ / "y/deep/one/", dir_ / "two", dir_ / "one"};
  const std::string above = dir_.path().filename().string();
  EXPECT_THAT(ids(recordings(options)),
              ElementsAre("x/deep/one/a", "y/deep/one/a", "two/a", above + "/one/a"));
  options.folders = {dir_ / "one", dir_ / "two/../one"};
  EXPECT_EQ(message_of<DataError>([&] { recordings(options); }),
            (dir_ / "one").string() + ": is named twice");
  options.folders = {dir_ / "one"};
  put_text(dir_ / "one" / "a.mp3", "a preview, which is passed over");
  EXPECT_THAT(ids(recordings(options)), ElementsAre("a"));
  put("one/a.flac");
  EXPECT_EQ(message_of<DataError>([&] { recordings(options); }),
            "two files would have the id 'a': " + (dir_ / "one" / "a.flac").string() + " and " +
                (dir_ / "one" / "a.wav").string());
}

TEST_F(Prepare, TakesSplitsAndLabelsFromATable) {
  put("speech/bob/1.flac");
  put("speech/ann/1.flac");
  put_text(dir_ / "splits.csv",
           "file,label,split\nspeech/bob/1.flac,Robert,valid\nspeech/ann/1.flac,Anna,test\nother/"
           "x,,dev\n");
  RecordingsOptions options;
  options.splits = {dir_ / "splits.csv"};
  std::filesystem::create_directory_symlink(dir_ / "speech", dir_ / "link");
  for (const char* folder : {"speech", "link", "speech/../speech"}) {
    options.folders = {dir_ / folder};
    const Listing prepared = recordings(options);
    EXPECT_EQ(prepared.manifest.entries.at(0).speaker, "Anna");
    EXPECT_EQ(prepared.manifest.entries.at(0).split, Split::test);
    EXPECT_EQ(prepared.manifest.entries.at(1).split, Split::valid);
  }
  options.speaker = SpeakerRule::folder;  // asked for, so it wins
  EXPECT_EQ(recordings(options).manifest.entries.at(0).speaker, "ann");
}

TEST_F(Prepare, TakesSeveralTablesAsOne) {
  put("speech/bob/1.flac");
  put("speech/ann/1.flac");
  const std::string one = (dir_ / "one.csv").string();
  const std::string two = (dir_ / "lists/two.csv").string();
  put_text(one, "file,label,split\nspeech/bob/1.flac,Robert,valid\n");
  put_text(two, "split,file\ntest,../speech/ann/1.flac\n");
  RecordingsOptions options;
  options.folders = {dir_ / "speech"};
  options.splits = {one, two};
  const Listing prepared = recordings(options);
  EXPECT_EQ(prepared.manifest.entries.at(0).speaker, "ann");  // the second has no column for it
  EXPECT_EQ(prepared.manifest.entries.at(0).split, Split::test);
  EXPECT_EQ(prepared.manifest.entries.at(1).speaker, "Robert");
  EXPECT_EQ(prepared.manifest.entries.at(1).split, Split::valid);

  put_text(two, "split,file\ntest,../speech/ann/1.flac\ntrain,../speech/bob/1.flac\n");
  EXPECT_EQ(message_of<DataError>([&] { recordings(options); }),
            two + ":3: '../speech/bob/1.flac' has split 'train' here and 'valid' in " + one + ":2");
  put_text(two, "split,file\n");
  EXPECT_EQ(
      message_of<DataError>([&] { recordings(options); }),
      one + ", " + two + ": no row for 1 of 2 files:\n  " + (dir_ / "speech/ann/1.flac").string());
}

// A table may be older than the folder, or speak of more than is at hand.
TEST_F(Prepare, CountsFilesOfRowsThatAreNotThere) {
  put("speech/a.flac");
  put("noise/b.flac");
  logger_.add_file(dir_ / "log");
  RecordingsOptions options;
  options.splits = {dir_ / "splits.csv"};
  put_text(dir_ / "splits.csv", "file,split\nspeech/a.flac,train\nnoise/b.flac,test\n");
  recordings(options);
  EXPECT_THAT(read_file(dir_ / "log"), Not(HasSubstr("not there")));
  put_text(dir_ / "splits.csv",
           "file,split\nspeech/a.flac,train\nnoise/b.flac,test\nspeech/gone.flac,test\nspeech/"
           "gone.flac,test\n");
  EXPECT_THAT(ids(recordings(options)), ElementsAre("a"));
  const std::string absent =
      (dir_ / "splits.csv").string() + ": of 3 files that are named, 1 are not there:\n  " +
      (dir_ / "splits.csv").string() + ":4: " + (dir_ / "speech/gone.flac").string();
  EXPECT_THAT(read_file(dir_ / "log"), HasSubstr(absent));
  // It is why a file has no row, too.
  put_text(dir_ / "splits.csv", "file,split\nspeech/a.wav,train\n");
  EXPECT_THROW(recordings(options), DataError);
  EXPECT_THAT(read_file(dir_ / "log"), HasSubstr("splits.csv:2: "));
}

TEST_F(Prepare, RefusesWrongTables) {
  put("speech/a.flac");
  put("speech/b.flac");
  RecordingsOptions options;
  options.splits = {dir_ / "splits.csv"};
  const std::string table = (dir_ / "splits.csv").string();
  const auto failure = [&](const std::string& text) {
    put_text(dir_ / "splits.csv", text);
    return message_of<DataError>([&] { recordings(options); });
  };
  EXPECT_EQ(failure("file,split\nspeech/a.flac,train\n"),
            table + ": no row for 1 of 2 files:\n  " + (dir_ / "speech" / "b.flac").string());
  EXPECT_EQ(failure("file,split\nspeech/a.flac,train\nspeech/b.flac,dev\n"),
            table + ":3: split 'dev' is none of train, valid, test");
  EXPECT_EQ(failure("file,split\nspeech/a.flac,train\nspeech/./a.flac,test\n"),
            table + ":3: 'speech/./a.flac' has split 'test' here and 'train' in " + table + ":2");
  EXPECT_EQ(failure("file,split,label\nspeech/a.flac,train,ann\nspeech/a.flac,train,bob\n"),
            table + ":3: 'speech/a.flac' has speaker 'bob' here and 'ann' in " + table + ":2");
  EXPECT_EQ(failure("file,split\n,train\n"), table + ":2: column 'file' is empty");
  EXPECT_EQ(failure("name,split\n"),
            table + ":1: column 'file' is missing; needed are file and split");
  EXPECT_EQ(failure("file,split,split\nspeech/a.flac,train,test\n"),
            table + ":1: column 'split' occurs twice");
  options.split_by = SplitBy::speaker;
  EXPECT_THROW(recordings(options), ConfigError);
}

TEST_F(Prepare, SplitsBySpeaker) {
  for (int i = 0; i < 40; ++i) {
    put("speech/s" + std::to_string(i / 4) + "/" + std::to_string(i) + ".wav", 20);
  }
  RecordingsOptions options;
  options.split_by = SplitBy::speaker;
  options.valid_count = 2;
  options.test_count = 3;
  const auto splits = [&](int64_t seed) {
    options.seed = seed;
    std::map<std::string, std::set<Split>> of;
    for (const auto& entry : recordings(options).manifest.entries)
      of[entry.speaker].insert(entry.split);
    return of;
  };
  const auto first = splits(1);
  std::map<Split, int> speakers;
  for (const auto& [speaker, its] : first) {
    EXPECT_EQ(its.size(), 1U) << speaker;
    ++speakers[*its.begin()];
  }
  EXPECT_EQ(speakers,
            (std::map<Split, int>{{Split::train, 5}, {Split::valid, 2}, {Split::test, 3}}));
  EXPECT_EQ(splits(1), first);
  EXPECT_NE(splits(2), first);
  options.valid_count = 7;
  EXPECT_EQ(message_of<ConfigError>([&] { recordings(options); }),
            "of 10 speakers, 7 for valid and 3 for test leave none for train");
  options.speaker = SpeakerRule::none;
  EXPECT_EQ(message_of<ConfigError>([&] { recordings(options); }),
            "--speaker none leaves no speaker to split by");
}

TEST_F(Prepare, SplitsByFile) {
  for (int i = 0; i < 40; ++i) put("speech/" + std::to_string(i) + ".wav", 20);
  RecordingsOptions options;
  options.split_by = SplitBy::file;
  options.valid_count = 6;
  options.test_count = 4;
  logger_.add_file(dir_ / "log");
  const auto splits = [&](int64_t seed) {
    options.seed = seed;
    std::map<std::string, Split> of;
    for (const auto& entry : recordings(options).manifest.entries) of[entry.id] = entry.split;
    return of;
  };
  const auto first = splits(1);
  std::map<Split, int> files;
  for (const auto& [id, split] : first) ++files[split];
  EXPECT_EQ(files, (std::map<Split, int>{{Split::train, 30}, {Split::valid, 6}, {Split::test, 4}}));
  EXPECT_THAT(read_file(dir_ / "log"), HasSubstr("split by file: cuts of one recording"));
  EXPECT_EQ(splits(1), first);
  EXPECT_NE(splits(2), first);
  // One file more moves one file over each border at most.
  put("speech/new.wav", 20);
  int moved = 0;
  for (const auto& [id, split] : splits(1)) moved += first.contains(id) && first.at(id) != split;
  EXPECT_LE(moved, 2);
  options.valid_count = 37;
  EXPECT_EQ(message_of<ConfigError>([&] { recordings(options); }),
            "of 41 files, 37 for valid and 4 for test leave none for train");
}

TEST_F(Prepare, LeavesOutWhatIsTooShortToBeHeard) {
  put("speech/1.wav", 1);
  put("speech/15.wav", 15);
  put("speech/16.wav", 16);
  const Listing prepared = recordings();
  EXPECT_THAT(ids(prepared), ElementsAre("16"));
  ASSERT_EQ(prepared.problems.size(), 2U);
  EXPECT_EQ(prepared.problems[0].reason,
            "has 1 samples (less than 1 ms), which cannot be mixed or scored");
  put("clean/1.wav", 1);
  put("noisy/1.wav", 20);
  EXPECT_EQ(pairs().problems.size(), 1U);
}

TEST_F(Prepare, MatchesPairsByTheirPath) {
  put("clean/p1_1.flac", 50);
  put("noisy/p1_1.wav", 50);
  put("clean/x/p2_1.flac", 60);
  put("noisy/x/p2_1.flac", 60);
  const Listing prepared = pairs();
  EXPECT_TRUE(prepared.problems.empty());
  EXPECT_EQ(prepared.manifest.kind, Manifest::Kind::pairs);
  EXPECT_THAT(ids(prepared), ElementsAre("p1_1", "x/p2_1"));
  const ManifestEntry& entry = prepared.manifest.entries[0];
  EXPECT_EQ(entry.speaker, "p1");
  EXPECT_EQ(entry.split, Split::test);
  EXPECT_EQ(entry.noisy.path, dir_ / "noisy" / "p1_1.wav");
  EXPECT_EQ(entry.noisy.hash, hash_audio(read_audio(entry.noisy.path).samples));
  EXPECT_NE(entry.noisy.hash, entry.audio.hash);
}

TEST_F(Prepare, SaysWhyAPairIsLeftOut) {
  put("clean/good.wav");
  put("noisy/good.wav");
  put_text(dir_ / "noisy" / "good.mp3", "a preview, which is passed over");
  put("clean/alone.wav");
  put("noisy/other.wav");
  put("clean/short.wav", 90);
  put("noisy/short.wav", 347);
  put("clean/fast.wav");
  put("noisy/fast.wav", 100, 48000);
  put("clean/twice.wav");
  put("noisy/twice.wav");
  put("noisy/twice.flac");
  put("clean/broken.wav");
  put_text(dir_ / "noisy" / "broken.wav", "no audio");
  const Listing prepared = pairs();
  EXPECT_THAT(ids(prepared), ElementsAre("good"));
  std::map<std::string, std::string> reasons;
  for (const auto& [file, reason] : prepared.problems) {
    reasons[std::filesystem::path(file).lexically_relative(dir_.path()).string()] += reason;
  }
  const auto no_partner = [&](const char* folder) {
    return "has no partner of its name, or several, in " + (dir_ / folder).string();
  };
  EXPECT_EQ(reasons["clean/alone.wav"], no_partner("noisy"));
  EXPECT_EQ(reasons["noisy/other.wav"], no_partner("clean"));
  EXPECT_EQ(reasons["clean/twice.wav"], no_partner("noisy"));
  EXPECT_EQ(reasons["clean/short.wav"], "has 90 samples and " +
                                            (dir_ / "noisy" / "short.wav").string() +
                                            " has 347, more than 256 (16 ms) apart");
  EXPECT_EQ(
      reasons["noisy/fast.wav"],
      "has 48000 Hz where 16000 Hz are asked for (--rate; --resample makes copies that have them)");
  EXPECT_THAT(reasons["noisy/broken.wav"], HasSubstr("cannot be read as audio"));
  EXPECT_EQ(reasons["noisy/twice.wav"],
            "has the same name as " + (dir_ / "noisy/twice.flac").string());
  EXPECT_EQ(reasons.size(), 7U);
}

// As evaluation does with what a system drops or fills.
TEST_F(Prepare, CutsTheLongerSideOfAPair) {
  put("clean/a.wav", 1000);
  put("noisy/a.wav", 1256);
  put("clean/b.wav", 1001);
  put("noisy/b.wav", 1000);
  put("clean/c.wav", 1000);
  put("noisy/c.wav", 1000);
  logger_.add_file(dir_ / "log");
  const Listing prepared = pairs();
  EXPECT_TRUE(prepared.problems.empty());
  EXPECT_THAT(read_file(dir_ / "log"),
              HasSubstr("of 2 of 3 pairs, one side is longer by 16 ms at most, and is cut (columns "
                        "clean_cut and noisy_cut):\n  " +
                        (dir_ / "noisy/a.wav").string() + ": by 256 samples\n  " +
                        (dir_ / "clean/b.wav").string() + ": by 1 samples"));
  prepared.manifest.write(dir_ / "pairs.csv");
  const Manifest read = Manifest::read(dir_ / "pairs.csv");
  EXPECT_TRUE(read.extra_columns.empty());
  EXPECT_EQ(read.content_hash(), prepared.manifest.content_hash());
  const ManifestEntry& a = read.entries.at(0);
  EXPECT_EQ(a.samples, 1000);
  EXPECT_EQ(a.audio.cut, 0);
  EXPECT_EQ(a.noisy.cut, 256);
  EXPECT_EQ(a.noisy.hash, hash_audio(read_audio(a.noisy.path).samples));
  EXPECT_EQ(read.entries.at(1).audio.cut, 1);
  EXPECT_TRUE(check_data(dir_ / "pairs.csv", 1, logger_).problems.empty());
}

TEST_F(Prepare, MakesCopiesOfOneChannelAtTheRateAskedFor) {
  const auto left = white(4800, 1);
  const auto right = white(4800, 2);
  put_stereo(dir_ / "speech/both.wav", left, right, 48000);
  put("speech/x/one.wav", 1600);
  RecordingsOptions options;
  EXPECT_EQ(recordings().problems.size(), 1U);
  options.copies.folder = dir_ / "copies";
  options.copies.resample = true;
  EXPECT_EQ(recordings(options).problems.at(0).reason,
            "has 2 channels where one was expected (--channel makes copies of one, or of their "
            "mean)");
  options.copies.channel = 0;
  Listing prepared = recordings(options);
  EXPECT_TRUE(prepared.problems.empty());
  EXPECT_THAT(ids(prepared), ElementsAre("both", "x/one"));
  const ManifestEntry& both = prepared.manifest.entries[0];
  EXPECT_EQ(both.audio.path, dir_ / "copies/both.flac");
  EXPECT_EQ(both.samples, 1600);
  EXPECT_EQ(both.rate_hz, 16000);
  put_audio(dir_ / "left.flac",
            resample(read_audio(dir_ / "speech/both.wav", {.channel = 0}), 16000).samples);
  EXPECT_EQ(both.audio.hash, hash_audio(read_audio(dir_ / "left.flac").samples));
  EXPECT_EQ(read_audio(dir_ / "copies/x/one.flac").samples,
            read_audio(dir_ / "speech/x/one.wav").samples);

  options.copies.channel = channel_choice("mix");
  options.rate_hz = 48000;
  recordings(options);
  const auto mix = read_audio(dir_ / "copies/both.flac").samples;
  for (size_t i = 0; i < mix.size(); ++i) {
    ASSERT_NEAR(mix[i], (left[i] + right[i]) / 2, 1.1 / 32768);
  }
  options.copies.folder = dir_ / "speech";
  put("speech/y.flac");
  EXPECT_THROW(recordings(options), ConfigError) << "would replace what it reads";
}

TEST_F(Prepare, MakesCopiesOfPairs) {
  put("clean/a.wav", 4800, 48000);
  put("noisy/a.wav", 1601);
  PairsOptions options;
  options.copies.folder = dir_ / "copies";
  options.copies.resample = true;
  const Listing prepared = pairs(options);
  ASSERT_TRUE(prepared.problems.empty());
  const ManifestEntry& a = prepared.manifest.entries.at(0);
  EXPECT_EQ(a.audio.path, dir_ / "copies/clean/a.flac");
  EXPECT_EQ(a.noisy.path, dir_ / "copies/noisy/a.flac");
  EXPECT_EQ(a.samples, 1600);
  EXPECT_EQ(a.noisy.cut, 1);
  prepared.manifest.write(dir_ / "pairs.csv");
  EXPECT_TRUE(check_data(dir_ / "pairs.csv", 1, logger_).problems.empty());
}

TEST_F(Prepare, RefusedPairsLeaveNoCopies) {
  put("clean/a.wav", 1000);
  put("noisy/a.wav", 2000);
  put("clean/b.wav", 1000);
  put("noisy/b.wav", 5);
  PairsOptions options;
  options.copies.folder = dir_ / "copies";
  EXPECT_EQ(pairs(options).problems.size(), 2U);
  EXPECT_FALSE(std::filesystem::exists(dir_ / "copies"));
  put("noisy/a.wav", 1000);
  std::filesystem::create_directories(dir_ / "copies/noisy/a.flac");  // in the way
  EXPECT_EQ(pairs(options).problems.size(), 2U);
  EXPECT_FALSE(std::filesystem::exists(dir_ / "copies/clean/a.flac"));
  EXPECT_TRUE(std::filesystem::exists(dir_ / "clean/a.wav"));
}

#ifdef LIMBECK_MEMORY_LIMITS
TEST_F(Prepare, AFileThatTakesMoreMemoryThanThereIsIsLeftOut) {
  put_audio(dir_ / "speech/long.wav", std::vector<float>(2 << 20, 0.1F), 1000);
  put("speech/short.wav");
  RecordingsOptions options;
  options.rate_hz = 48000;
  options.threads = 1;
  options.copies.folder = dir_ / "copies";
  options.copies.resample = true;
  EXPECT_EQ(test::message_on_full_disk(1 << 20,
                                       [&] {
                                         test::leave_memory(200 << 20);  // half of what it takes
                                         const Listing made = recordings(options);
                                         throw std::runtime_error(join(ids(made), ", ") + "; " +
                                                                  made.problems.at(0).file + ": " +
                                                                  made.problems.at(0).reason);
                                       }),
            "short; " + (dir_ / "speech/long.wav").string() + ": takes more memory than there is");
}
#endif

TEST_F(Prepare, Summary) {
  put("speech/bob/1.flac", 16000 * 61);
  EXPECT_EQ(summary(recordings().manifest),
            "1 recordings, 1 speakers or labels, 1 min 01 s (train 1 min 01 s)");
}

TEST_F(Prepare, RealRecordings) {
  LIMBECK_NEED_SHARED_DATA(data);
  RecordingsOptions options;
  options.splits = {data / "manifest.csv"};
  options.folders = {data / "noise"};
  const Listing noise = recordings(options);
  EXPECT_TRUE(noise.problems.empty());
  EXPECT_EQ(noise.manifest.entries.size(), 31U);
  std::map<std::string, std::set<Split>> of;
  for (const auto& entry : noise.manifest.entries) of[entry.speaker].insert(entry.split);
  EXPECT_EQ(of.size(), 24U);
  for (const auto& [kind, splits] : of) EXPECT_EQ(splits.size(), 1U) << kind;

  PairsOptions test;
  test.clean = data / "vbd_test" / "clean";
  test.noisy = data / "vbd_test" / "noisy";
  const Listing pairs = prepare_pairs(test, logger_);
  EXPECT_TRUE(pairs.problems.empty());
  EXPECT_EQ(pairs.manifest.entries.size(), 25U);
}

}  // namespace
}  // namespace limbeck
