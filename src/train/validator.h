#pragma once

#include <map>
#include <optional>
#include <string>

#include "limbeck/data/validation.h"
#include "limbeck/objective/task.h"

namespace limbeck {

/// What an estimate counts that has no SI-SDR (silent, not finite, beyond 1e6 times full scale):
/// the least that the measure can say.
constexpr double kWorstSiSdrDb = -156.53559774527022;  // 10 · log10(epsilon of double)

/// Means over the validation set.
struct Validation {
  double si_sdr = 0;  ///< dB, over the segments that are not silent, whatever the network makes
  double si_sdr_noisy = 0;              ///< of the same segments as they came in
  int64_t scored = 0;                   ///< how many these are
  int64_t broken = 0;                   ///< of them, those whose estimate counts kWorstSiSdrDb
  double loss = 0;                      ///< the weighted denoising losses, without terms
  std::map<std::string, double> parts;  ///< of the loss and of the terms, unweighted, by name
};

/// What the network is worth now.
class Validator {
 public:
  /// Both must outlive it.
  Validator(objective::LearningTask& task, const ValidationSet& set, const at::Device& device);

  /// `step` is the last one trained. Nothing if a signal came (`interrupt_signal`). Throws
  /// DataError where a file cannot be read, or every segment is silent.
  std::optional<Validation> operator()(int64_t step) const;

 private:
  objective::LearningTask& task_;
  const ValidationSet& set_;
  at::Device device_;
};

}  // namespace limbeck
