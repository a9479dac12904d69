#include "corpus/voicebank/conversion_journal.h"

#include "data/support.h"

namespace limbeck {
namespace {

using test::put_text;
using test::TempDir;

ConvertedPair pair_of(int64_t samples) {
  return {"10-ab", "12-cd", samples, 0, 5, 700, 800, "00ff", "11ee", 3, 4};
}

TEST(ConversionJournal, RemembersTheLastRowOfEachPair) {
  TempDir dir;
  {
    ConversionJournal journal(dir / "j.csv");
    EXPECT_TRUE(journal.pairs().empty());
    journal.append("p1", pair_of(100));
    journal.append("p2, \"quoted\"", pair_of(200));
    journal.append("p1", pair_of(300));
  }
  const ConversionJournal journal(dir / "j.csv");
  ASSERT_EQ(journal.pairs().size(), 2U);
  const ConvertedPair& p1 = journal.pairs().at("p1");
  EXPECT_EQ(p1.samples, 300);
  EXPECT_EQ(p1.clean_version, "10-ab");
  EXPECT_EQ(p1.noisy_version, "12-cd");
  EXPECT_EQ(p1.clean_cut, 0);
  EXPECT_EQ(p1.noisy_cut, 5);
  EXPECT_EQ(p1.clean_bytes, 700);
  EXPECT_EQ(p1.noisy_bytes, 800);
  EXPECT_EQ(p1.clean_hash, "00ff");
  EXPECT_EQ(p1.noisy_hash, "11ee");
  EXPECT_EQ(p1.clean_clipped, 3);
  EXPECT_EQ(p1.noisy_clipped, 4);
  EXPECT_EQ(journal.pairs().at("p2, \"quoted\"").samples, 200);
}

// However many bytes of the last row reached the disk, the rows before hold and the next one is
// written whole.
TEST(ConversionJournal, SurvivesARowThatWasCutAnywhere) {
  TempDir dir;
  size_t first = 0;
  {
    ConversionJournal journal(dir / "j.csv");
    journal.append("p1", pair_of(100));
    first = read_file(dir / "j.csv").size();
    journal.append("p2", pair_of(200));
  }
  const std::string whole = read_file(dir / "j.csv");
  for (size_t size = first; size < whole.size(); ++size) {
    put_text(dir / "cut.csv", whole.substr(0, size));
    {
      ConversionJournal journal(dir / "cut.csv");
      // Without its newline only, the row is whole.
      EXPECT_EQ(journal.pairs().size(), size + 1 == whole.size() ? 2U : 1U) << size;
      journal.append("p3", pair_of(300));
    }
    const ConversionJournal again(dir / "cut.csv");
    EXPECT_EQ(again.pairs().at("p1").samples, 100);
    EXPECT_EQ(again.pairs().at("p3").samples, 300);
  }
}

TEST(ConversionJournal, BeginsAnewWhereTheFormatIsAnother) {
  TempDir dir;
  put_text(dir / "j.csv", "id,samples\np1,100\n");
  EXPECT_TRUE(ConversionJournal(dir / "j.csv").pairs().empty());
  ConversionJournal(dir / "j.csv").append("p1", pair_of(1));
  EXPECT_EQ(ConversionJournal(dir / "j.csv").pairs().size(), 1U);
}

}  // namespace
}  // namespace limbeck
