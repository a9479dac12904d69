#pragma once

#include <ATen/core/Tensor.h>

#include <chrono>
#include <map>
#include <vector>

namespace limbeck {

/// Time as a user waits for it: a GPU works behind our back, so what it was asked for is over when
/// it has nothing left to do.
class DeviceClock {
 public:
  explicit DeviceClock(const at::Device& device);
  /// Milliseconds since it was made or asked before.
  double lap_ms();

 private:
  at::Device device_;
  std::chrono::steady_clock::time_point last_;
};

enum class StepPart { data, forward, backward, update };

/// Times the parts of training steps.
class StepTimer {
 public:
  /// The first `warm_up` steps do not count.
  StepTimer(const at::Device& device, int64_t warm_up);

  /// A step begins, whose batch took so long to come.
  void begin(double data_ms);
  /// A part of it is over, and the next begins.
  void end(StepPart part);

  /// Medians over the steps that count, in milliseconds; NaN where there are none.
  double median_ms(StepPart part) const;
  double median_step_ms() const;

 private:
  void add(StepPart part, double ms);

  DeviceClock clock_;
  int64_t warm_up_;
  int64_t begun_ = 0;
  std::map<StepPart, std::vector<double>> parts_;
  std::vector<double> steps_;
};

/// Steps before the ones that a measurement of `steps` counts: a tenth, at least 2.
int64_t warm_up_steps(int64_t steps);

}  // namespace limbeck
