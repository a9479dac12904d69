#include "limbeck/data/loader.h"

#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <set>
#include <thread>

#include "data/pair_dataset.h"
#include "data/sampler.h"
#include "limbeck/core/error.h"
#include "made_corpus.h"

namespace limbeck {
namespace {

using test::MadeCorpus;
using test::TempDir;
using ::testing::AllOf;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::Le;

std::string hash_of(const Batch& batch) {
  std::string text = test::hash_of(batch.noisy) + test::hash_of(batch.clean);
  for (const int64_t valid : batch.valid_samples) text += " " + std::to_string(valid);
  for (const auto& recipe : batch.recipes) text += " " + recipe.id;
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
  int rate_hz() const override { return 16000; }
  int64_t segment_samples() const override { return 1; }
  int64_t samples(int64_t) const override { return 1; }
  Example get(int64_t index, SeedKey key) const override {
    ++calls;
    // Uneven, so that workers finish out of order.
    std::this_thread::sleep_for(delay_ * (key.value() % 4));
    if (index == broken_) throw DataError("item " + std::to_string(index) + " is broken");
    Example example{{}, {static_cast<float>(Random(key).uniform())}, {static_cast<float>(index)}};
    example.recipe.id = std::to_string(index);
    if (index % 2 == 1) example.silent = "noise " + example.recipe.id;
    return example;
  }
  mutable std::atomic<int> calls{0};

 private:
  int64_t size_;
  int64_t broken_;
  std::chrono::microseconds delay_;
};

TEST(Loader, SaysOfEachExampleWhereItCameFrom) {
  const Counting data(5);
  LoaderOptions options;
  options.batch_size = 2;
  options.workers = 2;
  options.epochs_unique = 1;
  Loader loader(data, options, SeedKey(1));
  EpochPlan plan(SeedKey(1), 5);
  const auto batches = loader.next(4);  // the fourth is the first again
  ASSERT_EQ(batches.size(), 4U);
  for (int64_t i = 0; i < 8; ++i) {
    const Batch& batch = batches[static_cast<size_t>(i / 2)];
    ASSERT_EQ(batch.draws.size(), 2U);
    const Draw& draw = batch.draws[static_cast<size_t>(i % 2)];
    const int64_t position = i % 6;
    EXPECT_EQ(draw.epoch, plan.epoch_of(position));
    EXPECT_EQ(draw.index, plan.index_at(position));
    EXPECT_EQ(draw.key, plan.key_at(position).value());
    EXPECT_EQ(batch.recipes[static_cast<size_t>(i % 2)].id, std::to_string(draw.index));
  }
}

TEST(Loader, CountsExamplesWithoutSpeechOrNoise) {
  test::TempDir dir;
  for (const int64_t workers : {0, 3}) {
    const auto file = dir / ("log" + std::to_string(workers));
    const Counting dataset(8);  // every second one
    Logger logger(Verbosity::quiet);
    logger.add_file(file);
    Loader loader(dataset, {8, workers, 4, {}, &logger}, SeedKey(1));
    for (int i = 0; i < 3; ++i) loader.next();
    const std::string text = read_file(file);
    for (const char* line : {"warning: 1 of 8 examples so far without speech or noise to be heard; "
                             "the last: noise ",
                             "warning: 2 of 8 ", "warning: 4 of 8 ", "warning: 8 of 16 "}) {
      EXPECT_THAT(text, HasSubstr(line)) << text;
    }
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 4) << text;
  }
}

/// Everything that is drawn is switched on.
LoaderOptions busy_options(int64_t workers, int64_t prefetch) {
  LoaderOptions options{3, workers, prefetch, {}, nullptr};
  options.augment = {0.5, 0.5, 0.3};
  return options;
}

MixtureDataset busy_mixtures(MadeCorpus& corpus) {
  corpus.add_responses();
  MixtureOptions options;
  options.reverb.probability = 0.5;
  options.level_probability = 0.5;
  corpus.speech.push_back(test::put_entry(corpus.dir / "short.flac", test::bursts(1500, 310)));
  corpus.speech.back().speaker = "odd";
  return corpus.mixtures(4000, options, ShortItems::concatenate);
}

TEST(Loader, HundredBatchesAreTheSameForAnyWorkersAndPrefetch) {
  MadeCorpus corpus;
  const MixtureDataset dataset = busy_mixtures(corpus);
  Loader plain(dataset, busy_options(0, 1), SeedKey(5));
  const auto wanted = hashes(plain, 100);
  EXPECT_EQ(std::set<std::string>(wanted.begin(), wanted.end()).size(), 100U);
  for (const int64_t workers : {1, 2, 8}) {
    for (const int64_t prefetch : {1, 16}) {
      Loader loader(dataset, busy_options(workers, prefetch), SeedKey(5));
      EXPECT_EQ(hashes(loader, 100), wanted) << workers << " workers, prefetch " << prefetch;
    }
  }
  for (const int first : {1, 37, 99}) {  // resumed; batch 37 begins in epoch 18
    for (const int64_t workers : {0, 1, 2, 8}) {
      Loader loader(dataset, busy_options(workers, 4), SeedKey(5), first);
      EXPECT_EQ(hashes(loader, 100 - first),
                std::vector<std::string>(wanted.begin() + first, wanted.end()))
          << workers << " workers from " << first;
    }
  }
}

TEST(Loader, BatchesRunOverTheEndsOfEpochs) {
  const Counting dataset(5, -1, std::chrono::microseconds(200));
  Loader loader(dataset, {3, 3, 4, {}, nullptr}, SeedKey(1));
  std::vector<int> visits(5, 0);
  std::set<float> draws;
  for (int i = 0; i < 10; ++i) {
    const Batch batch = loader.next();
    EXPECT_EQ(batch.size, 3);
    EXPECT_EQ(batch.samples, 1);
    ASSERT_EQ(batch.clean.size(), 3U);
    for (size_t k = 0; k < 3; ++k) {
      ++visits[static_cast<size_t>(batch.clean[k])];
      EXPECT_EQ(batch.recipes[k].id, std::to_string(static_cast<int>(batch.clean[k])));
      draws.insert(batch.noisy[k]);
    }
  }
  EXPECT_EQ(visits, std::vector<int>(5, 6));
  EXPECT_EQ(draws.size(), 30U);  // no key comes twice
}

TEST(Loader, BatchesOfTheFirstEpochsComeAgain) {
  MadeCorpus corpus;
  const MixtureDataset dataset = busy_mixtures(corpus);
  const auto items = dataset.size();
  for (const int64_t epochs : {1, 2, 3}) {
    const auto period = static_cast<int>((epochs * items + 2) / 3);
    Loader plain(dataset, busy_options(0, 1), SeedKey(5));
    const auto unique = hashes(plain, period);
    for (const int64_t workers : {0, 2}) {
      LoaderOptions options = busy_options(workers, 4);
      options.epochs_unique = epochs;
      Loader loader(dataset, options, SeedKey(5));
      for (int round = 0; round < 3; ++round) EXPECT_EQ(hashes(loader, period), unique);
      Loader resumed(dataset, options, SeedKey(5), 2 * period + 1);
      EXPECT_EQ(hash_of(resumed.next()), unique[1 % unique.size()]);
    }
  }
}

TEST(Loader, WhatIsUnreadableIsCountedByTheEpochInWhichItComesAgain) {
  const Counting dataset(300, 7);  // two of an epoch are tolerated, the replacement may fail once
  LoaderOptions options{10, 0, 2, {}, nullptr};
  options.epochs_unique = 1;
  Loader loader(dataset, options, SeedKey(1));
  for (int i = 0; i < 10 * 30; ++i) loader.next();  // ten epochs
  EXPECT_THAT(loader.unreadable(), AllOf(Ge(10), Le(20)));
}

TEST(Loader, AnotherRootGivesOtherBatches) {
  const Counting dataset(50);
  Loader a(dataset, {8, 0, 2, {}, nullptr}, SeedKey(1));
  Loader b(dataset, {8, 0, 2, {}, nullptr}, SeedKey(2));
  EXPECT_NE(hash_of(a.next()), hash_of(b.next()));
}

/// Of 500 pairs, some are unreadable: one is missing, of one only the end is, one was cut short.
class BrokenPairs : public ::testing::Test {
 protected:
  BrokenPairs() {
    for (int i = 0; i < 500; ++i) {
      ManifestEntry entry = shared_;
      entry.id = std::to_string(i);
      entries_.push_back(entry);
    }
    entries_[17].audio.path = dir_ / "missing.flac";
    entries_[230].noisy.path = dir_ / "text.flac";
    test::put_text(dir_ / "text.flac", "this is no audio");
    const std::string whole = read_file(shared_.audio.path);
    test::put_text(dir_ / "torn.flac", whole.substr(0, whole.size() * 3 / 4));
    entries_[333].audio.path = dir_ / "torn.flac";
  }

  PairDataset dataset(int64_t cache_bytes) const {
    return {entries_, 400, ShortItems::pad, std::make_shared<const AudioStore>(16000, cache_bytes)};
  }

  static ManifestEntry put(const TempDir& dir) {
    ManifestEntry entry = test::put_entry(dir / "clean.flac", test::white(40000, 1));
    entry.noisy = test::put_entry(dir / "noisy.flac", test::white(40000, 2)).audio;
    return entry;
  }

  TempDir dir_;
  const ManifestEntry shared_ = put(dir_);
  std::vector<ManifestEntry> entries_;
};

TEST_F(BrokenPairs, AreReplacedTheSameWayForAnyWorkersCacheAndAfterResume) {
  const auto batches = [&](int64_t workers, int64_t cache, int first) {
    const PairDataset pairs = dataset(cache);
    Loader loader(pairs, {10, workers, 4, {}, nullptr}, SeedKey(3), first);
    auto all = hashes(loader, 100 - first);
    if (first == 0) {
      EXPECT_THAT(loader.unreadable(), AllOf(Ge(4), Le(8)));  // two epochs
    }
    return all;
  };
  const auto wanted = batches(0, 0, 0);
  for (const int64_t workers : {0, 1, 2, 8}) {
    for (const int64_t cache : {0, 50000, 1 << 20}) {
      EXPECT_EQ(batches(workers, cache, 0), wanted) << workers << " workers, " << cache;
    }
    const auto rest = batches(workers, 1 << 20, 53);
    EXPECT_EQ(rest, std::vector<std::string>(wanted.begin() + 53, wanted.end()));
  }
}

TEST_F(BrokenPairs, AreNamedOnceAndCounted) {
  Logger logger(Verbosity::quiet);
  logger.add_file(dir_ / "log");
  const PairDataset pairs = dataset(0);
  Loader loader(pairs, {10, 2, 4, {}, &logger}, SeedKey(3));
  for (int i = 0; i < 200; ++i) loader.next();  // four epochs
  const std::string log = read_file(dir_ / "log");
  for (const char* name : {"missing.flac: does not exist; another example takes its place",
                           "text.flac: cannot be read as audio"}) {
    const size_t first = log.find(name);
    ASSERT_NE(first, std::string::npos) << name << log;
    EXPECT_EQ(log.find(name, first + 1), std::string::npos) << name;
  }
  EXPECT_GE(loader.unreadable(), 8);
}

TEST_F(BrokenPairs, MoreThanOnePercentOfAnEpochIsAnError) {
  for (size_t i = 0; i < 6; ++i) entries_[10 + i].noisy.path = dir_ / ("gone" + std::to_string(i));
  std::string first_message;
  int64_t first_batch = -1;
  for (const int64_t workers : {0, 1, 8}) {
    const PairDataset pairs = dataset(1 << 20);
    Loader loader(pairs, {10, workers, 4, {}, nullptr}, SeedKey(3));
    int64_t good = 0;
    std::string message;
    try {
      for (; good < 1000; ++good) loader.next();
    } catch (const DataError& e) {
      message = e.what();
    }
    if (first_batch < 0) first_batch = good;
    if (first_message.empty()) first_message = message;
    EXPECT_EQ(good, first_batch) << workers;
    EXPECT_EQ(message, first_message);
    EXPECT_THROW(loader.next(), DataError);  // and again: nothing is skipped
  }
  EXPECT_LT(first_batch, 50);
  EXPECT_THAT(first_message, HasSubstr("more than 1 % of epoch 0 could not be read: 6 of 500 "
                                       "examples so far, the last: " +
                                       dir_.path().string()));
}

TEST_F(BrokenPairs, AChangedFileIsNotPassedOver) {
  entries_[40].audio.path = dir_ / "other.flac";
  test::put_audio(dir_ / "other.flac", test::white(40000, 9));
  for (const int64_t workers : {0, 2}) {
    const PairDataset pairs = dataset(1 << 20);
    Loader loader(pairs, {10, workers, 4, {}, nullptr}, SeedKey(3));
    EXPECT_THAT(test::message_of<ChangedFile>([&] {
                  for (int i = 0; i < 50; ++i) loader.next();
                }),
                HasSubstr("other.flac: has another content than the manifest says"));
  }
}

TEST(Loader, ThrowsWhatAWorkerThrewAtTheSameBatch) {
  int expected = -1;
  for (const int64_t workers : {0, 1, 3}) {
    const Counting dataset(20, 13);
    Loader loader(dataset, {2, workers, 4, {}, nullptr}, SeedKey(1));
    int good = 0;
    std::string message;
    try {
      for (;; ++good) loader.next();
    } catch (const DataError& e) {
      message = e.what();
    }
    EXPECT_THAT(message, HasSubstr("item 13 is broken"));
    if (expected < 0) expected = good;
    EXPECT_EQ(good, expected) << workers << " workers";
    EXPECT_LT(good, 10);
    EXPECT_THROW(loader.next(), DataError);  // and again: nothing is skipped
  }
}

TEST(Loader, MakesNoMoreThanItWasAskedForAhead) {
  const Counting dataset(1000);
  {
    Loader loader(dataset, {1, 4, 3, {}, nullptr}, SeedKey(1));
    loader.next();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_EQ(dataset.calls, 4);  // the one taken and three ahead
  }
  EXPECT_EQ(dataset.calls, 4);
}

TEST(Loader, StopsWhileWorkersAreBusy) {
  for (int i = 0; i < 20; ++i) {
    const Counting dataset(100, -1, std::chrono::microseconds(300));
    Loader loader(dataset, {2, 4, 8, {}, nullptr}, SeedKey(1));
    if (i % 2 == 0) loader.next();
  }
}

TEST(Loader, MeasuresWaiting) {
  const Counting slow(100, -1, std::chrono::milliseconds(4));
  for (const int64_t workers : {0, 1}) {
    Loader loader(slow, {8, workers, 1, {}, nullptr}, SeedKey(1));
    EXPECT_EQ(loader.wait_seconds(), 0);
    loader.next();
    EXPECT_GT(loader.wait_seconds(), 0.005);
  }
  const Counting fast(100);
  Loader loader(fast, {8, 1, 8, {}, nullptr}, SeedKey(1));
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  loader.next();
  EXPECT_LT(loader.wait_seconds(), 0.1);
}

TEST(Loader, RefusesWrongOptionsAndDataSets) {
  const Counting dataset(10);
  EXPECT_THROW(Loader(dataset, {0, 0, 2, {}, nullptr}, SeedKey(1)), std::logic_error);
  EXPECT_THROW(Loader(dataset, {1, -1, 2, {}, nullptr}, SeedKey(1)), std::logic_error);
  EXPECT_THROW(Loader(dataset, {1, 0, 0, {}, nullptr}, SeedKey(1)), std::logic_error);
  EXPECT_THROW(Loader(dataset, {}, SeedKey(1), -1), std::logic_error);
  EXPECT_THROW(Loader(Counting(0), {}, SeedKey(1)), std::logic_error);
}

// Fixed: the stream of examples belongs to what a seed means.
TEST(Loader, KeysAreThoseOfEveryPlatform) {
  const Counting dataset(4);
  Loader loader(dataset, {6, 0, 2, {}, nullptr}, SeedKey(42));
  const Batch batch = loader.next();
  EXPECT_EQ(batch.clean, (std::vector<float>{1, 3, 2, 0, 1, 0}));
  EXPECT_FLOAT_EQ(batch.noisy[0], 0.1806992F);
  EXPECT_FLOAT_EQ(batch.noisy[5], 0.91422206F);
}

}  // namespace
}  // namespace limbeck
