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
  if (runs.empty()) return {};
  std::vector<std::string> texts;
  for (const auto& [key, unused] : runs.front()->environment) {
    std::map<std::string, std::vector<std::string>> names_of;
    size_t known = 0;
    for (const RunResults* run : runs) {
      const auto found = run->environment.find(key);
      if (found == run->environment.end()) continue;
      names_of[found->second].push_back(run->name);
      ++known;
    }
    if (known < runs.size() || names_of.size() < 2) continue;
    std::vector<std::string> parts;
    for (const auto& [value, names] : names_of) parts.push_back(value + " (" + few(names) + ")");
    texts.push_back(key + " differs: " + join(parts, "; "));
  }
  return texts;
}

}  // namespace limbeck
