#include "eval/runs.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/core/statistics.h"
#include "limbeck/core/table.h"

namespace limbeck {
namespace fs = std::filesystem;

std::vector<std::pair<std::string, fs::path>> named_runs(const std::vector<fs::path>& runs) {
  const auto whole = [](const fs::path& run) {
    const fs::path path = fs::absolute(run).lexically_normal();
    return path.filename().empty() ? path.parent_path() : path;
  };
  fs::path common = whole(runs.front()).parent_path();
  for (const fs::path& run : runs) {
    const fs::path parent = whole(run).parent_path();
    const auto [end, unused] =
        std::mismatch(common.begin(), common.end(), parent.begin(), parent.end());
    fs::path shared;
    for (auto part = common.begin(); part != end; ++part) shared /= *part;
    common = shared;
  }
  std::vector<std::pair<std::string, fs::path>> named;
  for (const fs::path& run : runs) {
    named.emplace_back(whole(run).lexically_relative(common).generic_string(), run);
  }
  return named;
}

void RunTable::add(const std::string& name, const Evaluation& evaluation) {
  const auto cells = [&](const std::string& head, bool noisy) {
    std::vector<std::string> row = {head, ""};
    for (size_t m = 0; m < metrics_.size(); ++m) {
      const auto scores = evaluation.scores(m, noisy);
      if (scores.empty()) {
        throw DataError(name + ": " + metrics_[m].name + " has no value for any utterance");
      }
      row.push_back(format("%.*f", metrics_[m].decimals, summarize(scores).mean));
    }
    return row;
  };
  if (rows_.empty() && evaluation.has_noisy()) rows_.push_back(cells("noisy", true));
  rows_.push_back(cells(name, false));
  auto& means = means_.emplace_back();
  for (size_t m = 0; m < metrics_.size(); ++m) {
    means.push_back(summarize(evaluation.scores(m)).mean);
  }
  for (const std::string& note : evaluation.notes) {
    auto said = std::find_if(notes_.begin(), notes_.end(),
                             [&](const auto& other) { return other.first == note; });
    if (said == notes_.end()) said = notes_.insert(notes_.end(), {note, {}});
    said->second.push_back(name);
  }
}

std::vector<std::string> RunTable::notes() const {
  std::vector<std::string> texts;
  for (const auto& [note, runs] : notes_) {
    texts.push_back(runs.size() == means_.size() ? note : join(runs, ", ") + ": " + note);
  }
  return texts;
}

std::string RunTable::markdown() const {
  std::vector<std::string> header = {"system", "runs"};
  std::vector<std::string> over_runs = {"all runs", format("%d", means_.size())};
  for (size_t m = 0; m < metrics_.size(); ++m) {
    header.push_back(metrics_[m].title);
    std::vector<double> values;
    for (const auto& means : means_) values.push_back(means[m]);
    const Summary s = summarize(values);
    const int decimals = metrics_[m].decimals;
    over_runs.push_back(s.n > 1 ? format("%.*f ± %.*f", decimals, s.mean, decimals, s.deviation)
                                : format("%.*f", decimals, s.mean));
  }
  auto rows = rows_;
  rows.push_back(over_runs);
  std::string text =
      markdown_table(header, rows) +
      "\neach run: mean over the utterances; all runs: mean ± sample standard deviation over "
      "the runs\n";
  for (const std::string& note : notes()) text += "**" + note + "**\n";
  return text;
}

nlohmann::json RunTable::summary() const {
  nlohmann::json summary = {
      {"runs", nlohmann::json::array()}, {"notes", notes()}, {"metrics", nlohmann::json::object()}};
  for (size_t m = 0; m < metrics_.size(); ++m) {
    std::vector<double> values;
    for (const auto& means : means_) values.push_back(means[m]);
    const Summary s = summarize(values);
    auto& entry = summary["metrics"][metrics_[m].name];
    entry = {{"mean", s.mean}, {"n", s.n}, {"values", values}};
    if (s.n > 1) entry["std"] = s.deviation;
  }
  return summary;
}

}  // namespace limbeck
