#include "limbeck/train/fill_teacher_cache.h"

#include <csignal>
#include <map>

#include "limbeck/core/error.h"
#include "limbeck/core/interrupt.h"
#include "train/tiny_session.h"

namespace limbeck::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class FillTeacherCache : public TinySessions {
 protected:
  /// With the cache in folder `cache`.
  TrainingConfig caching(const std::string& terms = "[{name: cosine}, {name: output}]") const {
    return config({.distill = "terms: " + terms, .cache = "cache"});
  }

  int64_t fill(const TrainingConfig& config) {
    Logger logger(Verbosity::quiet);
    return fill_teacher_cache(config, logger);
  }

  /// What the cache holds, and when it was written.
  std::map<fs::path, fs::file_time_type> entries(const std::string& cache = "cache") const {
    std::map<fs::path, fs::file_time_type> found;
    if (!fs::exists(dir_ / cache)) return found;
    for (const auto& entry : fs::recursive_directory_iterator(dir_ / cache)) {
      if (entry.path().extension() == ".safetensors") found[entry.path()] = entry.last_write_time();
    }
    return found;
  }
};

TEST_F(FillTeacherCache, ATrainingAfterItOnlyReadsAndEndsInTheSameBits) {
  const TrainingConfig reading = caching();
  EXPECT_EQ(fill(reading), 3);
  const auto filled = entries();
  EXPECT_EQ(filled.size(), 3U * 2);  // a tap and the estimate
  train(reading);
  EXPECT_EQ(entries(), filled);  // what is computed is written, once more where it was there
  TrainingConfig computing = reading, writing = reading;
  computing.distill.cache.dir.clear();
  computing.run.dir = dir_ / "computing";
  train(computing);
  EXPECT_EQ(weights(reading), weights(computing));
  writing.distill.cache.dir = dir_ / "other";
  writing.run.dir = dir_ / "writing";
  train(writing);
  EXPECT_EQ(weights(reading), weights(writing));
  EXPECT_EQ(entries("other").size(), filled.size());
}

TEST_F(FillTeacherCache, WhatIsThereStays) {
  EXPECT_EQ(fill(caching()), 3);
  const auto filled = entries();
  EXPECT_EQ(fill(caching()), 0);
  EXPECT_EQ(entries(), filled);
  fs::remove(filled.begin()->first);
  EXPECT_EQ(fill(caching()), 1);
  EXPECT_EQ(entries().size(), filled.size());
}

TEST_F(FillTeacherCache, ServesAllMethodsOfASeed) {
  EXPECT_EQ(fill(caching()), 3);
  EXPECT_EQ(fill(caching("[{name: cosine}]")), 0);
  EXPECT_EQ(fill(caching("[{name: output}]")), 0);
  // Another one has batches of its own, but for that of validation.
  TrainingConfig other = caching();
  other.run.seed = 2;
  const int64_t made = fill(other);
  EXPECT_GT(made, 0);
  EXPECT_LT(made, 3);
}

TEST_F(FillTeacherCache, MakesWhatAShortTrainingMeets) {
  TrainingConfig short_one = caching();
  short_one.train.steps = 1;
  EXPECT_EQ(fill(short_one), 2);
  const auto filled = entries();
  train(short_one);
  EXPECT_EQ(entries(), filled);
}

TEST_F(FillTeacherCache, DoesNothingWhereNothingIsKept) {
  EXPECT_EQ(fill(config({})), 0);
  EXPECT_EQ(fill(caching("[]")), 0);
  EXPECT_TRUE(entries().empty());
  EXPECT_FALSE(fs::exists(dir_ / "run"));
}

TEST_F(FillTeacherCache, EndsWithAWarningWhereTheFolderTakesNothing) {
  put_text(dir_ / "file", "");
  TrainingConfig broken = caching();
  broken.distill.cache.dir = dir_ / "file/cache";
  testing::internal::CaptureStderr();
  EXPECT_EQ(fill(broken), 0);
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_THAT(said, HasSubstr("the teacher is run for what is not there"));
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
  TrainingConfig full = caching();
  full.distill.cache.max_gb = 1e-9;
  testing::internal::CaptureStderr();
  EXPECT_EQ(fill(full), 0);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("that max_gb allows"));
}

TEST_F(FillTeacherCache, IsInterruptedBetweenBatches) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        catch_interrupts();
        std::raise(SIGINT);
        try {
          fill(caching());
        } catch (const Interrupted& e) {
          std::_Exit(entries().empty() ? e.exit_code() : 1);
        }
      },
      testing::ExitedWithCode(130), "");
}

}  // namespace
}  // namespace limbeck::test
