#include "train/schedule.h"

namespace limbeck {

// Each is a file of schedules/.
void add_constant(ScheduleRegistry&);
void add_warmup_cosine(ScheduleRegistry&);

const ScheduleRegistry& schedules() {
  static const ScheduleRegistry registry = [] {
    ScheduleRegistry all("schedule");
    add_constant(all);
    add_warmup_cosine(all);
    return all;
  }();
  return registry;
}

}  // namespace limbeck
