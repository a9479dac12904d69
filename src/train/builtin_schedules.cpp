#include "train/schedule.h"

namespace limbeck {

// Each is a file of schedules/.
void add_constant(ScheduleRegistry&);
void add_cosine(ScheduleRegistry&);
void add_exponential(ScheduleRegistry&);
void add_linear(ScheduleRegistry&);
void add_one_cycle(ScheduleRegistry&);
void add_plateau(ScheduleRegistry&);

const ScheduleRegistry& schedules() {
  static const ScheduleRegistry registry = [] {
    ScheduleRegistry all("schedule");
    add_constant(all);
    add_cosine(all);
    add_exponential(all);
    add_linear(all);
    add_one_cycle(all);
    add_plateau(all);
    return all;
  }();
  return registry;
}

}  // namespace limbeck
