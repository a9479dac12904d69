#include "limbeck/run/run_plot.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/run/run_names.h"
#include "limbeck/run/run_view.h"
#include "run/layout.h"
#include "run/metrics_lines.h"

namespace limbeck {
namespace fs = std::filesystem;
namespace {

using nlohmann::json;

/// What stands under the key, dots leading into inner objects; null if nothing does.
const json* find(const json& object, std::string_view key) {
  if (!object.is_object()) return nullptr;
  if (const auto whole = object.find(key); whole != object.end()) return &*whole;
  for (size_t dot = key.find('.'); dot != key.npos; dot = key.find('.', dot + 1)) {
    const auto outer = object.find(key.substr(0, dot));
    if (outer == object.end()) continue;
    if (const json* inner = find(*outer, key.substr(dot + 1))) return inner;
  }
  return nullptr;
}

/// NaN for null, which is how JSON has what is not finite.
double number_of(const json& value) {
  return value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN();
}

/// "epoch" and "seconds" are where a split's lines have them.
const json* find_x(const json& line, const std::string& x) {
  const json* found = find(line, x);
  return found != nullptr || x != "seconds" ? found : find(line, "timing.seconds");
}

std::string axis_of(const std::string& x, double& unit, double longest) {
  unit = 1;
  if (x != "seconds") return x;
  if (longest > 3 * 3600) {
    unit = 3600;
    return "time in training (h)";
  }
  if (longest > 300) {
    unit = 60;
    return "time in training (min)";
  }
  return "time in training (s)";
}

/// A key of a further validation set is "set/metric".
std::string title_of(const std::string& metric, const std::map<std::string, std::string>& titles) {
  const auto known = titles.find(metric);
  if (known != titles.end()) return known->second;
  const size_t slash = metric.rfind('/');
  if (slash == metric.npos) return metric;
  const auto of_set = titles.find(metric.substr(slash + 1));
  return of_set == titles.end() ? metric : of_set->second + ", " + metric.substr(0, slash);
}

/// The curves of a run, by split.
struct Course {
  std::vector<RunCurves> splits;

  bool diverged() const { return splits.front().diverged; }
  bool has_any() const {
    return std::any_of(splits.begin(), splits.end(),
                       [](const RunCurves& split) { return !split.curves.empty(); });
  }
};

/// As a run may not have come to its first validation, one with a curve is enough.
void require_any(const std::vector<Course>& courses, const fs::path& first,
                 const RunPlotOptions& options) {
  std::set<std::string> known;
  for (const Course& course : courses) {
    if (course.has_any()) return;
    for (const RunCurves& split : course.splits)
      known.insert(split.known.begin(), split.known.end());
  }
  throw DataError(format("%s: no line of split %s has %s beside %s; these are there: %s",
                         first / kMetricsFile, join(options.splits, " or "),
                         join(options.metrics, " or "), options.x,
                         known.empty() ? "none yet" : join({known.begin(), known.end()}, ", ")));
}

double longest_of(const std::vector<Course>& courses) {
  double longest = 0;
  for (const Course& course : courses) {
    for (const RunCurves& split : course.splits) {
      for (const auto& [metric, curve] : split.curves) {
        for (const double x : curve.x) longest = std::max(longest, x);
      }
    }
  }
  return longest;
}

/// The curve of a metric; of one split also what it was smoothed from, behind it.
void add_curve(const RunCurve& read, PlotCurve curve, double unit, const RunPlotOptions& options,
               PlotPanel& panel) {
  for (const double x : read.x) curve.x.push_back(x / unit);
  curve.y = read.y;
  if (options.smooth > 1) {
    if (options.splits.size() == 1) {
      PlotCurve& behind = panel.curves.emplace_back(curve);
      behind.faint = true;
      behind.broken_off = false;
    }
    curve.y = running_mean(read.y, options.smooth);
  }
  panel.curves.push_back(std::move(curve));
}

/// A metric of all runs. Where the first split has it nowhere, another stands out.
PlotPanel panel_of(const std::string& metric, const std::vector<Course>& courses,
                   const RunPlotOptions& options, double unit) {
  const auto& logs = options.logarithmic;
  PlotPanel panel{title_of(metric, options.titles),
                  {},
                  std::find(logs.begin(), logs.end(), metric) != logs.end()};
  for (size_t split = 0; split < options.splits.size(); ++split) {
    const bool stands_out = panel.curves.empty();
    for (size_t run = 0; run < courses.size(); ++run) {
      const auto& curves = courses[run].splits[split].curves;
      const auto found = curves.find(metric);
      if (found == curves.end()) continue;
      const bool ends = courses[run].diverged() && stands_out;
      add_curve(found->second, {{}, {}, run, !stands_out, ends}, unit, options, panel);
    }
    if (stands_out && split > 0 && !panel.curves.empty()) {
      panel.y_label += " (" + options.splits[split] + ")";
    }
  }
  return panel;
}

std::string note_of(const RunPlotOptions& options) {
  std::vector<std::string> notes;
  if (options.splits.size() > 1) {
    notes.push_back("strong lines: " + options.splits[0] + ", faint: " + options.splits[1]);
  }
  if (options.smooth > 1) {
    notes.push_back(format("means of %d neighbouring points", options.smooth) +
                    (options.splits.size() == 1 ? ", faint: the points" : ""));
  }
  return join(notes, "; ");
}

}  // namespace

RunCurves read_curves(const fs::path& run, const std::string& split, const std::string& x,
                      const std::vector<std::string>& metrics) {
  RunCurves read;
  if (!is_there(run / kMetricsFile) && RunView(run).exists()) return read;  // it was only begun
  std::set<std::string> known;
  for_each_line(run / kMetricsFile, [&](const json& line) {
    read.diverged = line.contains(kDivergedKey);
    if (line.value("split", json()) != split) return;
    for_each_number(line, [&](const std::string& key, double) { known.insert(key); });
    const json* at = find_x(line, x);
    if (at == nullptr || !at->is_number()) return;
    for (const std::string& metric : metrics) {
      const json* value = find(line, metric);
      if (value == nullptr) continue;
      RunCurve& curve = read.curves[metric];
      curve.x.push_back(at->get<double>());
      curve.y.push_back(number_of(*value));
    }
  });
  read.known.assign(known.begin(), known.end());
  return read;
}

std::vector<double> running_mean(const std::vector<double>& values, int64_t count) {
  const auto reach = static_cast<std::ptrdiff_t>(std::max<int64_t>(count, 1));
  const auto size = static_cast<std::ptrdiff_t>(values.size());
  std::vector<double> means = values;
  for (std::ptrdiff_t i = 0; i < size; ++i) {
    double sum = 0;
    int64_t finite = 0;
    const std::ptrdiff_t first = i - (reach - 1) / 2;
    for (auto k = std::max<std::ptrdiff_t>(first, 0); k < std::min(first + reach, size); ++k) {
      const double value = values[static_cast<size_t>(k)];
      if (!std::isfinite(value)) continue;
      sum += value;
      ++finite;
    }
    double& mean = means[static_cast<size_t>(i)];
    if (std::isfinite(mean)) mean = sum / static_cast<double>(finite);
  }
  return means;
}

Plot plot_runs(const std::vector<fs::path>& runs, const RunPlotOptions& options) {
  Plot plot;
  std::vector<Course> courses;
  for (const auto& [name, run] : named_runs(runs)) {
    Course& course = courses.emplace_back();
    for (const std::string& split : options.splits) {
      course.splits.push_back(read_curves(run, split, options.x, options.metrics));
    }
    plot.keys.push_back(name + (course.diverged() ? " (diverged)" : "") +
                        (course.has_any() ? "" : " (no values)"));
  }
  require_any(courses, runs.front(), options);
  double unit = 1;
  plot.x_label = axis_of(options.x, unit, longest_of(courses));
  plot.note = note_of(options);
  for (const std::string& metric : options.metrics) {
    PlotPanel panel = panel_of(metric, courses, options, unit);
    if (!panel.curves.empty()) plot.panels.push_back(std::move(panel));
  }
  return plot;
}

}  // namespace limbeck
