#include <algorithm>
#include <cmath>
#include <numbers>

#include "train/schedule.h"

namespace limbeck {
namespace {

struct WarmupCosineOptions : config::Component<WarmupCosineOptions> {
  int64_t warmup_steps = 100;
  double final_ratio = 0.01;

  void describe(config::Visitor& v) override {
    v.value("warmup_steps", warmup_steps, "steps of linear warm-up", config::at_least(0));
    v.value("final_ratio", final_ratio, "learning rate at the end, as a share of the peak",
            config::between(0, 1));
  }
};

/// After the warm-up half a cosine down to final_ratio (Loshchilov and Hutter, arXiv 1608.03983,
/// without restarts).
class WarmupCosine : public Schedule {
 public:
  explicit WarmupCosine(const WarmupCosineOptions& options) : options_(options) {}

  double factor(int64_t step, int64_t steps) const override {
    const int64_t warmup = options_.warmup_steps;
    if (step < warmup) return warmup_factor(step, warmup);
    const auto falling = static_cast<double>(std::max<int64_t>(steps - warmup, 1));
    const double progress = std::min(1.0, static_cast<double>(step - warmup) / falling);
    return options_.final_ratio +
           (1 - options_.final_ratio) * 0.5 * (1 + std::cos(std::numbers::pi * progress));
  }

 private:
  WarmupCosineOptions options_;
};

}  // namespace

void add_warmup_cosine(ScheduleRegistry& registry) {
  registry.add<WarmupCosine, WarmupCosineOptions>("warmup_cosine",
                                                  "linear warm-up, then half a cosine");
}

}  // namespace limbeck
