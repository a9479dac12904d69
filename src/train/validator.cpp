#include "train/validator.h"

#include <ATen/Parallel.h>
#include <torch/types.h>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/core/interrupt.h"
#include "limbeck/core/parallel.h"
#include "limbeck/core/random.h"
#include "limbeck/train/step.h"
#include "train/criterion.h"

namespace limbeck {
namespace {

constexpr int64_t kMostBytes = int64_t{1} << 30;  // of what waits to be scored

/// Sums over the segments of a set.
struct Losses {
  double total = 0;
  std::map<std::string, double> parts;
};

/// 1.5 s of noise in bursts, with more noise.
std::vector<float> made_signal(int64_t rate_hz, double noise) {
  Random random(SeedKey(1));
  std::vector<float> signal;
  for (int64_t i = 0; i < rate_hz * 3 / 2; ++i) {
    const double level = i * 2 / rate_hz == 1 ? 0.001 : 0.1;
    const double clean = level * random.normal();
    signal.push_back(static_cast<float>(clean + noise * random.normal()));
  }
  return signal;
}

}  // namespace

void require_scorable(const ValidationOptions& options, int64_t rate_hz) {
  const auto clean = made_signal(rate_hz, 0);
  const auto noisy = made_signal(rate_hz, 0.01);
  for (const Metric& metric : build_metrics(options.metrics)) {
    try {
      ScoredPair pair(clean, noisy, static_cast<int>(rate_hz));
      metric.score(pair);
    } catch (const DataError& e) {
      throw ConfigError(
          format("train.validation.metrics: %s gives no score here: %s", metric.name, e.what()));
    }
  }
}

/// A batch and what the network made of it.
struct Validator::Segments {
  Batch batch;
  at::Tensor estimates;  ///< [B, L] float, on the CPU

  int64_t samples(int64_t i) const { return batch.valid_samples[static_cast<size_t>(i)]; }
  std::span<const float> clean(int64_t i) const { return part(batch.clean.data(), i); }
  std::span<const float> noisy(int64_t i) const { return part(batch.noisy.data(), i); }
  std::span<const float> estimate(int64_t i) const {
    return part(estimates.const_data_ptr<float>(), i);
  }

 private:
  std::span<const float> part(const float* signals, int64_t i) const {
    return {signals + i * batch.samples, static_cast<size_t>(samples(i))};
  }
};

/// A validation whose estimates are made.
struct Validator::Pending {
  int64_t step;
  std::vector<Losses> losses;               // [set]
  std::vector<std::vector<Scores>> scores;  // [set][segment]
  std::unique_ptr<WorkQueue> queue;         // last, as its threads write into `scores`
};

Validator::Validator(objective::LearningTask& task, const std::vector<NamedValidationSet>& sets,
                     const ValidationOptions& options, const at::Device& device)
    : task_(task),
      sets_(sets),
      metrics_(build_metrics(options.metrics)),
      background_(options.background),
      device_(device) {
  for (const NamedValidationSet& set : sets) {
    noisy_.emplace_back(static_cast<size_t>(set.set.size()));
  }
}

Validator::~Validator() = default;

bool Validator::start(int64_t step) {
  pending_ = std::make_unique<Pending>();
  pending_->step = step;
  pending_->losses.resize(sets_.size());
  for (const auto& of_set : noisy_) pending_->scores.emplace_back(of_set.size());
  pending_->queue = std::make_unique<WorkQueue>(at::get_num_threads(), background_, kMostBytes);
  at::NoGradGuard no_grad;
  task_.model().eval();
  task_.helpers().eval();
  for (size_t set = 0; set < sets_.size() && pending_; ++set) {
    if (!make_estimates(set)) pending_ = nullptr;
  }
  return is_pending();
}

/// False if a signal came.
bool Validator::make_estimates(size_t number) {
  const ValidationSet& set = sets_[number].set;
  Losses& losses = pending_->losses[number];
  size_t first = 0;
  for (int64_t b = 0; b < set.batches(); ++b) {
    if (interrupt_signal() != 0) return false;
    Batch host = set.batch(b);
    const auto size = static_cast<size_t>(host.size);
    auto batch = to_device(host, device_);
    batch.step = pending_->step - 1;
    const auto report = task_.forward(batch);
    // Of the terms, weights and presence change while training goes on; this is the same
    // throughout.
    losses.total += report.denoising.item<double>() * static_cast<double>(size);
    for (const auto& part : report.parts) {
      losses.parts[part.name] += part.value.item<double>() * static_cast<double>(size);
    }
    auto estimates = report.estimate.to(torch::kFloat).cpu().contiguous();
    score_in_background(
        number, first, std::make_shared<Segments>(Segments{std::move(host), std::move(estimates)}));
    first += size;
  }
  return true;
}

/// Gives the segments to the threads; `first` is the number of the first of them in the set.
void Validator::score_in_background(size_t set, size_t first,
                                    const std::shared_ptr<const Segments>& segments) {
  for (int64_t i = 0; i < segments->batch.size; ++i) {
    const size_t number = first + static_cast<size_t>(i);
    Scores& noisy = noisy_[set][number];
    Scores& scores = pending_->scores[set][number];
    const int64_t bytes = 3 * segments->samples(i) * static_cast<int64_t>(sizeof(float));
    pending_->queue->add(bytes, [this, &noisy, &scores, set, segments, i] {
      if (noisy.empty()) noisy = scores_of(set, segments->clean(i), segments->noisy(i));
      scores = scores_of(set, segments->clean(i), segments->estimate(i));
    });
  }
}

Validator::Scores Validator::scores_of(size_t set, std::span<const float> clean,
                                       std::span<const float> signal) const {
  Scores scores;
  ScoredPair pair(clean, signal, sets_[set].set.rate_hz());
  for (const Metric& metric : metrics_) {
    Score& score = scores.emplace_back();
    try {
      score.value = metric.score(pair);
    } catch (const DataError& e) {
      score.why = e.what();
    }
  }
  return scores;
}

std::optional<Validation> Validator::finish(bool in_any_case) {
  while (!pending_->queue->wait_for(std::chrono::milliseconds(100))) {
    if (in_any_case || interrupt_signal() == 0) continue;
    pending_ = nullptr;
    return std::nullopt;
  }
  Validation validation;
  validation.step = pending_->step;
  for (size_t set = 0; set < sets_.size(); ++set) {
    for (size_t metric = 0; metric < metrics_.size(); ++metric) add_metric(set, metric, validation);
    add_losses(set, validation);
  }
  told_unscored_ = true;
  pending_ = nullptr;
  return validation;
}

void Validator::add_losses(size_t set, Validation& validation) const {
  const std::string prefix = key_prefix(sets_[set].name);
  const auto size = static_cast<double>(sets_[set].set.size());
  const auto& [total, parts] = pending_->losses[set];
  const Criterion criterion = loss_criterion(sets_[set].name);
  validation.values[criterion.key] = total / size;
  for (const auto& [name, sum] : parts) validation.values[prefix + "loss_" + name] = sum / size;
  validation.text += "  " + criterion.text(total / size);
}

void Validator::add_metric(size_t set, size_t number, Validation& validation) const {
  const Metric& metric = metrics_[number];
  const std::string of_set = sets_[set].name.empty() ? "" : " of set " + sets_[set].name;
  double sum = 0, noisy_sum = 0;
  int64_t scored = 0, unscored = 0, broken = 0;
  std::string why_unscored, why_broken;  // of the first
  for (size_t i = 0; i < noisy_[set].size(); ++i) {
    const Score& noisy = noisy_[set][i][number];
    const Score& estimate = pending_->scores[set][i][number];
    if (!noisy.value) {
      if (unscored++ == 0) why_unscored = noisy.why;
      continue;
    }
    ++scored;
    noisy_sum += *noisy.value;
    sum += estimate.value.value_or(metric.worst);
    if (!estimate.value && broken++ == 0) why_broken = estimate.why;
  }
  if (scored == 0) {
    throw DataError(format("validation: no segment%s has a score of %s: %s", of_set, metric.name,
                           why_unscored));
  }
  if (unscored > 0 && !told_unscored_) {
    validation.warnings.push_back(
        format("%d of %d validation segments%s have no score of %s and do not count in it: %s",
               unscored, scored + unscored, of_set, metric.name, why_unscored));
  }
  const Criterion criterion = metric_criterion(sets_[set].name, metric);
  if (broken > 0) {
    validation.warnings.push_back(format(
        "%d of %d estimates of validation segments%s have no score of %s; each counts as %.*f: %s",
        broken, scored, of_set, metric.name, metric.decimals, metric.worst, why_broken));
  }
  const double mean = sum / static_cast<double>(scored);
  const double noisy_mean = noisy_sum / static_cast<double>(scored);
  validation.values[criterion.key] = mean;
  validation.values[criterion.key + "_noisy"] = noisy_mean;
  validation.text += format("  %s (noisy %.*f)", criterion.text(mean), metric.decimals, noisy_mean);
}

}  // namespace limbeck
