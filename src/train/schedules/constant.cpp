#include "train/schedule.h"

namespace limbeck {
namespace {

class Constant : public Schedule {
 public:
  explicit Constant(const config::NoOptions&) {}
  double factor(int64_t, int64_t) const override { return 1; }
};

}  // namespace

void add_constant(ScheduleRegistry& registry) {
  registry.add<Constant, config::NoOptions>("constant", "the peak to the end");
}

}  // namespace limbeck
