#include "data/pair_dataset.h"

#include <gmock/gmock.h>

#include <set>

#include "limbeck/core/error.h"
#include "limbeck/data/batch.h"
#include "made_corpus.h"

namespace limbeck {
namespace {

using test::put_entry;
using test::TempDir;

/// Sample i of the clean side is (from + i) / 32768, of the noisy side its negative: every place
/// can be told.
ManifestEntry put_pair(const TempDir& dir, const std::string& id, int64_t count, int from = 0,
                       const std::string& speaker = "") {
  std::vector<float> ramp(static_cast<size_t>(count));
  std::vector<float> fall(ramp.size());
  for (size_t i = 0; i < ramp.size(); ++i) {
    ramp[i] = static_cast<float>(from + static_cast<int>(i)) / 32768;
    fall[i] = -ramp[i];
  }
  ManifestEntry entry = put_entry(dir / (id + "_clean.flac"), ramp);
  entry.noisy = put_entry(dir / (id + "_noisy.flac"), fall).audio;
  entry.id = id;
  entry.speaker = speaker;
  return entry;
}

PairDataset make(std::vector<ManifestEntry> entries, int64_t segment,
                 ShortItems short_items = ShortItems::pad) {
  return {std::move(entries), segment, short_items,
          std::make_shared<const AudioStore>(16000, 1 << 20)};
}

int place(float x) { return static_cast<int>(std::lround(x * 32768)); }

TEST(PairDataset, DrawsTheSamePlaceFromBothSides) {
  TempDir dir;
  const PairDataset dataset = make({put_pair(dir, "a", 20000), put_pair(dir, "b", 4000)}, 4000);
  EXPECT_EQ(dataset.size(), 2);
  EXPECT_EQ(dataset.rate_hz(), 16000);
  EXPECT_EQ(dataset.samples(0), 4000);
  std::set<float> starts;
  for (uint64_t k = 0; k < 50; ++k) {
    const Example example = dataset.get(0, SeedKey(k));
    EXPECT_EQ(example.recipe.id, "a");
    ASSERT_EQ(example.clean.size(), 4000U);
    ASSERT_EQ(example.noisy.size(), 4000U);
    EXPECT_EQ(example.clean[0], -example.noisy[0]);
    EXPECT_EQ(place(example.clean[3999]) - place(example.clean[0]), 3999);
    EXPECT_EQ(pieces_text(example.recipe.speech),
              "a@" + std::to_string(place(example.clean[0])) + "+4000");
    starts.insert(example.clean[0]);
  }
  EXPECT_GT(starts.size(), 45U);
  EXPECT_EQ(dataset.get(1, SeedKey(1)).clean[0], 0);  // as long as the segment: one place only
}

TEST(PairDataset, LeavesPaddingToTheBatch) {
  TempDir dir;
  const PairDataset dataset = make({put_pair(dir, "a", 1500)}, 4000);
  EXPECT_EQ(dataset.samples(0), 1500);
  const Example example = dataset.get(0, SeedKey(3));
  ASSERT_EQ(example.noisy.size(), 1500U);
  EXPECT_EQ(place(example.clean[1499]), 1499);
  EXPECT_EQ(place(example.noisy[1499]), -1499);
}

// What the other side lacks is never drawn.
TEST(PairDataset, LeavesOutWhatIsCut) {
  TempDir dir;
  ManifestEntry entry = put_pair(dir, "a", 1256);
  entry.audio = put_entry(dir / "shorter.flac", std::vector<float>(1000, 0.25F)).audio;
  entry.samples = 1000;
  entry.noisy.cut = 256;
  for (const int64_t room : {0, 1 << 20}) {
    const PairDataset dataset({entry}, 0, ShortItems::pad,
                              std::make_shared<const AudioStore>(16000, room));
    const Example example = dataset.get(0, SeedKey(3));
    EXPECT_EQ(example.clean.size(), 1000U);
    ASSERT_EQ(example.noisy.size(), 1000U);
    EXPECT_EQ(place(example.noisy[999]), -999);
  }
  entry.noisy.cut = 255;
  EXPECT_THAT(test::message_of<DataError>([&] { make({entry}, 0).get(0, SeedKey(3)); }),
              ::testing::HasSubstr("has 1256 samples where the manifest says 1255"));
}

TEST(PairDataset, RepeatsShortPairsFromADrawnPlace) {
  TempDir dir;
  const PairDataset dataset = make({put_pair(dir, "a", 1500)}, 4000, ShortItems::repeat);
  EXPECT_EQ(dataset.samples(0), 4000);
  std::set<int> starts;
  for (uint64_t k = 0; k < 20; ++k) {
    const Example example = dataset.get(0, SeedKey(k));
    ASSERT_EQ(example.clean.size(), 4000U);
    const int start = place(example.clean[0]);
    starts.insert(start);
    for (int i = 0; i < 4000; ++i) {
      const auto at = static_cast<size_t>(i);
      ASSERT_EQ(place(example.clean[at]), (start + i) % 1500);
      ASSERT_EQ(example.noisy[at], -example.clean[at]);
    }
  }
  EXPECT_GT(starts.size(), 15U);
}

TEST(PairDataset, ConcatenatesOthersOfTheSpeaker) {
  TempDir dir;
  const PairDataset dataset =
      make({put_pair(dir, "a", 1500, 0, "ann"), put_pair(dir, "b", 1000, 5000, "ann"),
            put_pair(dir, "c", 2000, 10000, "ann"), put_pair(dir, "d", 1000, 20000, "bob"),
            put_pair(dir, "e", 1000, 25000)},
           4000, ShortItems::concatenate);
  std::set<std::string> seconds;
  for (uint64_t k = 0; k < 30; ++k) {
    const Example example = dataset.get(0, SeedKey(k));
    ASSERT_EQ(example.clean.size(), 4000U);
    EXPECT_EQ(place(example.clean[1499]), 1499);
    size_t at = 0;
    for (const Piece& piece : example.recipe.speech) {
      EXPECT_EQ(piece.start, 0);
      EXPECT_TRUE(at == 0 ? piece.id == "a" : piece.id == "b" || piece.id == "c") << piece.id;
      const int from = piece.id == "a" ? 0 : piece.id == "b" ? 5000 : 10000;
      EXPECT_EQ(place(example.clean[at]), from);
      EXPECT_EQ(place(example.noisy[at]), -from);
      at += static_cast<size_t>(piece.count);
    }
    EXPECT_EQ(at, 4000U);
    seconds.insert(example.recipe.speech[1].id);
  }
  EXPECT_EQ(seconds.size(), 2U);
  // Alone, or of no known speaker: itself again.
  EXPECT_EQ(pieces_text(dataset.get(3, SeedKey(1)).recipe.speech),
            "d@0+1000;d@0+1000;d@0+1000;d@0+1000");
  EXPECT_EQ(dataset.get(4, SeedKey(1)).recipe.speech[3].id, "e");
}

TEST(PairDataset, GivesWholePairsWithoutASegment) {
  TempDir dir;
  const PairDataset dataset = make({put_pair(dir, "a", 1500), put_pair(dir, "b", 2500)}, 0);
  EXPECT_EQ(dataset.samples(1), 2500);
  EXPECT_EQ(dataset.get(1, SeedKey(9)).clean.size(), 2500U);
  EXPECT_EQ(dataset.get(0, SeedKey(9)).noisy.size(), 1500U);
}

TEST(PairDataset, NamesAMissingFileWhenItIsUsed) {
  TempDir dir;
  ManifestEntry entry = put_pair(dir, "a", 1500);
  std::filesystem::remove(entry.noisy.path);
  const PairDataset dataset = make({entry}, 1000);
  EXPECT_EQ(test::message_of<DataError>([&] { dataset.get(0, SeedKey(0)); }),
            entry.noisy.path.string() + ": does not exist");
  EXPECT_THROW(make({}, 1000), DataError);
}

TEST(ShortItems, AreKnownByName) {
  EXPECT_EQ(short_items("pad"), ShortItems::pad);
  EXPECT_EQ(short_items("repeat"), ShortItems::repeat);
  EXPECT_EQ(short_items("concatenate"), ShortItems::concatenate);
  EXPECT_THROW(short_items("loop"), ConfigError);
}

TEST(Collate, PadsToTheSegmentOrTheLongest) {
  const std::vector<Example> examples = {{{}, {1, 2, 3}, {4, 5, 6}}, {{}, {7}, {8}}};
  const Batch longest = collate(examples, 0);
  EXPECT_EQ(longest.samples, 3);
  EXPECT_EQ(longest.noisy, (std::vector<float>{1, 2, 3, 7, 0, 0}));
  EXPECT_EQ(longest.clean, (std::vector<float>{4, 5, 6, 8, 0, 0}));
  EXPECT_EQ(longest.valid_samples, (std::vector<int64_t>{3, 1}));
  EXPECT_EQ(collate(examples, 4).noisy, (std::vector<float>{1, 2, 3, 0, 7, 0, 0, 0}));
  EXPECT_THROW(collate(examples, 2), std::logic_error);
  EXPECT_THROW(collate({{{}, {1, 2}, {1}}}, 4), std::logic_error);
}

}  // namespace
}  // namespace limbeck
