#include <algorithm>

#include "train/schedule.h"

namespace limbeck {
namespace {

struct OneCycleOptions : config::Component<OneCycleOptions> {
  double rise = 0.3;
  double first_ratio = 0.04;
  double final_ratio = 4e-6;

  void describe(config::Visitor& v) override {
    v.value("rise", rise, "share of the steps in which the learning rate rises",
            config::between(0, 1));
    v.value("first_ratio", first_ratio, "learning rate at the start, as a share of the peak",
            config::between(1e-9, 1));
    v.value("final_ratio", final_ratio, "learning rate at the end, as a share of the peak",
            config::between(0, 1));
  }
};

/// Smith and Topin, arXiv 1708.07120, in the form of PyTorch's OneCycleLR (two parts, each half a
/// cosine), whose div_factor is 1 / first_ratio and whose final_div_factor is first_ratio /
/// final_ratio. Momentum stays as it is.
class OneCycle : public Schedule {
 public:
  explicit OneCycle(const OneCycleOptions& options) : options_(options) {}

  double factor(int64_t step, int64_t steps) const override {
    const auto at = static_cast<double>(step);
    const double end = static_cast<double>(steps) - 1;
    const double top = std::max(options_.rise * static_cast<double>(steps) - 1, 0.0);
    if (at < top) return half_cosine(options_.first_ratio, 1, at / top);
    const double falling = std::max(end - top, 1e-9);  // 0 where there is but the rise
    return half_cosine(1, options_.final_ratio, std::min((at - top) / falling, 1.0));
  }

 private:
  OneCycleOptions options_;
};

}  // namespace

void add_one_cycle(ScheduleRegistry& registry) {
  registry.add<OneCycle, OneCycleOptions>(
      "one_cycle",
      "up to the peak and down again, Smith and Topin, arXiv 1708.07120; its own rise makes a "
      "warm-up needless");
}

}  // namespace limbeck
