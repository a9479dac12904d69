#include "limbeck/core/table.h"

#include <gtest/gtest.h>

namespace limbeck {
namespace {

TEST(MarkdownTable, AlignsTextLeftAndNumbersRight) {
  EXPECT_EQ(
      markdown_table({"system", "SI-SDR", "n"}, {{"noisy", "3.80", "8"}, {"teacher", "9.3", "10"}}),
      "| system  | SI-SDR |   n |\n"
      "| ------- | -----: | --: |\n"
      "| noisy   |   3.80 |   8 |\n"
      "| teacher |    9.3 |  10 |\n");
}

TEST(MarkdownTable, TakesMoreTextColumns) {
  EXPECT_EQ(markdown_table({"a", "b", "c"}, {{"x", "long", "1"}}, 2),
            "| a   | b    |   c |\n"
            "| --- | ---- | --: |\n"
            "| x   | long |   1 |\n");
}

TEST(MarkdownTable, CountsCharactersNotBytes) {
  EXPECT_EQ(markdown_table({"x", "dB"}, {{"é±é", "8.1 ± 0.2"}}),
            "| x   |        dB |\n"
            "| --- | --------: |\n"
            "| é±é | 8.1 ± 0.2 |\n");
}

TEST(MarkdownTable, EscapesWhatWouldBreakIt) {
  EXPECT_EQ(markdown_table({"a|b"}, {{"||"}, {"two\nlines"}}),
            "| a\\|b      |\n"
            "| --------- |\n"
            "| \\|\\|      |\n"
            "| two lines |\n");
}

TEST(MarkdownTable, FillsRaggedRows) {
  EXPECT_EQ(markdown_table({"a", "b"}, {{"x"}, {"y", "1", "2"}}),
            "| a   |   b |     |\n"
            "| --- | --: | --: |\n"
            "| x   |     |     |\n"
            "| y   |   1 |   2 |\n");
}

TEST(MarkdownTable, NeedsNoRows) {
  EXPECT_EQ(markdown_table({"abcd"}, {}), "| abcd |\n| ---- |\n");
}

}  // namespace
}  // namespace limbeck
