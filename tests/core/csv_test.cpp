#include "limbeck/core/csv.h"

#include <gmock/gmock.h>

#include "core/scratch.h"
#include "limbeck/core/error.h"
#include "limbeck/core/random.h"

namespace limbeck {
namespace {

using test::error_of;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ParseCsv, ReadsRowsWithTheirLines) {
  const Csv csv = parse_csv("id,path\na,x.wav\n\nb,y.wav", "m.csv");
  EXPECT_THAT(csv.header, ElementsAre("id", "path"));
  EXPECT_THAT(csv.rows, ElementsAre(ElementsAre("a", "x.wav"), ElementsAre("b", "y.wav")));
  EXPECT_THAT(csv.lines, ElementsAre(2, 4));
  EXPECT_EQ(csv.column("path"), 1);
  EXPECT_EQ(csv.column("Path"), -1);
}

TEST(ParseCsv, UnderstandsQuotes) {
  const Csv csv =
      parse_csv("a,b\n\"x,y\",\"say \"\"hi\"\"\"\n\"two\nlines\",\"\"\nplain,5\" disk\n", "m.csv");
  EXPECT_THAT(csv.rows, ElementsAre(ElementsAre("x,y", "say \"hi\""), ElementsAre("two\nlines", ""),
                                    ElementsAre("plain", "5\" disk")));
  EXPECT_THAT(csv.lines, ElementsAre(2, 3, 5))
      << "a newline in quotes counts as a line of the file";
}

TEST(ParseCsv, TakesWindowsFiles) {
  const Csv csv = parse_csv("\xEF\xBB\xBFid,b\r\n1,\r\n\r\n\"2\",z\r\n", "m.csv");
  EXPECT_EQ(csv.column("id"), 0) << "the byte order mark is not part of the name";
  EXPECT_THAT(csv.rows, ElementsAre(ElementsAre("1", ""), ElementsAre("2", "z")));
  EXPECT_THAT(csv.lines, ElementsAre(2, 4));
}

TEST(ParseCsv, KeepsSpacesAndLoneCarriageReturns) {
  EXPECT_THAT(parse_csv("a\n x \n", "m.csv").rows, ElementsAre(ElementsAre(" x ")));
  EXPECT_THAT(parse_csv("a\nx\ry\r\n", "m.csv").rows, ElementsAre(ElementsAre("x\ry")));
}

TEST(ParseCsv, HeaderAloneIsATableWithoutRows) {
  EXPECT_THAT(parse_csv("a,b\n", "m.csv").rows, IsEmpty());
}

TEST(ParseCsv, NamesTheLineOfARowOfAnotherWidth) {
  EXPECT_EQ(error_of<DataError>([] { parse_csv("a,b\n1,2\n1,2,3\n", "m.csv"); }),
            "m.csv:3: 3 fields where the header has 2");
  EXPECT_EQ(error_of<DataError>([] { parse_csv("a,b\n\"1\n\n\",2\n\n5\n", "m.csv"); }),
            "m.csv:6: 1 fields where the header has 2");
  EXPECT_EQ(error_of<DataError>([] { parse_csv("a,b\n1,2,", "m.csv"); }),
            "m.csv:2: 3 fields where the header has 2");
}

TEST(ParseCsv, NamesTheLineWhereAnOpenQuoteBegins) {
  EXPECT_EQ(error_of<DataError>([] { parse_csv("a\n1\n\"2\n3\n", "m.csv"); }),
            "m.csv:3: a quote is not closed");
}

TEST(ParseCsv, RefusesAnEmptyFile) {
  for (const char* text : {"", "\n\r\n", "\xEF\xBB\xBF"}) {
    EXPECT_EQ(error_of<DataError>([&] { parse_csv(text, "m.csv"); }), "m.csv: is empty");
  }
}

TEST(ParseCsv, SaysWhatAnotherKindOfTableIs) {
  using std::string_view_literals::operator""sv;
  const auto error = [](std::string_view text) {
    return error_of<DataError>([&] { parse_csv(text, "m.csv"); });
  };
  const std::string utf16 = "m.csv: is UTF-16 text; save it as UTF-8 (iconv -f UTF-16 -t UTF-8)";
  EXPECT_EQ(error("\xFF\xFEi\0d\0,\0b\0\n\0"sv), utf16);
  EXPECT_EQ(error("\xFE\xFF\0i\0d\0\n"sv), utf16);
  EXPECT_EQ(error("i\0d\0,\0b\0\n\0"sv), utf16) << "without a mark";
  EXPECT_EQ(error("\0i\0d\0\n"sv), utf16);
  EXPECT_EQ(error("id,path\na,x\0y\n"sv), "m.csv: is no text: it holds zero bytes");
  EXPECT_EQ(error("PK\x03\x04..."),
            "m.csv: is a zip file or a spreadsheet (.xlsx, .ods); save the table as CSV, UTF-8");
  // Commas within rows do not hide it.
  EXPECT_EQ(error("id;path\na;x,y.wav\n"),
            "m.csv:1: columns are separated by ';' (as some spreadsheets do); needed are commas");
  EXPECT_EQ(error("\xEF\xBB\xBFid\tpath\na\tx\n"),
            "m.csv:1: columns are separated by tabs; needed are commas");
  EXPECT_EQ(error("id,path\ra,x.wav\r"), "m.csv:1: lines end in CR alone; needed is LF or CRLF");
}

TEST(ReadCsv, NamesTheFile) {
  const test::Scratch scratch;
  const auto path = scratch.put("m.csv", "a\n1,2\n");
  EXPECT_EQ(error_of<DataError>([&] { read_csv(path); }),
            path.string() + ":2: 2 fields where the header has 1");
}

TEST(CsvLine, QuotesOnlyWhatNeedsIt) {
  EXPECT_EQ(csv_line({"a", "b c", "d,e", "f\"g", ""}), "a,b c,\"d,e\",\"f\"\"g\",\n");
}

TEST(CsvLine, ReadsBackWhateverTheFieldsHold) {
  Random random{SeedKey(1).with("csv")};
  const std::vector<std::string> pieces = {"a", ",", "\"",   "\n",  "\r", "\r\n",
                                           " ", "ä", "\"\"", "1.5", ""};
  for (int round = 0; round < 500; ++round) {
    const size_t width = 1 + random.below(4);
    std::vector<std::string> header;
    const std::string mark = round % 2 == 0 ? "" : "\xEF\xBB\xBF";
    for (size_t c = 0; c < width; ++c) header.push_back(mark + "c" + std::to_string(c));
    std::vector<std::vector<std::string>> rows(random.below(4));
    std::string text = csv_line(header);
    for (auto& row : rows) {
      row.resize(width);
      for (auto& field : row) {
        for (uint64_t n = random.below(6); n > 0; --n) field += pieces[random.below(pieces.size())];
      }
      text += csv_line(row);
    }
    const Csv csv = parse_csv(text, "m.csv");
    ASSERT_EQ(csv.header, header) << text;
    ASSERT_EQ(csv.rows, rows) << text;
  }
}

}  // namespace
}  // namespace limbeck
