#include "limbeck/core/id_paths.h"

#include <gmock/gmock.h>

#include "core/scratch.h"
#include "limbeck/core/error.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;
using test::error_of;
using test::Scratch;

TEST(IdPaths, LieBelowTheirFolder) {
  EXPECT_EQ(path_of_id("p1/x.y", ".wav"), "p1/x.y.wav");
  EXPECT_EQ(path_of_id("./p1//x", ".wav"), "p1/x.wav");
  require_paths_of_ids({"a/x", "./b/x", "A/x", "x", "x.wav", "...", ".hidden"}, ".wav", "set.csv");
}

TEST(IdPaths, AreNoPlaceElsewhereAndNoneTwice) {
  const auto error = [](const std::vector<std::string>& ids) {
    return error_of<DataError>([&] { require_paths_of_ids(ids, ".wav", "set.csv"); });
  };
  EXPECT_EQ(error({"a", "/data/clean/a", "b", "../b", "c/../../d", "c/../a", "", "e/", "."}),
            "set.csv: ids that cannot name files:"
            "\n  '/data/clean/a' is an absolute path"
            "\n  '../b' leads out of the folder"
            "\n  'c/../../d' leads out of the folder"
            "\n  'c/../a' leads out of the folder"
            "\n  '' has no file name"
            "\n  'e/' has no file name"
            "\n  '.' has no file name");
  EXPECT_EQ(error({"a/b", "a//b"}),
            "set.csv: ids that cannot name files:\n  'a//b' names the same file as 'a/b'");
  EXPECT_EQ(error({"a.wav/b/c", "a"}),
            "set.csv: ids that cannot name files:"
            "\n  'a.wav/b/c' needs a folder where 'a' is a file");
}

// Each folder of each id is looked at, so that a long one would take for ever.
TEST(IdPaths, AreNoLongerThanPaths) {
  std::string deep;
  for (int i = 0; i < 2000; ++i) deep += "a/";
  require_paths_of_ids({deep + "x"}, ".wav", "set.csv");
  for (int i = 0; i < 100; ++i) deep += "a/";
  EXPECT_EQ(error_of<DataError>([&] { require_paths_of_ids({deep + "x"}, ".wav", "set.csv"); }),
            "set.csv: ids that cannot name files:\n  '" + deep + "x' is longer than 4095 bytes");
}

TEST(InputsAreKept, UnderWhateverName) {
  const Scratch scratch;
  const fs::path input = scratch.put("clean/x.wav", "x");
  scratch.put("out/y.wav", "y");
  fs::create_directory_symlink(scratch / "clean", scratch / "link");
  fs::create_hard_link(input, scratch / "out/hard.wav");
  require_inputs_kept({scratch / "out/y.wav", scratch / "out/new.wav"},
                      {input, scratch / "clean/missing.wav"});
  for (const char* name : {"clean/x.wav", "clean/../clean/x.wav", "link/x.wav", "out/hard.wav"}) {
    const fs::path written = scratch / name;
    EXPECT_EQ(error_of<ConfigError>(
                  [&] { require_inputs_kept({scratch / "out/new.wav", written}, {input}); }),
              input.string() + ": is read, and writing " + written.string() +
                  " would replace it; choose another folder (--out)");
  }
}

}  // namespace
}  // namespace limbeck
