// What somebody else wrote asks for more than it looks like.
#include "config/limits.h"

#include <gmock/gmock.h>

#include <cstdlib>

#include "config/sample.h"
#include "core/scratch.h"
#include "limbeck/config/resolve.h"
#include "limbeck/core/error.h"

namespace limbeck::config::test {
namespace {

using testing::HasSubstr;

std::string messages_of(const std::string& yaml) {
  Diagnostics diagnostics;
  parse_yaml(yaml, "f.yaml", diagnostics);
  std::string all;
  for (const std::string& message : diagnostics.messages()) all += message + "\n";
  return all;
}

std::string repeated(const std::string& text, size_t times) {
  std::string all;
  for (size_t i = 0; i < times; ++i) all += text;
  return all;
}

TEST(Limits, AliasesOfAliases) {
  std::string yaml = "l0: &l0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string before = "*l" + std::to_string(i - 1);
    yaml += "l" + std::to_string(i) + ": &l" + std::to_string(i) + " [" + before +
            repeated(", " + before, 9) + "]\n";
  }
  ASSERT_LT(yaml.size(), 800u);
  EXPECT_THAT(messages_of(yaml), HasSubstr("f.yaml:5:"));
  EXPECT_THAT(messages_of(yaml), HasSubstr("more than 100000 values, aliases written out"));
}

TEST(Limits, AliasesOfALongText) {
  const std::string yaml =
      "a: &a " + std::string(100'000, 'x') + "\nb: [*a" + repeated(", *a", 10'000) + "]\n";
  EXPECT_THAT(messages_of(yaml), HasSubstr("more than 100000 values"));
}

TEST(Limits, AliasesThatNest) {
  std::string yaml = "- &a0 [x]\n";
  for (int i = 1; i < 300; ++i) {
    yaml += "- &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) + "]\n";
  }
  EXPECT_THAT(messages_of(yaml), HasSubstr("nested deeper than 64 levels"));
}

TEST(Limits, DeepNesting) {
  for (const char* level : {"[", "{a: ", "- ", "? ", "&a [", "[a: ", "!x ["}) {
    for (const size_t times : {size_t{65}, size_t{3000}}) {
      EXPECT_THAT(messages_of(repeated(level, times)), HasSubstr("nested deeper than 64 levels"))
          << level << times;
    }
  }
  std::string block;
  for (size_t i = 0; i < 70; ++i) block += std::string(i, ' ') + "a:\n";
  EXPECT_THAT(messages_of(block), HasSubstr("f.yaml:65:65: nested deeper than 64 levels"));
  EXPECT_EQ(messages_of(repeated("[", 64) + repeated("]", 64)), "");
}

TEST(Limits, LongText) {
  EXPECT_EQ(messages_of(std::string(5 << 20, '#')),
            "f.yaml:1:1: more than 4 MiB of configuration\n");
}

// One that YAML takes, but not with escapes in the place of what it holds.
TEST(Limits, LongKeys) {
  EXPECT_EQ(messages_of(std::string(200, 'k') + ": 1\n"), "");
  EXPECT_EQ(messages_of("a:\n  t" + std::string(1000, '\t') + "k: 1\n"),
            "f.yaml:2:3: a: a key of more than 200 bytes\n");
}

TEST(Limits, ManyValues) {
  EXPECT_THAT(messages_of("[" + repeated("1,", 100'001) + "]"), HasSubstr("more than 100000"));
  EXPECT_EQ(messages_of("[" + repeated("1,", 9'000) + "]"), "");
}

TEST(Limits, FilesThatExtendAgainAndAgain) {
  const Scratch scratch;
  for (int i = 0; i < 20; ++i) {
    const std::string next = std::to_string(i + 1) + ".yaml";
    scratch.put(std::to_string(i) + ".yaml", "extends: [" + next + ", " + next + "]\n");
  }
  scratch.put("20.yaml", "name: a\n");
  Diagnostics diagnostics;
  resolve({scratch / "0.yaml"}, {}, diagnostics);
  EXPECT_THAT(diagnostics.messages(), testing::ElementsAre(HasSubstr("more than 1000 files")));
}

// Each is read as often as it is named, and each reading is a copy.
TEST(Limits, ALargeFileThatIsExtendedAgainAndAgain) {
  const Scratch scratch;
  scratch.put("large.yaml", "x: [1" + repeated(", 1", 40'000) + "]\n");
  const auto failure_of = [&](size_t times) {
    const auto file =
        scratch.put("a.yaml", "x:\n" + repeated("- {extends: [large.yaml]}\n", times));
    Diagnostics diagnostics;
    resolve({file}, {}, diagnostics);
    return limbeck::join(diagnostics.messages(), "\n");
  };
  EXPECT_EQ(failure_of(2), "");
  EXPECT_THAT(failure_of(3),
              HasSubstr("more than 100000 values in all files that are to be read, each as often"));
}

TEST(Limits, FilesThatNestTogether) {
  const Scratch scratch;
  const std::string deep = repeated("{a: ", 40), closing = repeated("}", 40);
  scratch.put("a.yaml", "x: " + deep + "{extends: [b.yaml]}" + closing + "\n");
  scratch.put("b.yaml", "x: " + deep + "1" + closing + "\n");
  Diagnostics diagnostics;
  resolve({scratch / "a.yaml"}, {}, diagnostics);
  EXPECT_THAT(diagnostics.messages(), testing::ElementsAre(HasSubstr("deeper than 64 levels")));
}

TEST(Limits, KeysOfManyParts) {
  Diagnostics diagnostics;
  resolve({}, {"a" + repeated(".a", 50'000) + "=1"}, diagnostics);
  EXPECT_THAT(diagnostics.messages(), testing::ElementsAre(HasSubstr("more than 64 parts")));
}

TEST(Tabs, AreNamed) {
  const std::string why = "YAML does not allow tabs for indentation; use spaces\n";
  EXPECT_EQ(messages_of("train:\n\tlr: 1\n"), "f.yaml:2:1: " + why);
  EXPECT_EQ(messages_of("train:\n  lr: 1\n \tsteps: 2\n"), "f.yaml:3:2: " + why);
  EXPECT_EQ(messages_of("train:\n  a:\n\t\tb: 1\n\t\tc: 1\n"), "f.yaml:3:1: " + why);
  EXPECT_THAT(messages_of("a: 1\n# \ttab\nb: [1\n"), HasSubstr("not valid YAML"));
  EXPECT_EQ(messages_of("a:\t1\n"), "");
}

TEST(Home, IsWhatATildeMeans) {
  const std::string before = std::getenv("HOME") != nullptr ? std::getenv("HOME") : "";
  ::setenv("HOME", "/home/ada", 1);
  EXPECT_EQ(read_sample("name: ~/data\n").name, "/home/ada/data");
  EXPECT_EQ(read_sample("name: ~ada/data\n").name, "~ada/data");
  EXPECT_EQ(read_sample("name: a~/b\n").name, "a~/b");
  const Scratch scratch;
  ::setenv("HOME", scratch.path().c_str(), 1);
  scratch.put("base.yaml", "name: base\n");
  scratch.put("sub/own.yaml", "extends: [~/base.yaml]\n");
  Diagnostics diagnostics;
  EXPECT_EQ(to_yaml(resolve({scratch / "sub/own.yaml"}, {}, diagnostics)), "name: base\n");
  ::setenv("HOME", before.c_str(), 1);
}

}  // namespace
}  // namespace limbeck::config::test
