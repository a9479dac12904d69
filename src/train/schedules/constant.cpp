#include "train/schedule.h"

namespace limbeck {
namespace {

struct ConstantOptions : config::Component<ConstantOptions> {
  int64_t warmup_steps = 100;

  void describe(config::Visitor& v) override {
    v.value("warmup_steps", warmup_steps, "steps of linear warm-up", config::at_least(0));
  }
};

class Constant : public Schedule {
 public:
  explicit Constant(const ConstantOptions& options) : options_(options) {}

  double factor(int64_t step, int64_t) const override {
    return warmup_factor(step, options_.warmup_steps);
  }

 private:
  ConstantOptions options_;
};

}  // namespace

void add_constant(ScheduleRegistry& registry) {
  registry.add<Constant, ConstantOptions>("constant", "linear warm-up, then the peak to the end");
}

}  // namespace limbeck
