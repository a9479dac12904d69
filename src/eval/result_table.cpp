#include "limbeck/eval/result_table.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"

namespace limbeck {
namespace {

bool same_metric(const Metric& a, const Metric& b) {
  return a.name == b.name && a.version == b.version;
}

/// "a, b, c and 9 more"
std::string few(const std::vector<std::string>& names) {
  constexpr size_t kShown = 4;
  if (names.size() <= kShown) return join(names, ", ");
  const std::vector<std::string> shown(names.begin(), names.begin() + kShown);
  return join(shown, ", ") + format(" and %d more", names.size() - kShown);
}

/// The scores of one metric that stand in one row of a table: those of a run, or of its noisy side.
struct Arm {
  RunResults* run;
  bool noisy;

  double score(const UtteranceScores& row, size_t metric) const { return row.score(metric, noisy); }
  std::string name() const { return noisy ? run->name + ", noisy" : run->name; }
};

/// Those that have any score of a metric.
std::vector<Arm> arms_of(ResultTable& table, size_t metric) {
  std::vector<Arm> arms;
  for (RunResults& run : table.runs) {
    for (const bool noisy : {false, true}) {
      if (!table.scores(run, metric, noisy).empty()) arms.push_back({&run, noisy});
    }
  }
  return arms;
}

/// Why an arm has no score of an utterance.
std::string reason_of(const Arm& arm, const Metric& metric, const std::string& id) {
  const std::string column = arm.noisy ? metric.name + "_noisy" : metric.name;
  for (const UtteranceFailure& failure : arm.run->failures) {
    if (failure.id != id || (!failure.metric.empty() && failure.metric != column)) continue;
    return failure.reason;
  }
  return "no score";
}

/// "x (student: the signal is silent)", after the first arm that has no score of an utterance.
std::string absence_text(const std::string& id, const std::vector<Arm>& arms, const Metric& metric,
                         size_t m) {
  const auto has_score = [&](const Arm& arm) {
    return std::any_of(arm.run->rows.begin(), arm.run->rows.end(), [&](const auto& row) {
      return row.id == id && !std::isnan(arm.score(row, m));
    });
  };
  const Arm& arm = *std::find_if_not(arms.begin(), arms.end(), has_score);
  return id + " (" + arm.name() + ": " + reason_of(arm, metric, id) + ")";
}

}  // namespace

double UtteranceScores::score(size_t metric, bool noisy) const {
  const auto& side = noisy ? noisy_scores : scores;
  return metric < side.size() ? side[metric] : NAN;
}

bool RunResults::has_noisy() const {
  return std::any_of(rows.begin(), rows.end(),
                     [](const auto& row) { return !row.noisy_scores.empty(); });
}

std::optional<size_t> ResultTable::find(const std::string& metric) const {
  for (size_t m = 0; m < metrics.size(); ++m) {
    if (metrics[m].name == metric) return m;
  }
  return std::nullopt;
}

const RunResults* ResultTable::find_run(const std::string& name) const {
  const auto found =
      std::find_if(runs.begin(), runs.end(), [&](const auto& run) { return run.name == name; });
  return found == runs.end() ? nullptr : &*found;
}

void ResultTable::add(ResultTable other) {
  if (!std::equal(metrics.begin(), metrics.end(), other.metrics.begin(), other.metrics.end(),
                  same_metric)) {
    throw std::invalid_argument("runs of other metrics");
  }
  for (RunResults& run : other.runs) runs.push_back(std::move(run));
}

std::optional<ResultTable> ResultTable::select(const std::vector<Metric>& chosen) const {
  std::vector<size_t> columns;
  for (const Metric& metric : chosen) {
    const auto column = find(metric.name);
    if (!column || !same_metric(metrics[*column], metric)) return std::nullopt;
    columns.push_back(*column);
  }
  ResultTable selected{chosen, runs};
  for (RunResults& run : selected.runs) {
    for (UtteranceScores& row : run.rows) {
      const UtteranceScores all = row;
      row.scores.clear();
      row.noisy_scores.clear();
      for (const size_t column : columns) {
        row.scores.push_back(all.score(column));
        if (!all.noisy_scores.empty()) row.noisy_scores.push_back(all.score(column, true));
      }
    }
  }
  return selected;
}

ResultTable ResultTable::paired() const {
  ResultTable table = *this;
  table.left_out.clear();
  for (size_t m = 0; m < metrics.size(); ++m) {
    const auto arms = arms_of(table, m);
    std::map<std::string, size_t> scored;  // by how many arms
    for (const Arm& arm : arms) {
      for (const auto& row : arm.run->rows) scored[row.id] += std::isnan(arm.score(row, m)) ? 0 : 1;
    }
    std::vector<std::string> absent;
    for (const auto& [id, count] : scored) {
      if (count < arms.size()) absent.push_back(absence_text(id, arms, metrics[m], m));
    }
    if (absent.empty()) continue;
    for (RunResults& run : table.runs) {
      for (UtteranceScores& row : run.rows) {
        const auto found = scored.find(row.id);
        if (found == scored.end() || found->second == arms.size()) continue;
        for (auto* side : {&row.scores, &row.noisy_scores}) {
          if (m < side->size()) (*side)[m] = NAN;
        }
      }
    }
    table.left_out.push_back(
        format("%s: means over %d of %d utterances, the same for all; without a score: %s",
               metrics[m].title, scored.size() - absent.size(), scored.size(), few(absent)));
  }
  return table;
}

std::vector<double> ResultTable::scores(const RunResults& run, size_t metric, bool noisy) const {
  std::vector<double> values;
  for (const auto& row : run.rows) {
    const double value = row.score(metric, noisy);
    if (!std::isnan(value)) values.push_back(value);
  }
  return values;
}

Summary ResultTable::over_utterances(const RunResults& run, size_t metric, bool noisy) const {
  return summarize(scores(run, metric, noisy));
}

Summary ResultTable::over_runs(const std::vector<const RunResults*>& some, size_t metric) const {
  std::vector<double> means;
  for (const RunResults* run : some) means.push_back(over_utterances(*run, metric).mean);
  return summarize(means);
}

std::vector<const RunResults*> ResultTable::all_runs() const {
  std::vector<const RunResults*> all;
  for (const RunResults& run : runs) all.push_back(&run);
  return all;
}

std::set<std::string> ResultTable::cut_utterances() const {
  std::set<std::string> cut;
  for (const RunResults& run : runs) {
    for (const UtteranceScores& row : run.rows) {
      if (row.cut_samples > 0) cut.insert(row.id);
    }
  }
  return cut;
}

double ResultTable::si_sdr_improvement(const UtteranceScores& row) const {
  const auto metric = find("si_sdr");
  return metric ? row.score(*metric) - row.score(*metric, true) : NAN;
}

std::vector<std::string> ResultTable::remarks() const {
  std::vector<std::pair<std::string, std::vector<std::string>>> said;
  for (const RunResults& run : runs) {
    for (const std::string& note : run.notes) {
      auto found = std::find_if(said.begin(), said.end(),
                                [&](const auto& other) { return other.first == note; });
      if (found == said.end()) found = said.insert(said.end(), {note, {}});
      found->second.push_back(run.name);
    }
  }
  std::vector<std::string> texts;
  for (const auto& [note, names] : said) {
    texts.push_back(names.size() == runs.size() ? note : join(names, ", ") + ": " + note);
  }
  for (std::string& text : environment_differences(all_runs())) texts.push_back(std::move(text));
  return texts;
}

void ResultTable::require_scores() const {
  for (const RunResults& run : runs) {
    for (size_t m = 0; m < metrics.size(); ++m) {
      if (!scores(run, m).empty()) continue;
      throw DataError(run.name + ": " + metrics[m].name + " has no value for any utterance");
    }
  }
}

std::vector<std::string> environment_differences(const std::vector<const RunResults*>& runs) {
  std::map<std::string, std::map<std::string, std::vector<std::string>>> names_by;  // key, value
  for (const RunResults* run : runs) {
    for (const auto& [key, value] : run->environment) names_by[key][value].push_back(run->name);
  }
  std::vector<std::string> texts;
  for (const auto& [key, names_of] : names_by) {
    if (names_of.size() < 2) continue;
    std::vector<std::string> parts;
    for (const auto& [value, names] : names_of) parts.push_back(value + " (" + few(names) + ")");
    texts.push_back(key + " differs: " + join(parts, "; "));
  }
  return texts;
}

}  // namespace limbeck
