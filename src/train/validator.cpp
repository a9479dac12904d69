#include "train/validator.h"

#include <torch/types.h>

#include <span>

#include "limbeck/core/error.h"
#include "limbeck/metric/metric.h"
#include "limbeck/train/step.h"

namespace limbeck {
namespace {

/// Sums of SI-SDR over the segments that have one.
struct Scores {
  double estimate = 0;
  double noisy = 0;
  int64_t count = 0;

  void add(const Batch& batch, const at::Tensor& estimates) {  // [B, L] on the CPU
    for (int64_t i = 0; i < batch.size; ++i) {
      const auto samples = static_cast<size_t>(batch.valid_samples[static_cast<size_t>(i)]);
      const auto offset = static_cast<size_t>(i * batch.samples);
      const std::span clean(batch.clean.data() + offset, samples);
      const std::span given(batch.noisy.data() + offset, samples);
      const std::span made(estimates.const_data_ptr<float>() + i * estimates.size(1), samples);
      try {
        const double of_noisy = si_sdr(clean, given);
        estimate += si_sdr(clean, made);
        noisy += of_noisy;
        ++count;
      } catch (const DataError&) {
        continue;  // a silent segment has no SI-SDR
      }
    }
  }
};

}  // namespace

Validator::Validator(objective::LearningTask& task, const ValidationSet& set,
                     const at::Device& device)
    : task_(task), set_(set), device_(device) {}

Validation Validator::operator()(int64_t step) const {
  at::NoGradGuard no_grad;
  task_.model().eval();
  task_.helpers().eval();
  Validation means;
  Scores scores;
  for (int64_t number = 0; number < set_.batches(); ++number) {
    const Batch host = set_.batch(number);
    const auto size = static_cast<double>(host.size);
    auto batch = to_device(host, device_);
    batch.step = step;
    const auto report = task_.forward(batch);
    // Of the terms, weights and presence change while training goes on; this is the same
    // throughout.
    means.loss += report.denoising.item<double>() * size;
    for (const auto& part : report.parts) {
      means.parts[part.name] += part.value.item<double>() * size;
    }
    scores.add(host, report.estimate.to(torch::kFloat).cpu().contiguous());
  }
  if (scores.count == 0) throw DataError("validation: every segment is silent");
  means.loss /= static_cast<double>(set_.size());
  for (auto& [name, sum] : means.parts) sum /= static_cast<double>(set_.size());
  means.si_sdr = scores.estimate / static_cast<double>(scores.count);
  means.si_sdr_noisy = scores.noisy / static_cast<double>(scores.count);
  return means;
}

}  // namespace limbeck
