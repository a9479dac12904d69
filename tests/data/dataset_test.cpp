#include "limbeck/data/dataset.h"

#include <gmock/gmock.h>

#include <set>

#include "limbeck/core/error.h"
#include "made_corpus.h"

namespace limbeck {
namespace {

using test::put_entry;
using test::TempDir;

/// Sample i of the clean side is i / 32768, of the noisy side −i / 32768: every place can be told.
ManifestEntry put_pair(const TempDir& dir, const std::string& id, int64_t count) {
  std::vector<float> ramp(static_cast<size_t>(count));
  std::vector<float> fall(ramp.size());
  for (size_t i = 0; i < ramp.size(); ++i) {
    ramp[i] = static_cast<float>(i) / 32768;
    fall[i] = -ramp[i];
  }
  ManifestEntry entry = put_entry(dir / (id + "_clean.flac"), ramp);
  entry.noisy = put_entry(dir / (id + "_noisy.flac"), fall).audio;
  entry.id = id;
  return entry;
}

TEST(PairDataset, DrawsTheSamePlaceFromBothSides) {
  TempDir dir;
  const auto store = std::make_shared<const AudioStore>(16000, 1 << 20);
  const PairDataset dataset({put_pair(dir, "a", 20000), put_pair(dir, "b", 4000)}, 4000, store);
  EXPECT_EQ(dataset.size(), 2);
  std::set<float> starts;
  for (uint64_t k = 0; k < 50; ++k) {
    const Example example = dataset.get(0, SeedKey(k));
    EXPECT_EQ(example.id, "a");
    EXPECT_EQ(example.valid_samples, 4000);
    ASSERT_EQ(example.clean.size(), 4000U);
    ASSERT_EQ(example.noisy.size(), 4000U);
    EXPECT_EQ(example.clean[0], -example.noisy[0]);
    EXPECT_FLOAT_EQ((example.clean[3999] - example.clean[0]) * 32768, 3999);
    starts.insert(example.clean[0]);
  }
  EXPECT_GT(starts.size(), 45U);
  EXPECT_EQ(dataset.get(1, SeedKey(1)).clean[0], 0);  // as long as the segment: one place only
}

TEST(PairDataset, PadsShortPairs) {
  TempDir dir;
  const auto store = std::make_shared<const AudioStore>(16000, 0);
  const PairDataset dataset({put_pair(dir, "a", 1500)}, 4000, store);
  const Example example = dataset.get(0, SeedKey(3));
  EXPECT_EQ(example.valid_samples, 1500);
  ASSERT_EQ(example.noisy.size(), 4000U);
  EXPECT_FLOAT_EQ(example.clean[1499] * 32768, 1499);
  EXPECT_FLOAT_EQ(example.noisy[1499] * 32768, -1499);
  for (size_t i = 1500; i < 4000; ++i) ASSERT_EQ(example.clean[i] + std::abs(example.noisy[i]), 0);
}

TEST(PairDataset, NamesAMissingFileWhenItIsUsed) {
  TempDir dir;
  ManifestEntry entry = put_pair(dir, "a", 1500);
  std::filesystem::remove(entry.noisy.path);
  const PairDataset dataset({entry}, 1000, std::make_shared<const AudioStore>(16000, 1 << 20));
  EXPECT_EQ(test::message_of<DataError>([&] { dataset.get(0, SeedKey(0)); }),
            entry.noisy.path.string() + ": does not exist");
  EXPECT_THROW(PairDataset({}, 1000, nullptr), DataError);
}

}  // namespace
}  // namespace limbeck
