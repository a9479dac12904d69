#include "limbeck/data/listing.h"

#include <gmock/gmock.h>

#include "data/support.h"
#include "limbeck/core/error.h"
#include "limbeck/data/leak.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;
using test::message_of;
using test::put_text;
using test::TempDir;
using ::testing::ElementsAre;

TEST(FindRecordings, TellsFoldersApartWhoseNamesEndAlike) {
  const TempDir dir;
  const fs::path one = dir / "one";
  const fs::path other = dir / "other" / one.relative_path();  // all of the first path ends it
  for (const fs::path& folder : {one, other}) put_text(folder / "a.wav", "");
  const auto ids = [&](const std::vector<fs::path>& folders) {
    std::vector<std::string> all;
    for (const auto& entry : find_recordings(folders, SpeakerRule::none)) all.push_back(entry.id);
    return all;
  };
  const std::string end = one.relative_path().string() + "/a";
  EXPECT_THAT(ids({one, other}), ElementsAre(end, "other/" + end));
  EXPECT_EQ(message_of<DataError>([&] { ids({one, other, one / "../one/."}); }),
            one.string() + ": is named twice");
  fs::create_directory_symlink(one, dir / "link");
  put_text(one / "deep/b.wav", "");
  for (const fs::path& again : {one / "deep", dir / "link", dir / "link/deep"}) {
    EXPECT_EQ(message_of<DataError>([&] { ids({again, one}); }),
              again.string() + ": lies in " + one.string() +
                  ", which is searched, too; name one of them");
  }
}

TEST(Speakers, FollowTheRule) {
  const auto of = [](const char* path, SpeakerRule rule) {
    return speaker_of(path, "/data/vctk", rule);
  };
  EXPECT_EQ(of("p225/p225_001.wav", SpeakerRule::automatic), "p225");
  EXPECT_EQ(of("p232_001.wav", SpeakerRule::automatic), "p232");
  EXPECT_EQ(of("84-121123-0001.flac", SpeakerRule::automatic), "84");
  EXPECT_EQ(of("alone.wav", SpeakerRule::automatic), "alone");
  EXPECT_EQ(of("x/y/z_1.wav", SpeakerRule::folder), "y");
  EXPECT_EQ(of("x/y/z_1.wav", SpeakerRule::top), "x");
  EXPECT_EQ(of("z_1.wav", SpeakerRule::top), "vctk");
  EXPECT_EQ(of("z_1.wav", SpeakerRule::folder), "vctk");
  EXPECT_EQ(of("x/z_1.wav", SpeakerRule::prefix), "z");
  EXPECT_EQ(of("x/z_1.wav", SpeakerRule::none), "");
  EXPECT_EQ(speaker_rule("auto"), SpeakerRule::automatic);
  EXPECT_THROW(speaker_rule("guess"), ConfigError);
}

TEST(Speakers, AreReadFromTheLayout) {
  const auto of = [](const char* path, const char* root = "/data/set") {
    return speaker_of(path, root, SpeakerRule::automatic);
  };
  // LibriSpeech: a folder a chapter, in a folder a speaker.
  EXPECT_EQ(of("26/495/26-495-0000.flac"), "26");
  EXPECT_EQ(of("dev-clean/26/496/26-496-0012.flac"), "26");
  EXPECT_EQ(of("495/26-495-0000.flac", "LibriSpeech/26"), "26");
  EXPECT_EQ(of("495/26-495-0000.flac", "LibriSpeech/26/"), "26");
  EXPECT_EQ(of("x/p225/mic1/p225_001.wav"), "p225");
  EXPECT_EQ(of("2/26/26-495-0000.flac"), "26");  // no name that goes on with another digit
  EXPECT_EQ(of("bob/bob_studio/bob_studio_1.wav"), "bob");
  // One folder: it has the name.
  EXPECT_EQ(of("bob/1.flac"), "bob");
  EXPECT_EQ(of("bob/speech_1.flac", "/data/speech"), "bob");
  // Below that, a guess would do harm.
  EXPECT_EQ(of("bob/monday/1.flac"), "");
  EXPECT_EQ(of("DR1/FCJF0/SA1.WAV"), "");
}

// However the column `speaker` came to hold chapters.
TEST(Speakers, AreNoChaptersWhereLeaksAreLookedFor) {
  EXPECT_EQ(without_chapter("26/495/26-495-0000.flac", "495"), "26");
  EXPECT_EQ(without_chapter("26/495/26-495-0000.flac", "26"), "26");
  EXPECT_EQ(without_chapter("26/495/26-495-0000.flac", "Ann"), "Ann");
  EXPECT_EQ(without_chapter("set/p225/p225_001.flac", "p225"), "p225");
  EXPECT_EQ(without_chapter("26/495/26-495-0000.flac", ""), "");
  ManifestEntry entry;
  entry.audio.path = "26/495/26-495-0000.flac";
  entry.speaker = "495";
  entry.samples = entry.rate_hz = 1;
  EXPECT_EQ(fingerprints({entry}).at(0).speaker, "26");
  EXPECT_EQ(fingerprints({entry}, true).at(0).speaker, "495");  // a kind of noise
}

}  // namespace
}  // namespace limbeck
