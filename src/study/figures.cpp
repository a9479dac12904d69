#include "study/figures.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/run/run_plot.h"
#include "limbeck/run/run_view.h"
#include "study/folder_name.h"

namespace limbeck {
namespace fs = std::filesystem;
namespace {

/// "causal student", "causal student, train.batch_size=8"
template <class Row>
std::string group_of(const Row& row) {
  return row.scenario + (row.sweep.empty() ? "" : ", " + row.sweep);
}

/// Index of a name, which is added where it is new.
size_t key_of(const std::string& name, std::vector<std::string>& keys) {
  const auto found = std::find(keys.begin(), keys.end(), name);
  if (found != keys.end()) return static_cast<size_t>(found - keys.begin());
  keys.push_back(name);
  return keys.size() - 1;
}

/// A row below the heading of its group, which is added where it is new.
void add_row(RowPlot& plot, const std::string& group, PlotRow row, std::string& last_group) {
  if (group != last_group) plot.rows.push_back({.label = group, .is_heading = true});
  last_group = group;
  plot.rows.push_back(std::move(row));
}

constexpr double kPointShare = 11.0 / 848;  // of the axis, for each of several points of one place

/// What stands in a plot of quality.
struct Place {
  const SystemRow* row;
  double at;  ///< logarithm of the cost; later moved beside others that are near
};

double cost_of(const SystemRow& row, Cost cost) {
  const ScoredRun& run = *row.runs.front();
  return cost == Cost::parameters ? static_cast<double>(run.parameters) : run.macs_per_second;
}

/// Places that are closer than `step` to each other are set side by side about their middle.
void spread(std::vector<Place>& places, double step) {
  struct Cluster {
    size_t size;
    double middle;
  };
  std::vector<Cluster> clusters;
  for (const Place& place : places) {
    clusters.push_back({1, place.at});
    while (clusters.size() > 1) {
      const Cluster last = clusters.back();
      Cluster& before = clusters[clusters.size() - 2];
      const auto size = static_cast<double>(before.size + last.size);
      if (last.middle - before.middle >= step * size / 2) break;
      before.middle = (before.middle * static_cast<double>(before.size) +
                       last.middle * static_cast<double>(last.size)) /
                      size;
      before.size += last.size;
      clusters.pop_back();
    }
  }
  size_t next = 0;
  for (const Cluster& cluster : clusters) {
    for (size_t i = 0; i < cluster.size; ++i) {
      const double offset = static_cast<double>(i) - static_cast<double>(cluster.size - 1) / 2;
      places[next++].at = cluster.middle + step * offset;
    }
  }
}

/// By cost; those of one cost in the order of the table.
std::vector<Place> places_of(const SetReport& set, Cost cost) {
  std::vector<Place> places;
  for (const SystemRow& row : set.systems) {
    if (row.kind == SystemKind::noisy || row.runs.empty() || cost_of(row, cost) <= 0) continue;
    places.push_back({&row, std::log10(cost_of(row, cost))});
  }
  std::stable_sort(places.begin(), places.end(),
                   [](const Place& a, const Place& b) { return a.at < b.at; });
  if (!places.empty()) {
    spread(places, std::max(1.12 * (places.back().at - places.front().at), 0.8) * kPointShare);
  }
  return places;
}

/// "A", …, "Z", "A1", …
std::string letter(size_t i) {
  return std::string(1, static_cast<char>('A' + i % 26)) + (i < 26 ? "" : format("%d", i / 26));
}

/// Mean of the runs' curves at the steps that all of them have.
RunCurve mean_curve(const std::vector<RunCurve>& curves) {
  std::map<double, std::vector<double>> by_step;
  for (const RunCurve& curve : curves) {
    for (size_t i = 0; i < curve.x.size(); ++i) by_step[curve.x[i]].push_back(curve.y[i]);
  }
  RunCurve mean;
  for (const auto& [step, values] : by_step) {
    if (values.size() < curves.size()) continue;
    mean.x.push_back(step);
    mean.y.push_back(summarize(values).mean);
  }
  return mean;
}

/// What students have logged, by arm.
class Trainings {
 public:
  Trainings(const fs::path& dir, const StudyResults& results, const std::string& primary) {
    for (const ScoredRun& run : results.runs) {
      if (!run.arm || !RunView(dir / run.id).exists()) continue;
      try {
        const RunCurves read = read_curves(dir / run.id, "valid", "step", {primary, "loss"});
        for (const auto& [metric, curve] : read.curves) curves_[metric][*run.arm].push_back(curve);
      } catch (const DataError&) {
        ++unreadable_;
      }
    }
    metric_ = curves_.count(primary) > 0 ? primary : "loss";
  }

  const std::string& metric() const { return metric_; }
  size_t unreadable() const { return unreadable_; }

  /// Empty where there is none.
  RunCurve mean(const StudyArm& arm) const {
    const auto found = curves_.find(metric_);
    if (found == curves_.end() || found->second.count(arm) == 0) return {};
    return mean_curve(found->second.at(arm));
  }

 private:
  std::map<std::string, std::map<StudyArm, std::vector<RunCurve>>> curves_;
  std::string metric_;
  size_t unreadable_ = 0;
};

template <class AnyPlot>
void write(const fs::path& folder, const std::string& name, const AnyPlot& plot) {
  write_plot(folder / (name + ".svg"), plot);
  if (can_draw_png()) write_plot(folder / (name + ".png"), plot);
}

}  // namespace

RowPlot seeds_plot(const ReportData& data, const SetReport& set) {
  const Metric& metric = set.table.metrics[data.primary];
  RowPlot plot{.title = metric.title + ", set " + set.name,
               .x_label = metric.title,
               .note = "rings: runs; marks: means with 95 % intervals (Student's t)"};
  std::string last;
  std::vector<std::string> methods;
  for (const SystemRow& row : set.systems) {
    if (row.kind != SystemKind::student) continue;
    const SystemScores& scores = row.scores[data.primary];
    const size_t key = key_of(row.method, methods);
    const double half = interval95(scores.units);
    add_row(plot, group_of(row),
            {.label = row.method,
             .key = key,
             .values = scores.values,
             .mean = scores.units.mean,
             .low = scores.units.mean - half,
             .high = scores.units.mean + half,
             .text = row.runs.empty() ? "missing" : summary_text(scores.runs, metric.decimals)},
            last);
  }
  return plot;
}

RowPlot differences_plot(const ReportData& data, const SetReport& set) {
  const Metric& metric = set.table.metrics[data.primary];
  RowPlot plot{.title = "Differences in " + metric.title + ", set " + set.name,
               .keys = {"named beforehand", "exploratory"},
               .x_label = "Δ " + metric.title +
                          (metric.higher_is_better ? "; right of the line the first is better"
                                                   : "; left of the line the first is better"),
               .line = 0,
               .note =
                   "rings: pairs of one seed; marks: means with 95 % intervals (paired t, not "
                   "corrected)"};
  std::vector<const ArmDifference*> ordered;
  for (const ArmDifference& d : set.differences) ordered.push_back(&d);
  std::vector<std::string> groups;
  for (const SystemRow& row : set.systems) key_of(group_of(row), groups);
  for (const ArmDifference* d : ordered) key_of(group_of(*d), groups);
  std::stable_sort(ordered.begin(), ordered.end(), [&](const auto* a, const auto* b) {
    return key_of(group_of(*a), groups) < key_of(group_of(*b), groups);
  });
  std::string last;
  for (const ArmDifference* d : ordered) {
    const ArmMetric& difference = d->metrics[data.primary];
    const PairedDifference& paired = difference.analysis.difference;
    if (paired.n == 0) continue;
    add_row(plot, group_of(*d),
            {.label = d->method + " − " + d->reference,
             .key = d->is_named ? 0U : 1U,
             .values = difference.values,
             .mean = paired.mean,
             .low = paired.mean - paired.interval,
             .high = paired.mean + paired.interval,
             .text = difference_text(paired, metric.decimals) + " " +
                     interval_text(paired, metric.decimals)},
            last);
  }
  return plot;
}

Plot quality_plot(const ReportData& data, const SetReport& set, Cost cost) {
  const Metric& metric = set.table.metrics[data.primary];
  Plot plot;
  plot.title = metric.title + ", set " + set.name;
  plot.x_label =
      cost == Cost::parameters ? "parameters" : "multiply-accumulates per second (MAC/s)";
  plot.logarithmic_x = true;
  PlotPanel& panel = plot.panels.emplace_back();
  panel.y_label = metric.title;
  std::vector<std::string> groups;
  for (const SystemKind kind : {SystemKind::student, SystemKind::teacher}) {
    for (const SystemRow& row : set.systems) {
      if (row.kind != kind || row.runs.empty()) continue;
      key_of(row.method, plot.keys);
      if (kind == SystemKind::student) key_of(group_of(row), groups);
    }
  }
  panel.curves.resize(plot.keys.size());
  std::map<size_t, std::vector<double>> places;  // by group
  for (const auto& [row, at] : places_of(set, cost)) {
    const size_t key = key_of(row->method, plot.keys);
    PlotCurve& curve = panel.curves[key];
    curve.key = key;
    curve.unjoined = true;
    curve.x.push_back(std::pow(10, at));
    const Summary& units = row->scores[data.primary].units;
    curve.y.push_back(units.mean);
    curve.bars.push_back(interval95(units));
    if (row->kind == SystemKind::student) places[key_of(group_of(*row), groups)].push_back(at);
  }
  std::vector<std::string> names = {
      "means over seeds with 95 % intervals; those of about one cost stand side by side"};
  for (const auto& [group, logarithms] : places) {
    plot.places.emplace_back(std::pow(10, summarize(logarithms).mean), letter(group));
    names.push_back(letter(group) + ": " + groups[group]);
  }
  plot.note = join(names, "\n");
  return plot;
}

Plot training_plot(const fs::path& dir, const StudyConfig& config, const StudyResults& results,
                   const ReportData& data) {
  const Metric& metric = results.metrics[data.primary];
  const Trainings trainings(dir, results, metric.name);
  Plot plot;
  plot.title = "Training, validation";
  plot.x_label = "step";
  plot.note = "means over seeds, at the steps that all of them have";
  if (trainings.unreadable() > 0) {
    plot.note += format("; %d runs cannot be read", trainings.unreadable());
  }
  for (const StudyMethod& method : config.methods) plot.keys.push_back(method.name);
  for (size_t s = 0; s < config.scenarios.size(); ++s) {
    for (size_t w = 0; w < results.sweep.size(); ++w) {
      PlotPanel panel;
      panel.y_label = trainings.metric() == metric.name ? metric.title : trainings.metric();
      panel.title =
          config.scenarios[s].name + (results.sweep[w].empty() ? "" : ", " + results.sweep[w]);
      for (size_t m = 0; m < config.methods.size(); ++m) {
        RunCurve mean = trainings.mean({s, m, w});
        if (mean.x.empty()) continue;
        panel.curves.push_back({.x = std::move(mean.x), .y = std::move(mean.y), .key = m});
      }
      if (!panel.curves.empty()) plot.panels.push_back(std::move(panel));
    }
  }
  return plot;
}

void write_figures(const fs::path& dir, const StudyConfig& config, const StudyResults& results,
                   const ReportData& data) {
  const fs::path folder = dir / "figures";
  on_disk([&] { fs::create_directories(folder); });
  for (const SetReport& set : data.sets) {
    const std::string name = folder_name(set.name);
    write(folder, name + "-seeds", seeds_plot(data, set));
    write(folder, name + "-differences", differences_plot(data, set));
    write(folder, name + "-parameters", quality_plot(data, set, Cost::parameters));
    write(folder, name + "-macs", quality_plot(data, set, Cost::macs_per_second));
  }
  const Plot trainings = training_plot(dir, config, results, data);
  if (!trainings.panels.empty()) write(folder, "trainings", trainings);
}

}  // namespace limbeck
