#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "limbeck/nn/model_file.h"

namespace limbeck {

/// Runs a network over noisy utterances, from many threads at once.
class Enhancer {
 public:
  /// Throws CheckpointError or ConfigError.
  Enhancer(const std::filesystem::path& model_file, const std::string& device,
           nn::Kernels kernels = nn::Kernels::fused);

  /// Estimates of a batch, each as long as its input. On a GPU one batch at a time; on a CPU each
  /// caller has one LibTorch thread. Throws DataError for another rate than the model's.
  std::vector<std::vector<float>> operator()(const std::vector<std::vector<float>>& noisy,
                                             int rate_hz) const;

  /// Items of one frame count in batches of `size` at most (1 on a CPU), longest first. `samples`:
  /// length of each item.
  std::vector<std::vector<size_t>> batches(const std::vector<int64_t>& samples, int64_t size) const;

  std::string device() const { return device_.str(); }
  int64_t rate_hz() const { return model_->rate_hz(); }

 private:
  std::shared_ptr<nn::DenoisingModel> model_;
  at::Device device_;
  mutable std::mutex gpu_;
};

}  // namespace limbeck
