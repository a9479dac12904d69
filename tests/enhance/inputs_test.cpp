#include "enhance/inputs.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "core/scratch.h"
#include "limbeck/core/error.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;
using test::error_of;
using test::Scratch;
using testing::ElementsAre;

/// "input→result", both seen from the scratch folder.
std::vector<std::string> text(const FoundInputs& found, const Scratch& scratch) {
  std::vector<std::string> lines;
  for (const auto& [input, relative] : found.files) {
    lines.push_back(input.lexically_relative(scratch.path()).string() + "→" + relative.string());
  }
  return lines;
}

TEST(EnhanceInputs, KeepTheStructureOfAFolderWithoutItsName) {
  const Scratch scratch;
  for (const char* name : {"in/b.wav", "in/sub/a.FLAC", "in/sub/deep/c.ogg", "one.aiff", "odd"}) {
    scratch.put(name, "x");
  }
  const FoundInputs found =
      find_inputs({scratch / "one.aiff", scratch / "in", scratch / "odd"}, scratch / "out");
  EXPECT_THAT(text(found, scratch),
              ElementsAre("one.aiff→one.aiff", "in/b.wav→b.wav", "in/sub/a.FLAC→sub/a.FLAC",
                          "in/sub/deep/c.ogg→sub/deep/c.ogg", "odd→odd"));
  EXPECT_EQ(found.passed_over, "");
  EXPECT_TRUE(found.failures.empty());
}

TEST(EnhanceInputs, SayWhatTheyPassOver) {
  const Scratch scratch;
  for (const char* name : {"in/a.wav", "in/a.txt", "in/x/b.TXT", "in/README", "in/.a.wav",
                           "in/.git/b.wav", "in/data.mat"}) {
    scratch.put(name, "x");
  }
  ASSERT_EQ(::mkfifo((scratch / "in/pipe.wav").c_str(), 0600), 0);
  const FoundInputs found = find_inputs({scratch / "in"}, scratch / "out");
  EXPECT_THAT(text(found, scratch), ElementsAre("in/a.wav→a.wav"));
  EXPECT_EQ(found.passed_over, "1 .mat, 2 .txt, 2 hidden, 1 no regular file, 1 without extension");
}

TEST(EnhanceInputs, FollowLinksButNotInRings) {
  const Scratch scratch;
  scratch.put("in/sub/a.wav", "x");
  scratch.put("elsewhere/b.wav", "x");
  fs::create_directory_symlink("..", scratch / "in/sub/up");
  fs::create_directory_symlink(scratch / "elsewhere", scratch / "in/linked");
  fs::create_symlink("nothing", scratch / "in/dangling.wav");
  fs::create_symlink("ring.wav", scratch / "in/ring.wav");
  const FoundInputs found = find_inputs({scratch / "in"}, scratch / "out");
  EXPECT_THAT(text(found, scratch),
              ElementsAre("in/dangling.wav→dangling.wav", "in/linked/b.wav→linked/b.wav",
                          "in/ring.wav→ring.wav", "in/sub/a.wav→sub/a.wav"));
}

// A search that ends only rings would go through the folders in each of their 24! orders.
TEST(EnhanceInputs, GoThroughNoFolderTwice) {
  const Scratch scratch;
  constexpr int kFolders = 24;
  const auto folder = [](int i) { return "in/" + std::to_string(i); };
  for (int i = 0; i < kFolders; ++i) scratch.put(folder(i) + "/a.wav", "x");
  for (int i = 0; i < kFolders; ++i) {
    for (int to = 0; to < kFolders; ++to) {
      fs::create_directory_symlink("../" + std::to_string(to),
                                   scratch / (folder(i) + "/to" + std::to_string(to)));
    }
  }
  const FoundInputs found = find_inputs({scratch / "in"}, scratch / "out");
  EXPECT_EQ(found.files.size(), 24U);
  EXPECT_EQ(found.passed_over, "576 searched by another name");
}

TEST(EnhanceInputs, LeaveOutTheFolderOfTheResults) {
  const Scratch scratch;
  scratch.put("in/a.wav", "x");
  scratch.put("in/clean/a.wav", "x");
  fs::create_directory_symlink("clean", scratch / "in/same");
  const FoundInputs found = find_inputs({scratch / "in"}, scratch / "in/../in/clean");
  EXPECT_THAT(text(found, scratch), ElementsAre("in/a.wav→a.wav"));
  EXPECT_EQ(
      error_of<ConfigError>([&] { find_inputs({scratch / "in"}, scratch / "in/"); }),
      "--out: " + (scratch / "in").string() + " is the folder that is read; choose another one");
}

TEST(EnhanceInputs, NameWhatIsNoRecording) {
  const Scratch scratch;
  scratch.put("empty/notes.txt", "x");
  ASSERT_EQ(::mkfifo((scratch / "pipe.wav").c_str(), 0600), 0);
  const FoundInputs found = find_inputs(
      {scratch / "empty", scratch / "pipe.wav", scratch / "none", "/dev/null"}, scratch / "out");
  EXPECT_TRUE(found.files.empty());
  ASSERT_EQ(found.failures.size(), 4U);
  EXPECT_EQ(found.failures[0].reason, "holds no recording");
  EXPECT_THAT(found.failures[1].reason, testing::StartsWith("is no regular file"));
  EXPECT_EQ(found.failures[2].input, scratch / "none");
  EXPECT_EQ(found.failures[2].reason, "does not exist");
  EXPECT_THAT(found.failures[3].reason, testing::StartsWith("is no regular file"));
}

TEST(EnhanceInputs, MayHaveAnyName) {
  const Scratch scratch;
  scratch.put("in/\xff\xfe '\n.wav", "x");
  const FoundInputs found = find_inputs({scratch / "in"}, scratch / "out");
  EXPECT_THAT(text(found, scratch), ElementsAre("in/\xff\xfe '\n.wav→\xff\xfe '\n.wav"));
}

}  // namespace
}  // namespace limbeck
