#include "study/report.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "limbeck/core/csv.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/core/statistics.h"
#include "limbeck/core/table.h"

namespace limbeck {
namespace {

bool is_teacher(const StudyRun& run) { return run.tool == "limbeck-pretrain"; }

std::string results_csv(const StudyConfig& config, const StudyResults& results) {
  // A column that every reader of the file sees, only where there is something to say.
  const bool noted = std::any_of(results.notes.begin(), results.notes.end(),
                                 [](const auto& of_set) { return !of_set.second.empty(); });
  const auto line = [&](std::vector<std::string> fields, const std::string& note) {
    if (noted) fields.push_back(note);
    return csv_line(fields);
  };
  std::string csv = line({"scenario", "method", "seed", "set", "metric", "value"}, "note");
  std::map<std::string, bool> noisy_written;
  for (const RunScores& scores : results.scores) {
    const bool teacher = is_teacher(scores.run);
    const std::string scenario = teacher ? "" : config.scenarios[scores.run.scenario].name;
    const std::string method = teacher ? scores.run.label : config.methods[scores.run.method].name;
    const auto notes = results.notes.find(scores.set);
    const std::string note = notes == results.notes.end() ? "" : join(notes->second, "; ");
    for (size_t m = 0; m < results.metrics.size(); ++m) {
      const std::string& metric = results.metrics[m].name;
      if (!noisy_written[scores.set]) {
        csv += line({"", "noisy", "", scores.set, metric, shortest(scores.noisy_means[m])}, note);
      }
      csv += line({scenario, method, std::to_string(scores.run.seed), scores.set, metric,
                   shortest(scores.means[m])},
                  note);
    }
    noisy_written[scores.set] = true;
  }
  return csv;
}

std::string count_text(int64_t parameters) {
  return parameters < 1000000 ? format("%.1f k", static_cast<double>(parameters) / 1e3)
                              : format("%.2f M", static_cast<double>(parameters) / 1e6);
}

class SetTables {
 public:
  SetTables(const StudyConfig& config, const StudyResults& results, std::string set)
      : config_(config), results_(results), set_(std::move(set)) {}

  std::string means() const {
    std::vector<std::string> header = {"system", "method", "parameters", "MMAC/s", "n"};
    for (const Metric& metric : results_.metrics) header.push_back(metric.title);
    std::vector<std::vector<std::string>> rows;
    for (const RunScores& scores : results_.scores) {
      if (scores.set != set_) continue;
      if (rows.empty()) rows.push_back(noisy_row(scores));
      if (is_teacher(scores.run)) rows.push_back(row(scores.run.label, "", {&scores}));
    }
    for (size_t s = 0; s < config_.scenarios.size(); ++s) {
      for (size_t m = 0; m < config_.methods.size(); ++m) {
        const auto group = select(s, m);
        if (!group.empty())
          rows.push_back(row(config_.scenarios[s].name, config_.methods[m].name, group));
      }
    }
    return markdown_table(header, rows, 2);
  }

  /// Empty without a baseline or with fewer than two common seeds.
  std::string differences() const {
    std::vector<std::string> header = {"scenario", "method", "n"};
    for (const Metric& metric : results_.metrics) header.push_back("Δ " + metric.title);
    std::vector<std::vector<std::string>> rows;
    for (size_t s = 0; s < config_.scenarios.size(); ++s) {
      for (size_t m = 0; m < config_.methods.size(); ++m) {
        if (config_.methods[m].name == config_.study.baseline) continue;
        if (auto cells = difference_row(s, m)) rows.push_back(*cells);
      }
    }
    return rows.empty() ? "" : markdown_table(header, rows, 2);
  }

 private:
  std::vector<const RunScores*> select(size_t scenario, size_t method) const {
    std::vector<const RunScores*> group;
    for (const RunScores& scores : results_.scores) {
      if (scores.set == set_ && !is_teacher(scores.run) && scores.run.scenario == scenario &&
          scores.run.method == method) {
        group.push_back(&scores);
      }
    }
    return group;
  }

  std::vector<std::string> noisy_row(const RunScores& scores) const {
    std::vector<std::string> cells = {"noisy", "", "", "", ""};
    for (size_t m = 0; m < results_.metrics.size(); ++m) {
      cells.push_back(format("%.*f", results_.metrics[m].decimals, scores.noisy_means[m]));
    }
    return cells;
  }

  std::vector<std::string> row(const std::string& name, const std::string& method,
                               const std::vector<const RunScores*>& group) const {
    const nn::ModelCost& cost = results_.costs.at(group.front()->run.dir.string());
    std::vector<std::string> cells = {name, method, count_text(cost.parameters),
                                      format("%.1f", cost.macs_per_second / 1e6),
                                      format("%d", group.size())};
    for (size_t m = 0; m < results_.metrics.size(); ++m) {
      std::vector<double> values;
      for (const RunScores* scores : group) values.push_back(scores->means[m]);
      const Summary s = summarize(values);
      const int decimals = results_.metrics[m].decimals;
      cells.push_back(s.n > 1 ? format("%.*f ± %.*f", decimals, s.mean, decimals, s.deviation)
                              : format("%.*f", decimals, s.mean));
    }
    return cells;
  }

  std::optional<std::vector<std::string>> difference_row(size_t scenario, size_t method) const {
    std::vector<std::vector<double>> differences(results_.metrics.size());
    for (const RunScores* own : select(scenario, method)) {
      for (const RunScores& other : results_.scores) {
        if (other.set != set_ || is_teacher(other.run) || other.run.scenario != scenario ||
            config_.methods[other.run.method].name != config_.study.baseline ||
            other.run.seed != own->run.seed) {
          continue;
        }
        for (size_t m = 0; m < differences.size(); ++m)
          differences[m].push_back(own->means[m] - other.means[m]);
      }
    }
    if (differences.empty() || differences.front().size() < 2) return std::nullopt;
    std::vector<std::string> cells = {config_.scenarios[scenario].name,
                                      config_.methods[method].name,
                                      format("%d", differences.front().size())};
    for (size_t m = 0; m < differences.size(); ++m) {
      const Summary s = summarize(differences[m]);
      const double half = interval95(s);
      const int decimals = results_.metrics[m].decimals;
      cells.push_back(format("%+.*f [%+.*f, %+.*f]", decimals, s.mean, decimals, s.mean - half,
                             decimals, s.mean + half));
    }
    return cells;
  }

  const StudyConfig& config_;
  const StudyResults& results_;
  std::string set_;
};

}  // namespace

std::string write_report(const std::filesystem::path& dir, const StudyConfig& config,
                         const StudyResults& results, const std::vector<StudyFailure>& failures) {
  std::string text = "## " + config.study.name + "\n";
  for (const StudySet& set : config.study.sets) {
    const SetTables tables(config, results, set.name);
    text += "\nSet " + set.name +
            ": mean ± sample standard deviation (n − 1) over n training seeds; the score of a run "
            "is the mean "
            "over the utterances.\n\n" +
            tables.means();
    const std::string differences = tables.differences();
    if (!differences.empty()) {
      text += "\nAgainst " + config.study.baseline +
              ", paired by seed: mean difference and its 95 % interval (Student's t, not "
              "corrected for the number of comparisons).\n\n" +
              differences;
    }
    if (const auto notes = results.notes.find(set.name); notes != results.notes.end()) {
      for (const std::string& note : notes->second) text += "\n**" + note + "**\n";
    }
  }
  std::string failed = csv_line({"run", "reason"});
  for (const StudyFailure& failure : failures) failed += csv_line({failure.label, failure.reason});
  if (!failures.empty())
    text += format("\n%d failures are listed in failures.csv; what failed is not in the means.\n",
                   failures.size());
  write_file_atomically(dir / "results.csv", results_csv(config, results));
  write_file_atomically(dir / "failures.csv", failed);
  write_file_atomically(dir / "table.md", text);
  return text;
}

}  // namespace limbeck
