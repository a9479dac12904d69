#include <algorithm>
#include <cmath>
#include <set>

#include "limbeck/core/csv.h"
#include "limbeck/core/format.h"
#include "study/report_text.h"

namespace limbeck {
namespace {

constexpr const char* kMean = "mean";

class ResultLines {
 public:
  ResultLines(const StudyConfig& config, const StudyResults& results)
      : config_(config), results_(results) {}

  void add(const SetReport& set) {
    const auto found = results_.tables.find(set.name);
    if (found != results_.tables.end()) add_scores(set, found->second);
    for (const MissingRun& missing : results_.missing) {
      const bool is_of_search = !missing.arm && missing.teacher.empty();
      if (is_of_search || (!missing.set.empty() && missing.set != set.name)) continue;
      std::string note = "missing: " + missing.reason;
      std::replace(note.begin(), note.end(), '\n', ' ');
      for (const Metric& metric : set.table.metrics) {
        add_line(names_of(missing, set), {kMean, metric.name, "", note});
      }
    }
  }

  std::string text = csv_line({"scenario", "method", "sweep", "seed", "teacher_seed", "set",
                               "utterance", "metric", "value", "note"});

 private:
  using Fields = std::vector<std::string>;

  void add_scores(const SetReport& set, const ResultTable& table) {
    bool is_first = true;
    for (const ScoredRun& run : results_.runs) {
      const RunResults* scores = table.find_run(run.id);
      if (scores == nullptr) continue;
      const RunResults& paired = *set.table.find_run(run.id);
      if (is_first && scores->has_noisy()) {
        add_side(set, {"", "noisy", "", "", "", set.name}, *scores, paired, true, 0);
        is_first = false;
      }
      add_side(set, names_of(run, set), *scores, paired, false, run.skipped_steps);
    }
  }

  template <class Run>
  Fields names_of(const Run& run, const SetReport& set) const {
    const std::string teacher_seed = std::to_string(run.teacher_seed);
    if (!run.arm) return {"", "teacher " + run.teacher, "", "", teacher_seed, set.name};
    const StudyMethod& method = config_.methods[run.arm->method];
    return {config_.scenarios[run.arm->scenario].name,
            method.name,
            results_.sweep[run.arm->sweep],
            std::to_string(run.seed),
            method.distill.terms.empty() ? "" : teacher_seed,
            set.name};
  }

  void add_line(Fields fields, const Fields& end) {
    fields.insert(fields.end(), end.begin(), end.end());
    text += csv_line(fields);
  }

  /// The mean of each metric, then what it is made from.
  void add_side(const SetReport& set, const Fields& names, const RunResults& scores,
                const RunResults& paired, bool noisy, int64_t skipped) {
    Fields notes = set.notes;
    if (skipped > 0) notes.push_back(format("%d training steps were skipped", skipped));
    const std::string note = join(notes, "; ");
    const auto number = [](double value) { return std::isnan(value) ? "" : shortest(value); };
    for (size_t m = 0; m < set.table.metrics.size(); ++m) {
      const double mean = set.table.over_utterances(paired, m, noisy).mean;
      add_line(names, {kMean, set.table.metrics[m].name, number(mean), note});
    }
    for (size_t i = 0; i < scores.rows.size(); ++i) {
      for (size_t m = 0; m < set.table.metrics.size(); ++m) {
        const double value = scores.rows[i].score(m, noisy);
        const bool is_left_out = !std::isnan(value) && std::isnan(paired.rows[i].score(m, noisy));
        add_line(names, {scores.rows[i].id, set.table.metrics[m].name, number(value),
                         std::isnan(value) ? "no score"
                         : is_left_out     ? "not in the mean: another run has no score"
                                           : ""});
      }
    }
  }

  const StudyConfig& config_;
  const StudyResults& results_;
};

}  // namespace

std::string report_csv(const StudyConfig& config, const StudyResults& results,
                       const ReportData& data) {
  ResultLines lines(config, results);
  for (const SetReport& set : data.sets) lines.add(set);
  return lines.text;
}

}  // namespace limbeck
