#include <cmath>

#include "train/schedule.h"

namespace limbeck {
namespace {

struct ExponentialOptions : config::Component<ExponentialOptions> {
  double final_ratio = 0.01;

  void describe(config::Visitor& v) override {
    v.value("final_ratio", final_ratio, "learning rate at the end, as a share of the peak",
            config::between(1e-9, 1));
  }
};

class Exponential : public Schedule {
 public:
  explicit Exponential(const ExponentialOptions& options) : options_(options) {}

  double factor(int64_t step, int64_t steps) const override {
    return std::pow(options_.final_ratio, progress_at(step, steps));
  }

 private:
  ExponentialOptions options_;
};

}  // namespace

void add_exponential(ScheduleRegistry& registry) {
  registry.add<Exponential, ExponentialOptions>(
      "exponential", "from the peak to final_ratio by the same factor in each step");
}

}  // namespace limbeck
