#include "limbeck/audio/find_audio.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <unistd.h>

#include "data/support.h"
#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/interrupt.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;
using test::message_of;
using test::put_text;
using test::TempDir;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(FindAudio, SearchesNoFolderTwice) {
  const TempDir dir;
  put_text(dir / "a/b/1.wav", "");
  put_text(dir / "z/2.wav", "");
  put_text(dir / "elsewhere/3.wav", "");
  // Rings through each other, links to the whole, to a part, to a sibling, and to the outside.
  fs::create_directories(dir / "set");
  fs::rename(dir / "a", dir / "set/a");
  fs::rename(dir / "z", dir / "set/z");
  fs::create_directory_symlink("..", dir / "set/a/up");
  fs::create_directory_symlink("../z", dir / "set/a/z");
  fs::create_directory_symlink("../a", dir / "set/z/a");
  fs::create_directory_symlink(".", dir / "set/0");
  fs::create_directory_symlink("../elsewhere", dir / "set/y");
  fs::create_directory_symlink("../elsewhere", dir / "set/x");
  fs::create_symlink("ring.wav", dir / "set/ring.wav");  // for whoever reads it
  Logger logger(Verbosity::quiet);
  logger.add_file(dir / "log");
  EXPECT_THAT(find_audio(dir / "set", &logger),
              ElementsAre("a/b/1.wav", "ring.wav", "x/3.wav", "z/2.wav"));
  EXPECT_THAT(read_file(dir / "log"),
              AllOf(HasSubstr("set: 5 links lead to folders that are searched already:"),
                    HasSubstr("set/0\n"), HasSubstr("set/a/up")));
}

TEST(FindAudio, ReadsWhatTheLibraryCanAndCountsTheRest) {
  const TempDir dir;
  for (const char* name : {"1.wav", "2.MP3", "3.Ogg", "4.aiff", "5.opus", "6.m4a", "7.M4A", "8.wma",
                           "notes.txt", ".hidden.m4a"}) {
    put_text(dir / "set" / name, "");
  }
  Logger logger(Verbosity::quiet);
  logger.add_file(dir / "log");
  EXPECT_THAT(find_audio(dir / "set", &logger),
              ElementsAre("1.wav", "2.MP3", "3.Ogg", "4.aiff", "5.opus"));
  EXPECT_THAT(read_file(dir / "log"),
              HasSubstr("set: passed over 2 .m4a, 1 .wma, which cannot be read"));
  put_text(dir / "other/6.m4a", "");
  EXPECT_THAT(
      message_of<DataError>([&] { find_audio(dir / "other"); }),
      HasSubstr("other: holds no audio file (.wav, .flac, .ogg, .mp3, .aiff): passed over 1 "
                ".m4a, which cannot be read"));
}

TEST(FindAudio, TakesTheLosslessOneOfTwoTypes) {
  const TempDir dir;
  for (const char* name : {"a.wav", "a.mp3", "a.b.mp3", "b/a.OGG", "c.flac", "c.ogg", "c.mp3"}) {
    put_text(dir / "set" / name, "");
  }
  Logger logger(Verbosity::quiet);
  logger.add_file(dir / "log");
  EXPECT_THAT(find_audio(dir / "set", &logger),
              ElementsAre("a.b.mp3", "a.wav", "b/a.OGG", "c.flac"));
  EXPECT_THAT(read_file(dir / "log"),
              HasSubstr("set: passed over 2 .mp3, 1 .ogg, beside which files of the same name are "
                        "of a lossless type"));
}

TEST(FindAudio, HeedsInterrupts) {
  const TempDir dir;
  put_text(dir / "1.wav", "");
  EXPECT_EXIT(
      {
        catch_interrupts();
        ::raise(SIGTERM);
        try {
          find_audio(dir.path());
        } catch (const Interrupted& e) {
          ::_exit(e.exit_code() == 143 ? 3 : 4);
        }
        ::_exit(5);
      },
      ::testing::ExitedWithCode(3), "");
}

}  // namespace
}  // namespace limbeck
