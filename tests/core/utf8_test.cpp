#include "limbeck/core/utf8.h"

#include <gtest/gtest.h>

#include <string>

#include "limbeck/core/plot.h"
#include "limbeck/core/random.h"
#include "limbeck/core/table.h"

namespace limbeck::test {
namespace {

TEST(Utf8, KnowsItsCharacters) {
  EXPECT_EQ(utf8_length("a"), 1u);
  EXPECT_EQ(utf8_length("é"), 2u);
  EXPECT_EQ(utf8_length("€uro"), 3u);
  EXPECT_EQ(utf8_length("\xF0\x9F\x8E\xA4"), 4u);
  for (const std::string bad :
       {"", "\x80", "\xC3", "\xC0\xAF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF0\x80\x80\x80",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xE2\x82", "\xC3("}) {
    EXPECT_EQ(utf8_length(bad), 0u) << bad;
  }
}

TEST(Utf8, OrdinaryNamesStayAsTheyAre) {
  for (const std::string name : {"", "a/b.wav", "Łódź", R"(C:\x\new)", R"(\xZZ)", "a\nb"}) {
    EXPECT_EQ(escape_bytes(name), name);
    EXPECT_EQ(unescape_bytes(name), name);
  }
}

TEST(Utf8, OtherNamesAreEscapedWithoutLoss) {
  EXPECT_EQ(escape_bytes("caf\xE9"), R"(caf\xe9)");
  EXPECT_EQ(escape_bytes(R"(caf\xe9)"), R"(caf\x5cxe9)");
  Random random{SeedKey(1)};
  for (int i = 0; i < 10000; ++i) {
    std::string name;
    for (uint64_t n = random.below(12); n > 0; --n) {
      name += random.below(2) == 0 ? "\\x5ce9\xC3\xA9"[random.below(8)]
                                   : static_cast<char>(random.below(256));
    }
    const std::string text = escape_bytes(name);
    EXPECT_EQ(unescape_bytes(text), name);
    for (size_t at = 0; at < text.size(); at += utf8_length(text.substr(at))) {
      ASSERT_GT(utf8_length(text.substr(at)), 0u);
    }
  }
}

TEST(Utf8, WhatIsShownSteersNoTerminal) {
  EXPECT_EQ(displayable("caf\xE9\n\tü"), "caf\xEF\xBF\xBD\n\tü");
  EXPECT_EQ(displayable("a\x1b[2Jb\rc\x7F"), R"(a\x1b[2Jb\x0dc\x7f)");
  // CSI in one character of UTF-8; what follows the last of them is a space.
  EXPECT_EQ(displayable("a\xC2\x9B"
                        "2J\xC2\x80\xC2\xA0é"),
            R"(a\xc2\x9b2J\xc2\x80)"
            "\xC2\xA0é");
  EXPECT_EQ(escape_markup("\x1b<\xE9"), "\\x1b&lt;\xEF\xBF\xBD");
  EXPECT_NE(markdown_table({"id"}, {{"a\x1b[2J"}}, 1).find(R"(a\x1b[2J)"), std::string::npos);
}

}  // namespace
}  // namespace limbeck::test
