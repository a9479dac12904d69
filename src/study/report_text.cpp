#include "study/report_text.h"

#include <algorithm>
#include <cmath>

#include "limbeck/core/format.h"

namespace limbeck {

std::string count_text(int64_t parameters) {
  return parameters < 1000000 ? format("%.1f k", static_cast<double>(parameters) / 1e3)
                              : format("%.2f M", static_cast<double>(parameters) / 1e6);
}

std::string runs_text(const SystemRow& row) {
  return format("%d", row.runs.size()) + (row.missing > 0 ? format(" of %d", row.planned()) : "") +
         (row.skipped_steps > 0 ? " †" : "");
}

std::string bounds_text(const Interval& interval, int decimals) {
  if (std::isnan(interval.low)) return "";
  return format("[%+.*f, %+.*f]", decimals, interval.low, decimals, interval.high);
}

std::string p_text(double p) {
  if (std::isnan(p)) return "";
  return p < 0.001 ? "< 0.001" : format("%.3f", p);
}

std::string means_caption(const ReportData& data, const SetReport& set) {
  std::string text =
      "Mean ± sample standard deviation (n − 1) over n runs, which differ in their training seed; "
      "the score of a run is the mean over the utterances.";
  const auto any = [&](const auto& is_so) {
    return std::any_of(set.systems.begin(), set.systems.end(), is_so);
  };
  if (data.has_teachers) {
    text += " Runs with several teachers are every student seed with every teacher seed.";
  }
  if (any([](const SystemRow& row) { return row.missing > 0; })) {
    text += " \"4 of 5\" says that a run is missing.";
  }
  if (any([](const SystemRow& row) { return row.skipped_steps > 0; })) {
    text += " †: training steps were skipped.";
  }
  return text;
}

std::string differences_caption(const ReportData& data, const SetReport& set) {
  std::string text =
      "Mean difference in pairs of one seed, 95 % interval and p of the paired t test. p (Holm) is "
      "corrected for ";
  text += data.family == 1
              ? "the one comparison that was named beforehand."
              : format(
                    "all %d comparisons of this metric that were named beforehand, over all "
                    "scenarios%s.",
                    data.family, data.sets.size() > 1 ? " and sets" : "");
  const auto by_teacher = [](const ArmDifference& d) { return d.unit == Unit::teacher_seed; };
  if (!data.has_teachers) return text;
  const bool is_by_teacher =
      std::any_of(set.differences.begin(), set.differences.end(), by_teacher);
  return text + (is_by_teacher
                     ? " n counts seeds of teachers, each a mean over its students: it says "
                       "nothing of other seeds of students."
                     : " n counts seeds of students, each a mean over the teachers: it says "
                       "nothing of other teachers.");
}

std::string partial_text(const StudyResults& results) {
  if (results.missing.empty()) return "";
  return results.missing.size() == 1
             ? " (partial: 1 result is missing)"
             : format(" (partial: %d results are missing)", results.missing.size());
}

}  // namespace limbeck
