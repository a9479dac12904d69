#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "limbeck/train/config.h"
#include "train/criterion.h"

namespace limbeck {

/// Where training stands; written into every checkpoint.
struct TrainState {
  int64_t step = 0;
  double seconds = 0;  ///< spent in training, all sittings together

  // What validations have found, by the value of `train.select`.
  int64_t best_step = -1;  ///< -1: none has been
  double best_value = 0;
  std::optional<double> news;  ///< found, and not acted upon yet
  double gain_value = 0;       ///< of the last gain of more than `early_stop.min_change`
  int64_t without_gain = -1;   ///< validations since then; -1: none has been acted upon
  int64_t stop_step = -1;      ///< where training ends early; -1: nowhere that is known

  /// A validation found a value; true if it is the best so far.
  bool take(const Criterion& criterion, double value, int64_t validated_step);
  /// Acts upon the news, if there are any: training may end here.
  void act(const Criterion& criterion, const EarlyStopOptions& early_stop);
  /// More steps were asked for: what ended training no longer does.
  void extend();
  /// What has been found, as validation.json holds it, and state.json beside the rest.
  nlohmann::json found(const Criterion& criterion) const;
  /// Takes that up. Throws nlohmann::json::exception.
  void take_found(const nlohmann::json& found);
};

}  // namespace limbeck
