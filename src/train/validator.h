#pragma once

#include <map>
#include <string>

#include "limbeck/data/validation.h"
#include "limbeck/objective/task.h"

namespace limbeck {

/// Means over the validation set.
struct Validation {
  double si_sdr = 0;                    ///< dB, over the segments that are not silent
  double si_sdr_noisy = 0;              ///< of the same segments as they came in
  double loss = 0;                      ///< the weighted denoising losses, without terms
  std::map<std::string, double> parts;  ///< of the loss and of the terms, unweighted, by name
};

/// What the network is worth now.
class Validator {
 public:
  /// Both must outlive it.
  Validator(objective::LearningTask& task, const ValidationSet& set, const at::Device& device);

  /// `step` is the last one trained. Throws DataError where every segment is silent.
  Validation operator()(int64_t step) const;

 private:
  objective::LearningTask& task_;
  const ValidationSet& set_;
  at::Device device_;
};

}  // namespace limbeck
