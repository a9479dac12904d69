#include "limbeck/data/loader.h"

#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <set>
#include <thread>

#include "limbeck/core/error.h"
#include "made_corpus.h"

namespace limbeck {
namespace {

using test::MadeCorpus;

std::string hash_of(const Batch& batch) {
  std::string text = test::hash_of(batch.noisy) + test::hash_of(batch.clean);
  for (const int64_t valid : batch.valid_samples) text += " " + std::to_string(valid);
  for (const auto& id : batch.ids) text += " " + id;
  return text;
}

std::vector<std::string> hashes(Loader& loader, int count) {
  std::vector<std::string> all;
  for (int i = 0; i < count; ++i) all.push_back(hash_of(loader.next()));
  return all;
}

/// Items of one sample: the index, and a number from the key. Item `broken` throws; `delay` slows
/// it down.
class Counting : public Dataset {
 public:
  explicit Counting(int64_t size, int64_t broken = -1, std::chrono::microseconds delay = {})
      : size_(size), broken_(broken), delay_(delay) {}
  int64_t size() const override { return size_; }
  int64_t segment_samples() const override { return 1; }
  Example get(int64_t index, SeedKey key) const override {
    ++calls;
    // Uneven, so that workers finish out of order.
    std::this_thread::sleep_for(delay_ * (key.value() % 4));
    if (index == broken_) throw DataError("item " + std::to_string(index) + " is broken");
    return {std::to_string(index),
            {static_cast<float>(Random(key).uniform())},
            {static_cast<float>(index)},
            1};
  }
  mutable std::atomic<int> calls{0};

 private:
  int64_t size_;
  int64_t broken_;
  std::chrono::microseconds delay_;
};

TEST(Loader, BatchesAreTheSameForAnyWorkersAndPrefetch) {
  const MadeCorpus corpus;
  const MixtureDataset dataset = corpus.mixtures(4000);
  Loader plain(dataset, {.batch_size = 3, .workers = 0, .prefetch = 1}, SeedKey(5));
  const auto wanted = hashes(plain, 100);
  EXPECT_EQ(std::set<std::string>(wanted.begin(), wanted.end()).size(), 100U);
  for (const int64_t workers : {1, 2, 8}) {
    for (const int64_t prefetch : {1, 16}) {
      Loader loader(dataset, {.batch_size = 3, .workers = workers, .prefetch = prefetch},
                    SeedKey(5));
      EXPECT_EQ(hashes(loader, 100), wanted) << workers << " workers, prefetch " << prefetch;
    }
  }
}

TEST(Loader, ResumesAtAnyBatch) {
  const MadeCorpus corpus;
  const MixtureDataset dataset = corpus.mixtures(4000);
  Loader whole(dataset, {.batch_size = 4, .workers = 2, .prefetch = 3}, SeedKey(5));
  const auto wanted = hashes(whole, 30);
  for (const int64_t first : {1, 7, 29}) {
    for (const int64_t workers : {0, 2}) {
      Loader loader(dataset, {.batch_size = 4, .workers = workers, .prefetch = 2}, SeedKey(5),
                    first);
      EXPECT_EQ(hashes(loader, 30 - static_cast<int>(first)),
                std::vector<std::string>(wanted.begin() + first, wanted.end()));
    }
  }
}

TEST(Loader, BatchesRunOverTheEndsOfEpochs) {
  const Counting dataset(5, -1, std::chrono::microseconds(200));
  Loader loader(dataset, {.batch_size = 3, .workers = 3, .prefetch = 4}, SeedKey(1));
  std::vector<int> visits(5, 0);
  std::set<float> draws;
  for (int i = 0; i < 10; ++i) {
    const Batch batch = loader.next();
    EXPECT_EQ(batch.size, 3);
    EXPECT_EQ(batch.samples, 1);
    ASSERT_EQ(batch.clean.size(), 3U);
    for (size_t k = 0; k < 3; ++k) {
      ++visits[static_cast<size_t>(batch.clean[k])];
      EXPECT_EQ(batch.ids[k], std::to_string(static_cast<int>(batch.clean[k])));
      draws.insert(batch.noisy[k]);
    }
  }
  EXPECT_EQ(visits, std::vector<int>(5, 6));
  EXPECT_EQ(draws.size(), 30U);  // no key comes twice
}

TEST(Loader, AnotherRootGivesOtherBatches) {
  const Counting dataset(50);
  Loader a(dataset, {.batch_size = 8}, SeedKey(1));
  Loader b(dataset, {.batch_size = 8}, SeedKey(2));
  EXPECT_NE(hash_of(a.next()), hash_of(b.next()));
}

TEST(Loader, ThrowsWhatAWorkerThrewAtTheSameBatch) {
  for (const int64_t workers : {0, 1, 3}) {
    const Counting dataset(20, 13);
    Loader loader(dataset, {.batch_size = 2, .workers = workers, .prefetch = 4}, SeedKey(1));
    int good = 0;
    std::string message;
    try {
      for (;; ++good) loader.next();
    } catch (const DataError& e) {
      message = e.what();
    }
    EXPECT_EQ(message, "item 13 is broken");
    static int expected = -1;
    if (expected < 0) expected = good;
    EXPECT_EQ(good, expected) << workers << " workers";
    EXPECT_LT(good, 10);
    EXPECT_THROW(loader.next(), DataError);  // and again: nothing is skipped
  }
}

TEST(Loader, MakesNoMoreThanItWasAskedForAhead) {
  const Counting dataset(1000);
  {
    Loader loader(dataset, {.batch_size = 1, .workers = 4, .prefetch = 3}, SeedKey(1));
    loader.next();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_EQ(dataset.calls, 4);  // the one taken and three ahead
  }
  EXPECT_EQ(dataset.calls, 4);
}

TEST(Loader, StopsWhileWorkersAreBusy) {
  for (int i = 0; i < 20; ++i) {
    const Counting dataset(100, -1, std::chrono::microseconds(300));
    Loader loader(dataset, {.batch_size = 2, .workers = 4, .prefetch = 8}, SeedKey(1));
    if (i % 2 == 0) loader.next();
  }
}

TEST(Loader, MeasuresWaiting) {
  const Counting slow(100, -1, std::chrono::milliseconds(4));
  for (const int64_t workers : {0, 1}) {
    Loader loader(slow, {.batch_size = 8, .workers = workers, .prefetch = 1}, SeedKey(1));
    EXPECT_EQ(loader.wait_seconds(), 0);
    loader.next();
    EXPECT_GT(loader.wait_seconds(), 0.005);
  }
  const Counting fast(100);
  Loader loader(fast, {.batch_size = 8, .workers = 1, .prefetch = 8}, SeedKey(1));
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  loader.next();
  EXPECT_LT(loader.wait_seconds(), 0.1);
}

TEST(Loader, RefusesWrongOptionsAndDataSets) {
  const Counting dataset(10);
  EXPECT_THROW(Loader(dataset, {.batch_size = 0}, SeedKey(1)), std::logic_error);
  EXPECT_THROW(Loader(dataset, {.workers = -1}, SeedKey(1)), std::logic_error);
  EXPECT_THROW(Loader(dataset, {.prefetch = 0}, SeedKey(1)), std::logic_error);
  EXPECT_THROW(Loader(dataset, {}, SeedKey(1), -1), std::logic_error);
  EXPECT_THROW(Loader(Counting(0), {}, SeedKey(1)), std::logic_error);
}

TEST(FixedBatch, DependsOnItsSeedOnlyAndCanBeTakenInParts) {
  const MadeCorpus corpus;
  const MixtureDataset dataset = corpus.mixtures(4000);
  const Batch whole = fixed_batch(dataset, 0, 12, 1);  // more than there are items
  EXPECT_EQ(whole.size, 12);
  const Batch tail = fixed_batch(dataset, 8, 4, 1);
  EXPECT_TRUE(std::equal(tail.noisy.begin(), tail.noisy.end(), whole.noisy.begin() + 8 * 4000));
  EXPECT_NE(hash_of(fixed_batch(dataset, 0, 12, 2)), hash_of(whole));
  Loader training(dataset, {.batch_size = 12}, SeedKey(1));
  EXPECT_NE(hash_of(training.next()), hash_of(whole));
}

// Fixed: the stream of examples belongs to what a seed means.
TEST(Loader, KeysAreThoseOfEveryPlatform) {
  const Counting dataset(4);
  Loader loader(dataset, {.batch_size = 6}, SeedKey(42));
  const Batch batch = loader.next();
  EXPECT_EQ(batch.clean, (std::vector<float>{1, 3, 2, 0, 1, 0}));
  EXPECT_FLOAT_EQ(batch.noisy[0], 0.1806992F);
  EXPECT_FLOAT_EQ(batch.noisy[5], 0.91422206F);
}

}  // namespace
}  // namespace limbeck
