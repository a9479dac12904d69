#pragma once

#include <memory>
#include <string>
#include <vector>

#include "limbeck/core/log.h"
#include "limbeck/nn/model.h"
#include "limbeck/objective/config.h"
#include "objective/teacher_cache.h"

namespace limbeck::objective {

/// What became of a batch that a cache was to hold.
enum class Kept { before, now, not_at_all };

/// A frozen network that is asked for taps, and for its estimate if need be: in eval mode, without
/// gradient, with folded norms, run no further than the last of the taps. What it says is the same
/// to the bit whether it is computed or comes from a cache.
class Teacher {
 public:
  /// Takes the model over. `id` stands for its weights and options in the cache. `logger`, if there
  /// is one, is told what goes wrong with the cache, which never matters to what is said.
  Teacher(std::shared_ptr<nn::DenoisingModel> model, std::vector<std::string> taps,
          bool needs_estimate, at::Device device, const TeacherCacheOptions& cache,
          const std::string& id, Logger* logger = nullptr);

  /// `noisy` [B, L] on the device; `valid_samples` as of DenoisingModel::forward. A cache looks at
  /// `noisy_on_host`, its copy, if there is one, so as not to wait for the device.
  nn::Denoised forward(const at::Tensor& noisy, const std::vector<int64_t>& valid_samples = {},
                       const at::Tensor& noisy_on_host = {}) const;
  /// Sees to it that the cache, which there must be, holds what `forward` says of this batch, and
  /// reads nothing of what it holds.
  Kept keep(const at::Tensor& noisy, const std::vector<int64_t>& valid_samples,
            const at::Tensor& noisy_on_host) const;
  nn::DenoisingModel& model() const { return *model_; }
  /// Of the network as it was trained: folding moves parameters about.
  const std::string& cost() const { return cost_; }
  /// Bytes that a batch takes in the cache.
  int64_t stored_bytes(int64_t batch_size, int64_t samples) const;

 private:
  nn::Denoised compute(const at::Tensor& noisy, const std::vector<int64_t>& valid_samples) const;
  std::string key(const at::Tensor& noisy, const std::vector<int64_t>& valid_samples) const;
  /// False where a part of it could not be kept.
  bool put(const std::string& key, const nn::Denoised& said) const;
  /// As the cache keeps it.
  at::Tensor rounded(const at::Tensor& x) const;

  std::shared_ptr<nn::DenoisingModel> model_;
  std::string cost_;
  std::vector<std::string> taps_;
  bool needs_estimate_;
  at::ScalarType precision_;
  std::unique_ptr<TeacherCache> cache_;
};

}  // namespace limbeck::objective
