#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "limbeck/train/step.h"

namespace limbeck {

/// What a step gave, as numbers.
struct StepValues {
  int64_t step = 0;
  double lr = 0;
  std::vector<std::pair<std::string, double>> values;  ///< parts, their sum "loss", gradient norms
  bool skipped = false;                                ///< it changed nothing
  std::vector<Batch> batches = {};                     ///< without samples

  /// The first value that is not finite, as "loss is nan"; there is one where it was skipped.
  std::string cause() const;
};

/// What steps gave and nobody has read yet: reading waits for the device.
class PendingSteps {
 public:
  /// Puts the values of a step by, without waiting for them.
  void keep(int64_t step, const StepReport& report, std::vector<Batch> batches);
  /// All that was put by, in order.
  std::vector<StepValues> read();

 private:
  struct Pending {
    StepValues step;    ///< its values without their numbers
    at::Tensor values;  ///< [values, and 1 if it was skipped] on the device
  };
  std::vector<Pending> pending_;
};

/// Sums over the steps since the last line of metrics.jsonl, from which the next line is made. They
/// go into checkpoints, so that lines do not tell where a training was interrupted.
class StepSums {
 public:
  void add(const StepValues& step);
  /// The line so far: `steps` that it covers, the last one's `step` and `lr`, each value's mean
  /// over the steps in which it was finite, and of a "gradient_norm" its greatest as
  /// "max_gradient_norm".
  nlohmann::json line() const;

  nlohmann::json state() const;
  /// Throws nlohmann::json::exception.
  void load_state(const nlohmann::json& state);

 private:
  struct Sum {
    double sum = 0;
    double max = 0;
    int64_t steps = 0;
  };
  int64_t steps_ = 0;
  int64_t last_step_ = 0;
  double lr_ = 0;
  std::map<std::string, Sum> sums_;
};

/// A line of metrics.jsonl for the person at the terminal: "epoch 0.25  loss 1.3 (cosine 0.2 …)".
std::string terminal_text(const nlohmann::json& line);

}  // namespace limbeck
