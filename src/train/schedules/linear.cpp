#include "train/schedule.h"

namespace limbeck {
namespace {

struct LinearOptions : config::Component<LinearOptions> {
  double final_ratio = 0.01;

  void describe(config::Visitor& v) override {
    v.value("final_ratio", final_ratio, "learning rate at the end, as a share of the peak",
            config::between(0, 1));
  }
};

class Linear : public Schedule {
 public:
  explicit Linear(const LinearOptions& options) : options_(options) {}

  double factor(int64_t step, int64_t steps) const override {
    return 1 - (1 - options_.final_ratio) * progress_at(step, steps);
  }

 private:
  LinearOptions options_;
};

}  // namespace

void add_linear(ScheduleRegistry& registry) {
  registry.add<Linear, LinearOptions>("linear", "evenly from the peak to final_ratio");
}

}  // namespace limbeck
