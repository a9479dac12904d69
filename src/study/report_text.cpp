#include "study/report_text.h"

#include <algorithm>
#include <cmath>

#include "limbeck/core/format.h"

namespace limbeck {
namespace {

/// What n counts in the named comparisons, which may not be the same in all.
std::string units_text(const SetReport& set) {
  const auto any = [&](const auto& is_so) {
    return std::any_of(set.differences.begin(), set.differences.end(),
                       [&](const ArmDifference& d) { return d.is_named && is_so(d); });
  };
  std::string text;
  if (any([](const auto& d) { return d.unit == Unit::teacher_seed; })) {
    text =
        " n counts seeds of teachers, each a mean over its students: it says nothing of other "
        "seeds of students.";
  } else if (any([](const auto& d) { return d.follows_teacher; })) {
    text =
        " n counts seeds of students, each a mean over the teachers: it says nothing of other "
        "teachers.";
  }
  if (any([](const auto& d) { return !d.follows_teacher; })) {
    text += " Where neither method follows a teacher, n counts seeds of students, one run each.";
  }
  return text;
}

}  // namespace

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
  return data.has_teachers ? text + units_text(set) : text;
}

std::string partial_text(const StudyResults& results) {
  if (results.missing.empty()) return "";
  return results.missing.size() == 1
             ? " (partial: 1 result is missing)"
             : format(" (partial: %d results are missing)", results.missing.size());
}

}  // namespace limbeck
