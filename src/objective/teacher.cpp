#include "limbeck/objective/teacher.h"

#include <torch/types.h>

#include <algorithm>
#include <stdexcept>

#include "limbeck/core/error.h"
#include "limbeck/core/files.h"

namespace limbeck::objective {
namespace {

/// Taps of a network may lie in memory in any order. Sums over another order round differently, so
/// that what was read from a file would not be equal to the bit.
at::Tensor plain(const at::Tensor& x) { return x.clone(at::MemoryFormat::Contiguous); }

void require_finite(const at::Tensor& half) {
  if (at::isfinite(half).all().item<bool>()) return;
  throw ConfigError(
      "distill.cache.precision: the teacher says values that float16 cannot hold; use float32");
}

}  // namespace

Teacher::Teacher(std::shared_ptr<nn::DenoisingModel> model, std::vector<std::string> taps,
                 bool needs_estimate, at::Device device, const TeacherCacheOptions& cache,
                 const std::string& id, Logger* logger)
    : model_(std::move(model)),
      taps_(std::move(taps)),
      needs_estimate_(needs_estimate),
      precision_(cache.precision == "float16" ? torch::kHalf : torch::kFloat) {
  model_->eval();
  cost_ = nn::cost_text(*model_);
  model_->fuse();
  for (auto& parameter : model_->parameters()) parameter.set_requires_grad(false);
  model_->to(device);
  if (cache.dir.empty()) return;
  if (id.empty()) throw std::logic_error("Teacher: a cache needs to know whose it is");
  cache_ = std::make_unique<TeacherCache>(cache, id, precision_, device, model_->kernels(), logger);
}

nn::Denoised Teacher::compute(const at::Tensor& noisy,
                              const std::vector<int64_t>& valid_samples) const {
  at::NoGradGuard no_grad;
  nn::Denoised said;
  if (needs_estimate_) {
    said = model_->forward(noisy, taps_, valid_samples);
    said.estimate = rounded(plain(said.estimate));
  } else {
    said.taps = model_->taps(noisy, taps_, valid_samples);
  }
  for (auto& [name, tap] : said.taps) tap = rounded(plain(tap));
  return said;
}

at::Tensor Teacher::rounded(const at::Tensor& x) const {
  if (precision_ == torch::kFloat) return x;
  const auto half = x.to(precision_);
  // A GPU would have to be waited for. Where nothing is stored, the loss will show it.
  if (half.is_cpu() || cache_) require_finite(half);
  return half.to(x.scalar_type());
}

std::string Teacher::key(const at::Tensor& noisy, const std::vector<int64_t>& valid_samples) const {
  // A teacher that looks ahead says something else before padding than before silence.
  return cache_->key(noisy) + "-" +
         hash_bytes(valid_samples.data(), valid_samples.size() * sizeof(int64_t));
}

bool Teacher::put(const std::string& key, const nn::Denoised& said) const {
  bool all = true;
  for (const auto& [tap, value] : said.taps) all = cache_->put(key, "tap." + tap, value) && all;
  if (needs_estimate_) all = cache_->put(key, "estimate", said.estimate) && all;
  return all;
}

nn::Denoised Teacher::forward(const at::Tensor& noisy, const std::vector<int64_t>& valid_samples,
                              const at::Tensor& noisy_on_host) const {
  if (!cache_) return compute(noisy, valid_samples);
  const std::string key = this->key(noisy_on_host.defined() ? noisy_on_host : noisy, valid_samples);
  nn::Denoised said;
  bool complete = true;
  for (const std::string& tap : taps_) {
    complete = complete && (said.taps[tap] = cache_->find(key, "tap." + tap)).defined();
  }
  if (needs_estimate_) {
    complete = complete && (said.estimate = cache_->find(key, "estimate")).defined();
  }
  if (complete) return said;
  said = compute(noisy, valid_samples);
  put(key, said);
  return said;
}

Kept Teacher::keep(const at::Tensor& noisy, const std::vector<int64_t>& valid_samples,
                   const at::Tensor& noisy_on_host) const {
  const std::string key = this->key(noisy_on_host, valid_samples);
  const bool is_there = std::all_of(taps_.begin(), taps_.end(), [&](const std::string& tap) {
    return cache_->has(key, "tap." + tap);
  });
  if (is_there && (!needs_estimate_ || cache_->has(key, "estimate"))) return Kept::before;
  return put(key, compute(noisy, valid_samples)) ? Kept::now : Kept::not_at_all;
}

int64_t Teacher::stored_bytes(int64_t batch_size, int64_t samples) const {
  int64_t values = needs_estimate_ ? samples : 0;
  for (const std::string& tap : taps_) {
    const nn::TapInfo info = model_->tap_info(tap);
    values += info.channels * info.bins() * model_->tap_frames(samples);
  }
  return batch_size * values * static_cast<int64_t>(c10::elementSize(precision_));
}

}  // namespace limbeck::objective
