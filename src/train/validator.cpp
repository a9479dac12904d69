#include "train/validator.h"

#include <torch/types.h>

#include <span>

#include "limbeck/core/error.h"
#include "limbeck/core/interrupt.h"
#include "limbeck/metric/metric.h"
#include "limbeck/train/step.h"

namespace limbeck {
namespace {

/// Nothing where one of the two is silent or broken.
std::optional<double> si_sdr_if_any(std::span<const float> clean, std::span<const float> other) {
  try {
    return si_sdr(clean, other);
  } catch (const DataError&) {
    return std::nullopt;
  }
}

/// Adds the SI-SDR of the segments that have one as they come in, and so are the same in every
/// validation: a network that breaks on some must not gain by it.
void add_scores(Validation& sums, const Batch& batch, const at::Tensor& estimates) {  // [B, L]
  for (int64_t i = 0; i < batch.size; ++i) {
    const auto samples = static_cast<size_t>(batch.valid_samples[static_cast<size_t>(i)]);
    const auto offset = static_cast<size_t>(i * batch.samples);
    const std::span clean(batch.clean.data() + offset, samples);
    const std::span given(batch.noisy.data() + offset, samples);
    const std::span made(estimates.const_data_ptr<float>() + i * estimates.size(1), samples);
    const auto of_noisy = si_sdr_if_any(clean, given);
    if (!of_noisy) continue;
    const auto of_estimate = si_sdr_if_any(clean, made);
    sums.si_sdr += of_estimate.value_or(kWorstSiSdrDb);
    sums.si_sdr_noisy += *of_noisy;
    ++sums.scored;
    if (!of_estimate) ++sums.broken;
  }
}

}  // namespace

Validator::Validator(objective::LearningTask& task, const ValidationSet& set,
                     const at::Device& device)
    : task_(task), set_(set), device_(device) {}

std::optional<Validation> Validator::operator()(int64_t step) const {
  at::NoGradGuard no_grad;
  task_.model().eval();
  task_.helpers().eval();
  Validation means;
  for (int64_t number = 0; number < set_.batches(); ++number) {
    if (interrupt_signal() != 0) return std::nullopt;
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
    add_scores(means, host, report.estimate.to(torch::kFloat).cpu().contiguous());
  }
  if (means.scored == 0) throw DataError("validation: every segment is silent");
  means.loss /= static_cast<double>(set_.size());
  for (auto& [name, sum] : means.parts) sum /= static_cast<double>(set_.size());
  means.si_sdr /= static_cast<double>(means.scored);
  means.si_sdr_noisy /= static_cast<double>(means.scored);
  return means;
}

}  // namespace limbeck
