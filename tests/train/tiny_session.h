#pragma once

// Whole trainings of a tiny student, as limbeck-distill makes them.

#include <gmock/gmock.h>

#include <filesystem>
#include <string>

#include "limbeck/config/reader.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/nn/model_file.h"
#include "limbeck/train/session.h"
#include "nn/support.h"
#include "train/tiny_data.h"

namespace limbeck::test {

/// What the configuration of a training says; paths are below the test's folder.
struct TinySession {
  std::string run = "run";
  std::string distill = "terms: [{name: cosine}]";  ///< lines of the section, comma-separated
  std::string cache = {};                           ///< empty: none
  int64_t steps = 5;
  int64_t seed = 1;
  std::string train = {};  ///< more of section train
};

/// Three items for training in batches of two, two of which are unique in an epoch; two items for
/// validation, which are one batch; and an untrained teacher.
class TinySessions : public testing::Test {
 protected:
  TinySessions() {
    put_pairs(dir_ / "data");
    nn::write_model(dir_ / "teacher.safetensors", *nn::build_model(model_config(""), SeedKey(7)));
  }

  TrainingConfig config(const TinySession& session) const {
    const std::string cache =
        session.cache.empty() ? "" : format("cache: {dir: '%s'}", dir_ / session.cache);
    return config::read_text<TrainingConfig>(
        format("run: {dir: '%s', device: cpu, threads: 1, seed: %d}\n"
               "model: {name: denoising_autoencoder, stft: {window_samples: 64, hop_samples: 32, "
               "fft_samples: 64}, stem: {channels: 4, stride: 2, kernel_freq: 5}, encoder: "
               "[{channels: 5, stride: 2, kernel_time: 3}], latent: {channels: 3, in_channels: "
               "4}}\n"
               "data: {source: {type: pairs, manifest: '%s'}, segment_seconds: 0.1, valid_count: "
               "2, valid_segment_seconds: 0.1, epochs_unique: 1}\n"
               "train: {steps: %d, batch_size: 2, validate_every: 2, log_every: 1, %s}\n"
               "teacher: {checkpoint: '%s'}\n"
               "distill: {%s, %s}\n",
               dir_ / session.run, session.seed, dir_ / "data/pairs.csv", session.steps,
               session.train, dir_ / "teacher.safetensors", session.distill, cache),
        "test");
  }

  static void train(const TrainingConfig& config, const SessionOptions& session = {}) {
    Logger logger(Verbosity::quiet);
    run_training(config, session, logger);
  }

  /// Hash of the weights that came out of a training.
  static std::string weights(const TrainingConfig& config) {
    const std::string last = format("checkpoints/step-%08d/model.safetensors", config.train.steps);
    return hash_file(std::filesystem::path(config.run.dir) / last);
  }

  TempDir dir_;
};

}  // namespace limbeck::test
