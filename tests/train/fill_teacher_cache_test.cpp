#include "limbeck/train/fill_teacher_cache.h"

#include <gmock/gmock.h>

#include <csignal>
#include <map>

#include "limbeck/config/reader.h"
#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/core/interrupt.h"
#include "limbeck/nn/model_file.h"
#include "limbeck/train/session.h"
#include "nn/support.h"
#include "train/tiny_data.h"

namespace limbeck::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

/// Three items for training in batches of two, of which two are unique in one epoch; and two items
/// for validation, which are one batch.
class FillTeacherCache : public testing::Test {
 protected:
  FillTeacherCache() {
    put_pairs(dir_ / "data");
    nn::write_model(dir_ / "teacher.safetensors", *nn::build_model(model_config(""), SeedKey(7)));
  }

  TrainingConfig config(const std::string& run, const std::string& cache = "cache",
                        const std::string& terms = "[{name: cosine}, {name: output}]",
                        int64_t seed = 1, int64_t steps = 5) {
    return config::read_text<TrainingConfig>(
        format("run: {dir: '%s', device: cpu, threads: 1, seed: %d}\n"
               "model: %s\n"
               "data: {source: {type: pairs, manifest: '%s'}, segment_seconds: 0.1, "
               "valid_count: 2, valid_segment_seconds: 0.1, epochs_unique: 1}\n"
               "train: {steps: %d, batch_size: 2, validate_every: 2, log_every: 1}\n"
               "teacher: {checkpoint: '%s'}\n"
               "distill: {terms: %s, cache: {dir: '%s'}}\n",
               dir_ / run, seed, inline_model(), dir_ / "data/pairs.csv", steps,
               dir_ / "teacher.safetensors", terms, cache.empty() ? "" : (dir_ / cache).string()),
        "test");
  }

  int64_t fill(const TrainingConfig& config) {
    Logger logger(Verbosity::quiet);
    return fill_teacher_cache(config, logger);
  }

  /// Hash of what came out of a training.
  std::string trained(const TrainingConfig& config) {
    Logger logger(Verbosity::quiet);
    run_training(config, {}, logger);
    const fs::path last =
        fs::path(config.run.dir) / format("checkpoints/step-%08d", config.train.steps);
    return hash_file(last / "model.safetensors");
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

  TempDir dir_;

 private:
  static std::string inline_model() {
    return "{name: denoising_autoencoder, stft: {window_samples: 64, hop_samples: 32, fft_samples: "
           "64}, stem: {channels: 4, stride: 2, kernel_freq: 5}, encoder: [{channels: 5, stride: "
           "2, kernel_time: 3}], latent: {channels: 3, in_channels: 4}}";
  }
};

TEST_F(FillTeacherCache, ATrainingAfterItOnlyReadsAndEndsInTheSameBits) {
  EXPECT_EQ(fill(config("run")), 3);
  const auto filled = entries();
  EXPECT_EQ(filled.size(), 3U * 2);  // a tap and the estimate
  const std::string reading = trained(config("run"));
  EXPECT_EQ(entries(), filled);  // what is computed is written, once more where it was there
  EXPECT_EQ(reading, trained(config("computing", "")));
  EXPECT_EQ(trained(config("writing", "other")), reading);
  EXPECT_EQ(entries("other").size(), filled.size());
}

TEST_F(FillTeacherCache, WhatIsThereStays) {
  EXPECT_EQ(fill(config("run")), 3);
  const auto filled = entries();
  EXPECT_EQ(fill(config("run")), 0);
  EXPECT_EQ(entries(), filled);
  fs::remove(filled.begin()->first);
  EXPECT_EQ(fill(config("run")), 1);
  EXPECT_EQ(entries().size(), filled.size());
}

TEST_F(FillTeacherCache, ServesAllMethodsOfASeed) {
  EXPECT_EQ(fill(config("run")), 3);
  EXPECT_EQ(fill(config("run", "cache", "[{name: cosine}]")), 0);
  EXPECT_EQ(fill(config("run", "cache", "[{name: output}]")), 0);
  // Another one has batches of its own, but for that of validation.
  const int64_t made = fill(config("run", "cache", "[{name: cosine}]", 2));
  EXPECT_GT(made, 0);
  EXPECT_LT(made, 3);
}

TEST_F(FillTeacherCache, MakesWhatAShortTrainingMeets) {
  const auto short_one = config("run", "cache", "[{name: cosine}]", 1, 1);
  EXPECT_EQ(fill(short_one), 2);
  const auto filled = entries();
  trained(short_one);
  EXPECT_EQ(entries(), filled);
}

TEST_F(FillTeacherCache, DoesNothingWhereNothingIsKept) {
  EXPECT_EQ(fill(config("run", "")), 0);
  EXPECT_EQ(fill(config("run", "cache", "[]")), 0);
  EXPECT_TRUE(entries().empty());
  EXPECT_FALSE(fs::exists(dir_ / "run"));
}

TEST_F(FillTeacherCache, EndsWithAWarningWhereTheFolderTakesNothing) {
  put_text(dir_ / "file", "");
  testing::internal::CaptureStderr();
  EXPECT_EQ(fill(config("run", "file/cache")), 0);
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_THAT(said, HasSubstr("the teacher is run for what is not there"));
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
  auto full = config("run");
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
          fill(config("run"));
        } catch (const Interrupted& e) {
          std::_Exit(entries().empty() ? e.exit_code() : 1);
        }
      },
      testing::ExitedWithCode(130), "");
}

}  // namespace
}  // namespace limbeck::test
