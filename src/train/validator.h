#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "limbeck/data/validation.h"
#include "limbeck/metric/metric.h"
#include "limbeck/objective/task.h"
#include "limbeck/train/config.h"

namespace limbeck {

/// What the network was worth after a step.
struct Validation {
  int64_t step = 0;
  /// By key of metrics.jsonl: "loss" (the weighted denoising losses, without terms), "loss_<part>"
  /// (of the loss and of the terms, unweighted), "<metric>" and "<metric>_noisy"; of a further set
  /// behind "NAME/".
  ///
  /// A metric's value is the mean over the segments that have a score as they came in, and so is of
  /// the same ones in every validation. An estimate of these that has none counts `Metric::worst`:
  /// a network that breaks on some must not gain by it. "<metric>_noisy" is the mean of the same
  /// segments as they came in.
  std::map<std::string, double> values;
  std::vector<std::string> warnings;  ///< of segments and estimates without a score
  std::string text;                   ///< one line, for people
};

/// Throws ConfigError for a metric that gives no score at this rate.
void require_scorable(const ValidationOptions& options, int64_t rate_hz);

/// Finds out what a network is worth on every set. The estimates are made while the caller waits,
/// and scored by as many threads as LibTorch has. Until they are scored they are held in memory
/// with what they are compared with, 1 GiB of them at most: beyond that they are made no faster
/// than they are scored.
class Validator {
 public:
  /// The first two must outlive it.
  Validator(objective::LearningTask& task, const std::vector<NamedValidationSet>& sets,
            const ValidationOptions& options, const at::Device& device);
  ~Validator();

  /// Makes the estimates of all sets by the network as it is after `step` steps. False if a signal
  /// came (`interrupt_signal`): then nothing is pending. Throws DataError where a file cannot be
  /// read.
  bool start(int64_t step);

  /// Something was started, and not finished.
  bool is_pending() const { return pending_ != nullptr; }

  /// Waits until all is scored. Nothing if a signal came first, unless it is to be waited for
  /// `in_any_case`. Throws DataError where a metric has a score for no segment of a set.
  std::optional<Validation> finish(bool in_any_case = false);

 private:
  /// Of one signal by one metric.
  struct Score {
    std::optional<double> value;
    std::string why;  ///< there is none
  };
  using Scores = std::vector<Score>;  // [metric]; empty before it is scored
  struct Segments;
  struct Pending;

  bool make_estimates(size_t set);
  void score_in_background(size_t set, size_t first,
                           const std::shared_ptr<const Segments>& segments);
  Scores scores_of(size_t set, std::span<const float> clean, std::span<const float> signal) const;
  void add_losses(size_t set, Validation& validation) const;
  void add_metric(size_t set, size_t metric, Validation& validation) const;

  objective::LearningTask& task_;
  const std::vector<NamedValidationSet>& sets_;
  std::vector<Metric> metrics_;
  bool background_;
  at::Device device_;
  std::vector<std::vector<Scores>> noisy_;  // [set][segment] as it came in, scored once
  bool told_unscored_ = false;
  std::unique_ptr<Pending> pending_;
};

}  // namespace limbeck
