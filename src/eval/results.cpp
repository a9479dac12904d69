#include "eval/results.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "limbeck/core/csv.h"
#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/core/statistics.h"
#include "limbeck/data/leak.h"

namespace limbeck {
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr const char* kImprovement = "si_sdr_improvement";

std::string score_text(double value) { return std::isnan(value) ? "" : shortest(value); }

/// NaN for an empty cell.
double parse_score(const std::string& text, const std::string& where) {
  if (text.empty()) return NAN;
  double value = NAN;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw DataError(where + ": '" + text + "' is not a number");
  }
  return value;
}

/// Which optional columns a set has.
struct Known {
  bool snr = false, noise = false, lag = false, improvement = false;

  explicit Known(const Evaluation& evaluation) {
    for (const auto& row : evaluation.rows) {
      snr |= !row.condition.snr_db.empty();
      noise |= !row.condition.noise.empty();
      lag |= row.lag_samples.has_value();
      improvement |= !std::isnan(si_sdr_improvement(evaluation, row));
    }
  }
};

std::string per_utterance_csv(const Evaluation& evaluation) {
  const Known known(evaluation);
  std::vector<std::string> header = {"id", "seconds", "speaker"};
  if (known.snr) header.push_back("snr_db");
  if (known.noise) header.push_back("noise");
  if (known.lag) header.push_back("lag_samples");
  for (const Metric& metric : evaluation.metrics) header.push_back(metric.name);
  if (known.improvement) header.push_back(kImprovement);
  if (evaluation.has_noisy()) {
    for (const Metric& metric : evaluation.metrics) header.push_back(metric.name + "_noisy");
  }
  const std::string note = join(evaluation.notes, "; ");
  if (!note.empty()) header.push_back("note");
  std::string csv = csv_line(header);
  for (const auto& row : evaluation.rows) {
    std::vector<std::string> fields = {row.id, shortest(row.seconds), row.condition.speaker};
    if (known.snr) fields.push_back(row.condition.snr_db);
    if (known.noise) fields.push_back(row.condition.noise);
    if (known.lag) fields.push_back(std::to_string(row.lag_samples.value_or(0)));
    for (const double value : row.scores) fields.push_back(score_text(value));
    if (known.improvement) fields.push_back(score_text(si_sdr_improvement(evaluation, row)));
    for (const double value : row.noisy_scores) fields.push_back(score_text(value));
    if (!note.empty()) fields.push_back(note);
    csv += csv_line(fields);
  }
  return csv;
}

json statistics(std::vector<double> values) {
  std::erase_if(values, [](double value) { return std::isnan(value); });
  const Summary s = summarize(values);
  json entry = {{"n", s.n}};
  if (s.n > 0) entry.update({{"mean", s.mean}, {"median", median(values)}});
  if (s.n > 1) entry["std"] = s.deviation;
  return entry;
}

json summary_json(const Evaluation& evaluation, const json& about) {
  json summary = {{"about", about},
                  {"n", evaluation.rows.size()},
                  {"failures", evaluation.failures.size()},
                  {"notes", evaluation.notes},
                  {"metrics", json::object()}};
  json& entries = summary["metrics"];
  for (size_t m = 0; m < evaluation.metrics.size() && !evaluation.rows.empty(); ++m) {
    const std::string& name = evaluation.metrics[m].name;
    entries[name] = statistics(evaluation.scores(m));
    if (evaluation.has_noisy()) entries[name + "_noisy"] = statistics(evaluation.scores(m, true));
  }
  if (Known(evaluation).improvement) {
    std::vector<double> values;
    for (const auto& row : evaluation.rows) values.push_back(si_sdr_improvement(evaluation, row));
    entries[kImprovement] = statistics(values);
  }
  return summary;
}

}  // namespace

double si_sdr_improvement(const Evaluation& evaluation, const UtteranceScores& row) {
  for (size_t m = 0; m < evaluation.metrics.size(); ++m) {
    if (evaluation.metrics[m].name != "si_sdr") continue;
    return row.noisy_scores.empty() ? NAN : row.scores[m] - row.noisy_scores[m];
  }
  return NAN;
}

void write_evaluation(const fs::path& folder, const Evaluation& evaluation,
                      const std::string& system, const std::string& about) {
  fs::create_directories(folder);
  std::string failures = csv_line({"id", "metric", "reason"});
  for (const auto& failure : evaluation.failures) {
    failures += csv_line({failure.id, failure.metric, failure.reason});
  }
  fs::remove(folder / "summary.json");
  write_file_atomically(folder / "per_utterance.csv", per_utterance_csv(evaluation));
  write_file_atomically(folder / "failures.csv", failures);
  const std::string breakdown = breakdown_tables(evaluation);
  write_file_atomically(folder / "table.md", score_table(evaluation, system) +
                                                 (breakdown.empty() ? "" : "\n" + breakdown));
  write_file_atomically(folder / "summary.json",
                        summary_json(evaluation, json::parse(about)).dump(2) + "\n");
}

Evaluation read_scores(const fs::path& path) {
  const Csv csv = read_csv(path);
  const auto required = [&](const std::string& name) {
    const int column = csv.column(name);
    if (column < 0) throw DataError(path.string() + ":1: column '" + name + "' is missing");
    return static_cast<size_t>(column);
  };
  const size_t id = required("id");
  const size_t seconds = required("seconds");
  Evaluation evaluation;
  std::vector<int> own, noisy;
  for (const std::string& column : csv.header) {
    const auto metric = metric_of_column(column);
    if (!metric) continue;
    evaluation.metrics.push_back(*metric);
    own.push_back(csv.column(column));
    if (csv.column(column + "_noisy") >= 0) noisy.push_back(csv.column(column + "_noisy"));
  }
  for (size_t r = 0; r < csv.rows.size(); ++r) {
    const std::string where = format("%s:%d", path, csv.lines[r]);
    const auto text = [&](int column) {
      return column < 0 ? std::string() : csv.rows[r].at(static_cast<size_t>(column));
    };
    const auto scores = [&](const std::vector<int>& columns) {
      std::vector<double> values;
      for (const int column : columns) values.push_back(parse_score(text(column), where));
      return values;
    };
    UtteranceScores row{
        csv.rows[r][id],
        parse_score(csv.rows[r][seconds], where),
        {text(csv.column("speaker")), text(csv.column("snr_db")), text(csv.column("noise"))},
        {},
        scores(own),
        scores(noisy)};
    if (const std::string lag = text(csv.column("lag_samples")); !lag.empty()) {
      row.lag_samples = static_cast<int64_t>(parse_score(lag, where));
    }
    add_note(evaluation.notes, text(csv.column("note")));
    evaluation.rows.push_back(std::move(row));
  }
  return evaluation;
}

bool read_evaluation(const fs::path& folder, const std::string& about,
                     const std::vector<Metric>& metrics, Evaluation& evaluation) {
  try {
    const json summary = json::parse(read_file(folder / "summary.json"));
    if (summary.at("about") != json::parse(about)) return false;
    const Evaluation all = read_scores(folder / "per_utterance.csv");
    evaluation = {metrics, all.rows, {}, summary.at("notes").get<std::vector<std::string>>()};
    for (size_t r = 0; r < all.rows.size(); ++r) {
      evaluation.rows[r].scores.clear();
      evaluation.rows[r].noisy_scores.clear();
      for (const Metric& metric : metrics) {
        const size_t m = all.index_of(metric.name);
        evaluation.rows[r].scores.push_back(all.rows[r].scores[m]);
        if (all.has_noisy()) evaluation.rows[r].noisy_scores.push_back(all.rows[r].noisy_scores[m]);
      }
    }
    for (const auto& row : read_csv(folder / "failures.csv").rows) {
      evaluation.failures.push_back({row.at(0), row.at(1), row.at(2)});
    }
    return evaluation.rows.size() == summary.at("n").get<size_t>();
  } catch (const Error&) {
    return false;
  } catch (const std::out_of_range&) {  // a metric that was not scored, a column that is not there
    return false;
  } catch (const json::exception&) {
    return false;
  }
}

}  // namespace limbeck
