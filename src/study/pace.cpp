#include "study/pace.h"

#include "limbeck/core/format.h"

namespace limbeck {

void StudyPace::add(size_t kind, double amount, double seconds) {
  kinds_.at(kind).amount += amount;
  kinds_.at(kind).seconds += seconds;
}

void StudyPace::set_left(size_t kind, double amount, int64_t at_a_time) {
  kinds_.at(kind).left = amount;
  kinds_.at(kind).at_a_time = at_a_time;
}

std::string StudyPace::time_left() const {
  double seconds = 0;
  bool knows_any = false, knows_all = true;
  for (const Kind& kind : kinds_) {
    if (kind.left <= 0) continue;
    if (kind.amount > 0) {
      knows_any = true;
      seconds += kind.left * kind.seconds / kind.amount / static_cast<double>(kind.at_a_time);
    } else {
      knows_all = false;
    }
  }
  if (!knows_any) return "";
  return std::string(knows_all ? "ETA " : "ETA over ") + duration_text(seconds);
}

}  // namespace limbeck
