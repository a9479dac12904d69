#include "limbeck/data/validation.h"

#include <gtest/gtest.h>

#include <map>

#include "made_corpus.h"

namespace limbeck {
namespace {

/// Examples whose lengths are given; the first sample is the item's number, the second is drawn.
class Lengths : public Dataset {
 public:
  explicit Lengths(std::vector<int64_t> lengths) : lengths_(std::move(lengths)) {}
  int64_t size() const override { return static_cast<int64_t>(lengths_.size()); }
  int rate_hz() const override { return 16000; }
  int64_t segment_samples() const override { return 0; }
  int64_t samples(int64_t index) const override { return lengths_.at(static_cast<size_t>(index)); }
  Example get(int64_t index, SeedKey key) const override {
    Example example;
    example.clean.assign(static_cast<size_t>(samples(index)), 1);
    example.clean[0] = static_cast<float>(index);
    example.clean[1] = static_cast<float>(Random(key).uniform());
    example.noisy = example.clean;
    return example;
  }

 private:
  std::vector<int64_t> lengths_;
};

std::vector<int64_t> drawn_lengths(int64_t count, double low, double high, uint64_t seed) {
  Random random{SeedKey(seed)};
  std::vector<int64_t> lengths;
  for (int64_t i = 0; i < count; ++i) {
    lengths.push_back(std::llround(std::exp(random.uniform(std::log(low), std::log(high)))));
  }
  return lengths;
}

/// Item → its second sample, over all batches; checks sizes and padding.
std::map<int, float> walk(const ValidationSet& set, int64_t batch_size) {
  std::map<int, float> seen;
  for (int64_t n = 0; n < set.batches(); ++n) {
    const Batch batch = set.batch(n);
    EXPECT_GE(batch.size, 1);
    EXPECT_LE(batch.size, batch_size);
    int64_t valid = 0;
    for (size_t i = 0; i < batch.valid_samples.size(); ++i) {
      valid += batch.valid_samples[i];
      const size_t first = i * static_cast<size_t>(batch.samples);
      seen[static_cast<int>(batch.clean[first])] = batch.clean[first + 1];
    }
    const int64_t all = batch.size * batch.samples;
    EXPECT_LE(static_cast<double>(all - valid), 0.1 * static_cast<double>(all)) << n;
  }
  return seen;
}

TEST(ValidationSet, PadsNoBatchByMoreThanATenth) {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    const auto lengths = drawn_lengths(1 + static_cast<int64_t>(seed * 7 % 200), 2, 5000, seed);
    for (const int64_t batch_size : {1, 8, 64}) {
      const ValidationSet set(std::make_unique<Lengths>(lengths), 0, 1, batch_size);
      EXPECT_EQ(set.size(), static_cast<int64_t>(lengths.size()));
      EXPECT_EQ(walk(set, batch_size).size(), lengths.size());  // each item once
      EXPECT_LT(set.padding(), 0.1);
    }
  }
}

TEST(ValidationSet, FillsBatchesWhereLengthsAllow) {
  // As VoiceBank-DEMAND's validation speakers: 770 utterances of 1.5 to 12 s.
  const ValidationSet set(std::make_unique<Lengths>(drawn_lengths(770, 1500, 12000, 3)), 0, 1, 8);
  EXPECT_LE(set.batches(), 770 / 8 + 8);
  EXPECT_LT(set.padding(), 0.02);
  const ValidationSet equal(std::make_unique<Lengths>(std::vector<int64_t>(20, 100)), 0, 1, 8);
  EXPECT_EQ(equal.batches(), 3);
  EXPECT_EQ(equal.padding(), 0);
}

TEST(ValidationSet, DependsOnItsSeedOnly) {
  const auto lengths = drawn_lengths(50, 10, 1000, 1);
  const auto draws = [&](int64_t count, uint64_t seed, int64_t batch_size) {
    return walk(ValidationSet(std::make_unique<Lengths>(lengths), count, seed, batch_size),
                batch_size);
  };
  EXPECT_EQ(draws(0, 1, 4), draws(0, 1, 16));
  EXPECT_NE(draws(0, 1, 4), draws(0, 2, 4));
  EXPECT_EQ(draws(20, 1, 4).size(), 20U);  // of the same permutation
  for (const auto& [item, draw] : draws(20, 1, 4)) EXPECT_EQ(draws(0, 1, 4).at(item), draw);
  const ValidationSet twice(std::make_unique<Lengths>(lengths), 100, 1, 4);
  EXPECT_EQ(twice.size(), 100);
  EXPECT_LT(twice.padding(), 0.1);
}

TEST(ValidationSet, TakesLongExamplesInParts) {
  /// Five minutes of a ramp after an example of 30 s.
  class Ramps : public Lengths {
   public:
    Ramps() : Lengths({30 * 16000, 300 * 16000 + 7}) {}
    Example get(int64_t index, SeedKey key) const override {
      Example example = Lengths::get(index, key);
      for (size_t i = 0; i < example.clean.size(); ++i) {
        example.clean[i] = static_cast<float>(i);
        example.noisy[i] = -example.clean[i];
      }
      return example;
    }
  };
  const ValidationSet set(std::make_unique<Ramps>(), 0, 1, 4);
  EXPECT_EQ(set.size(), 1 + 11);
  std::map<float, int64_t> ends;  // by the start
  for (int64_t n = 0; n < set.batches(); ++n) {
    const Batch batch = set.batch(n);
    EXPECT_LE(batch.samples, 30 * 16000);
    for (int64_t i = 0; i < batch.size; ++i) {
      const float* clean = batch.clean.data() + i * batch.samples;
      const int64_t samples = batch.valid_samples[static_cast<size_t>(i)];
      EXPECT_EQ(batch.noisy[static_cast<size_t>(i * batch.samples)], -clean[0]);
      EXPECT_EQ(clean[samples - 1], clean[0] + static_cast<float>(samples - 1));
      if (samples < 30 * 16000) ends[clean[0]] = static_cast<int64_t>(clean[0]) + samples;
    }
  }
  ASSERT_EQ(ends.size(), 11U);
  int64_t last = 0;
  for (const auto& [start, end] : ends) {
    EXPECT_EQ(static_cast<int64_t>(start), last);
    last = end;
  }
  EXPECT_EQ(last, 300 * 16000 + 7);
}

TEST(ValidationSet, TakesSegmentsAndWholeRecordings) {
  const test::MadeCorpus corpus;
  const auto set = [&](int64_t segment) {
    return ValidationSet(
        std::make_unique<MixtureDataset>(corpus.sources(), segment, ShortItems::pad,
                                         MixtureOptions(), corpus.store),
        12, 1, 5);
  };
  EXPECT_EQ(set(4000).batch(2).samples, 4000);
  EXPECT_EQ(set(4000).batches(), 3);
  const ValidationSet whole = set(0);
  int64_t longest = 0;
  for (int64_t n = 0; n < whole.batches(); ++n) {
    longest = std::max(longest, whole.batch(n).samples);
  }
  EXPECT_EQ(longest, 20000 + 4 * 3001);
}

}  // namespace
}  // namespace limbeck
