#include "limbeck/train/step_timer.h"

#include <c10/core/impl/VirtualGuardImpl.h>

#include <algorithm>

#include "limbeck/core/statistics.h"

namespace limbeck {

using Clock = std::chrono::steady_clock;

DeviceClock::DeviceClock(const at::Device& device) : device_(device) { lap_ms(); }

double DeviceClock::lap_ms() {
  if (!device_.is_cpu()) {
    c10::impl::VirtualGuardImpl(device_.type()).synchronizeDevice(device_.index());
  }
  const auto now = Clock::now();
  const std::chrono::duration<double, std::milli> lap = now - last_;
  last_ = now;
  return lap.count();
}

StepTimer::StepTimer(const at::Device& device, int64_t warm_up)
    : clock_(device), warm_up_(warm_up) {}

void StepTimer::begin(double data_ms) {
  if (++begun_ > warm_up_) steps_.push_back(0);
  add(StepPart::data, data_ms);
  clock_.lap_ms();
}

void StepTimer::end(StepPart part) { add(part, clock_.lap_ms()); }

void StepTimer::add(StepPart part, double ms) {
  if (begun_ <= warm_up_) return;
  auto& of_part = parts_[part];
  of_part.resize(steps_.size());  // a part that comes several times in a step counts once
  of_part.back() += ms;
  steps_.back() += ms;
}

double StepTimer::median_ms(StepPart part) const {
  const auto found = parts_.find(part);
  return median(found == parts_.end() ? std::vector<double>() : found->second);
}

double StepTimer::median_step_ms() const { return median(steps_); }

int64_t warm_up_steps(int64_t steps) { return std::max<int64_t>(steps / 10, 2); }

}  // namespace limbeck
