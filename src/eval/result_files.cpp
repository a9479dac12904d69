#include "eval/result_files.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <type_traits>

#include "eval/result_text.h"
#include "limbeck/core/csv.h"
#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/core/json.h"
#include "limbeck/core/utf8.h"
#include "limbeck/data/leak.h"

namespace limbeck {
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr const char* kImprovement = "si_sdr_improvement";
constexpr const char* kNoisy = "_noisy";
constexpr const char* kScores = "per_utterance.csv";
constexpr const char* kFailures = "failures.csv";
constexpr const char* kTable = "table.md";
constexpr const char* kSummary = "summary.json";

std::string score_text(double value) { return std::isnan(value) ? "" : shortest(value); }

/// An empty cell gives `empty`.
template <class Number>
Number parse(const std::string& text, const std::string& where, Number empty) {
  if (text.empty()) return empty;
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw DataError(where + ": '" + text + "' is not " +
                    (std::is_integral_v<Number> ? "a number of samples" : "a number"));
  }
  return value;
}

double parse_score(const std::string& text, const std::string& where) {
  return parse<double>(text, where, NAN);
}

/// Which optional columns a set has.
struct Known {
  bool snr = false, noise = false, lag = false, cut = false, improvement = false;

  explicit Known(const ResultTable& table) {
    for (const auto& row : table.runs.front().rows) {
      snr |= !row.condition.snr_db.empty();
      noise |= !row.condition.noise.empty();
      lag |= row.lag_samples.has_value();
      cut |= row.cut_samples > 0;
      improvement |= !std::isnan(table.si_sdr_improvement(row));
    }
  }
};

std::string per_utterance_csv(const ResultTable& table) {
  const RunResults& run = table.runs.front();
  const Known known(table);
  const bool noisy = run.has_noisy();
  std::vector<std::string> header = {"id", "seconds", "speaker"};
  if (known.snr) header.push_back("snr_db");
  if (known.noise) header.push_back("noise");
  if (known.lag) header.push_back("lag_samples");
  if (known.cut) header.push_back("cut_samples");
  for (const Metric& metric : table.metrics) header.push_back(metric.name);
  if (known.improvement) header.push_back(kImprovement);
  for (const Metric& metric : table.metrics) {
    if (noisy) header.push_back(metric.name + kNoisy);
  }
  const std::string note = join(run.notes, "; ");
  if (!note.empty()) header.push_back("note");
  std::string csv = csv_line(header);
  for (const auto& row : run.rows) {
    std::vector<std::string> fields = {row.id, shortest(row.seconds), row.condition.speaker};
    if (known.snr) fields.push_back(row.condition.snr_db);
    if (known.noise) fields.push_back(row.condition.noise);
    if (known.lag) fields.push_back(std::to_string(row.lag_samples.value_or(0)));
    if (known.cut) fields.push_back(std::to_string(row.cut_samples));
    for (size_t m = 0; m < table.metrics.size(); ++m) fields.push_back(score_text(row.score(m)));
    if (known.improvement) fields.push_back(score_text(table.si_sdr_improvement(row)));
    for (size_t m = 0; m < table.metrics.size() && noisy; ++m) {
      fields.push_back(score_text(row.score(m, true)));
    }
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

json summary_json(const StoredResults& results) {
  const ResultTable table = results.table->paired();
  const RunResults& run = table.runs.front();
  json summary = {{"identity", parse_json<json>(results.identity.text())},
                  {"environment", run.environment},
                  {"about", results.about},
                  {"n", run.rows.size()},
                  {"failures", run.failures.size()},
                  {"cut", table.cut_utterances().size()},
                  {"notes", run.notes},
                  {"left_out", table.left_out},
                  {"metrics", json::object()}};
  if (results.audio) summary["audio"] = true;
  json& entries = summary["metrics"];
  for (size_t m = 0; m < table.metrics.size(); ++m) {
    const std::string& name = table.metrics[m].name;
    entries[name] = statistics(table.scores(run, m));
    entries[name]["version"] = table.metrics[m].version;
    if (run.has_noisy()) entries[name + kNoisy] = statistics(table.scores(run, m, true));
  }
  if (Known(table).improvement) {
    std::vector<double> values;
    for (const auto& row : run.rows) values.push_back(table.si_sdr_improvement(row));
    entries[kImprovement] = statistics(values);
  }
  return summary;
}

void write_json(const fs::path& path, const json& value) {
  write_file_atomically(path, json_text(value, 2) + "\n");
}

/// The summary.json of a folder; nothing if there is none. Throws ConfigError if it does not say of
/// what it is: then it is somebody else's.
std::optional<json> read_summary(const fs::path& folder) {
  const fs::path path = folder / kSummary;
  if (!fs::exists(path)) return std::nullopt;
  json summary = parse_json_if_sound<json>(read_file(path));
  if (summary.is_object() && summary.contains("identity")) return summary;
  throw ConfigError(path.string() +
                    ": does not say what it is a result of, as those of this limbeck-evaluate do; "
                    "choose another folder (--out), or remove it");
}

Identity identity_in(const json& summary, const fs::path& folder) {
  return Identity::parse(summary.at("identity").dump(), (folder / kSummary).string());
}

/// What beside the model determines the scores of runs.
Identity subject_of(const Identity& run) {
  Identity subject("evaluation of runs", 1, run.facts());
  subject.set("model", config::Node());
  return subject;
}

std::string model_of(const Identity& run) {
  const config::Node* model = run.facts().find("model");
  return model == nullptr ? "" : model->scalar;
}

/// The columns of per_utterance.csv that are scores, in its order, and those of the noisy side; −1
/// where there is none.
struct ScoreColumns {
  std::vector<Metric> metrics;
  std::vector<int> own, noisy;

  explicit ScoreColumns(const Csv& csv) {
    for (size_t c = 0; c < csv.header.size(); ++c) {
      const auto metric = metric_of_column(csv.header[c]);
      if (!metric) continue;
      metrics.push_back(*metric);
      own.push_back(static_cast<int>(c));
      noisy.push_back(csv.column(metric->name + kNoisy));
    }
    if (std::all_of(noisy.begin(), noisy.end(), [](int column) { return column < 0; })) {
      noisy.clear();
    }
  }
};

}  // namespace

fs::path scores_file(const fs::path& folder) { return folder / kScores; }

std::vector<fs::path> result_files(const fs::path& folder) {
  return {scores_file(folder), folder / kFailures, folder / kTable, folder / kSummary};
}

void write_results(const fs::path& folder, const StoredResults& results) {
  const ResultTable& table = results.table.value();
  fs::create_directories(folder);
  std::string failures = csv_line({"id", "metric", "reason"});
  for (const auto& failure : table.runs.front().failures) {
    failures += csv_line({failure.id, failure.metric, failure.reason});
  }
  fs::remove(folder / kSummary);
  write_file_atomically(scores_file(folder), per_utterance_csv(table));
  write_file_atomically(folder / kFailures, failures);
  const std::string breakdown = breakdown_tables(table);
  write_file_atomically(folder / kTable,
                        score_table(table) + (breakdown.empty() ? "" : "\n" + breakdown));
  write_json(folder / kSummary, summary_json(results));
}

std::optional<StoredResults> read_results(const fs::path& folder) {
  const auto summary = read_summary(folder);
  if (!summary) return std::nullopt;
  StoredResults stored{identity_in(*summary, folder), summary->value("audio", false)};
  try {
    stored.about = summary->at("about").get<std::map<std::string, std::string>>();
    ResultTable table = read_scores(scores_file(folder));
    read_versions(folder, table);
    RunResults& run = table.runs.front();
    run.notes = summary->at("notes").get<std::vector<std::string>>();
    if (!fs::exists(folder / kFailures)) return stored;
    run.failures = read_failures(folder);
    if (run.rows.size() == summary->at("n").get<size_t>()) stored.table = std::move(table);
  } catch (const DataError&) {
    return stored;
  } catch (const json::exception&) {
    return stored;
  }
  return stored;
}

ResultTable read_scores(const fs::path& path) {
  const Csv csv = read_csv(path);
  const auto required = [&](const std::string& name) {
    const int column = csv.column(name);
    if (column < 0) throw DataError(path.string() + ":1: column '" + name + "' is missing");
    return static_cast<size_t>(column);
  };
  const size_t id = required("id");
  const size_t seconds = required("seconds");
  const ScoreColumns columns(csv);
  RunResults run{path.parent_path().filename().string()};
  for (size_t r = 0; r < csv.rows.size(); ++r) {
    const std::string where = format("%s:%d", path, csv.lines[r]);
    const auto text = [&](int column) {
      return column < 0 ? std::string() : csv.rows[r].at(static_cast<size_t>(column));
    };
    const auto scores = [&](const std::vector<int>& some) {
      std::vector<double> values;
      for (const int column : some) values.push_back(parse_score(text(column), where));
      return values;
    };
    UtteranceScores row{
        csv.rows[r][id],
        parse_score(csv.rows[r][seconds], where),
        {text(csv.column("speaker")), text(csv.column("snr_db")), text(csv.column("noise"))},
        {},
        scores(columns.own),
        scores(columns.noisy)};
    if (const std::string lag = text(csv.column("lag_samples")); !lag.empty()) {
      row.lag_samples = parse<int64_t>(lag, where, 0);
    }
    row.cut_samples = parse<int64_t>(text(csv.column("cut_samples")), where, 0);
    add_note(run.notes, text(csv.column("note")));
    run.rows.push_back(std::move(row));
  }
  return {columns.metrics, {std::move(run)}};
}

std::vector<UtteranceFailure> read_failures(const fs::path& folder) {
  const fs::path path = folder / kFailures;
  if (!fs::exists(path)) return {};
  const Csv csv = read_csv(path);
  const int id = csv.column("id"), metric = csv.column("metric"), reason = csv.column("reason");
  if (std::min({id, metric, reason}) < 0) {
    throw DataError(path.string() + ":1: needed are the columns id, metric and reason");
  }
  std::vector<UtteranceFailure> failures;
  for (const auto& row : csv.rows) {
    const auto text = [&](int column) { return row.at(static_cast<size_t>(column)); };
    failures.push_back({text(id), text(metric), text(reason)});
  }
  return failures;
}

void read_versions(const fs::path& folder, ResultTable& table) {
  const fs::path path = folder / kSummary;
  if (!fs::exists(path)) return;
  try {
    const json summary = parse_json<json>(read_file(path));
    table.runs.front().environment = summary.at("environment").get<Environment>();
    for (Metric& metric : table.metrics) {
      metric.version = summary.at("metrics").at(metric.name).at("version");
    }
  } catch (const json::exception&) {
    return;  // somebody else's
  }
}

void write_runs(const fs::path& folder, const ResultTable& scores,
                const std::vector<Identity>& identities, const std::vector<std::string>& paths) {
  const ResultTable table = scores.paired();
  json summary = {{"identity", parse_json<json>(subject_of(identities.front()).text())},
                  {"runs", paths},
                  {"models", json::object()},
                  {"environment", json::object()},
                  {"cut", table.cut_utterances().size()},
                  {"notes", table.remarks()},
                  {"left_out", table.left_out},
                  {"metrics", json::object()}};
  for (size_t r = 0; r < table.runs.size(); ++r) {
    const std::string name = escape_bytes(table.runs[r].name);
    summary["models"][name] = model_of(identities[r]);
    summary["environment"][name] = table.runs[r].environment;
  }
  for (size_t m = 0; m < table.metrics.size(); ++m) {
    const Metric& metric = table.metrics[m];
    const Summary s = table.over_runs(table.all_runs(), m);
    json& entry = summary["metrics"][metric.name];
    entry = {{"mean", s.mean}, {"n", s.n}, {"version", metric.version}, {"values", json::array()}};
    if (s.n > 1) entry["std"] = s.deviation;
    for (const RunResults& run : table.runs) {
      entry["values"].push_back(table.over_utterances(run, m).mean);
    }
  }
  write_file_atomically(folder / kTable, runs_table(scores));
  write_json(folder / kSummary, summary);
}

void require_own_runs_folder(const fs::path& folder, const std::vector<Identity>& runs) {
  const auto summary = read_summary(folder);
  if (!summary) return;
  auto differences = identity_in(*summary, folder).differences(subject_of(runs.front()));
  std::set<std::string> models;
  for (const Identity& run : runs) models.insert(model_of(run));
  const json stored = summary->value("models", json::object());
  for (const auto& [name, model] : stored.items()) {
    if (models.count(model.get<std::string>())) continue;
    differences.push_back("models: " + name + " (" + model.get<std::string>() +
                          ") → not among the runs");
  }
  refuse_other_results(folder, differences);
}

void refuse_other_results(const fs::path& folder, const std::vector<std::string>& differences) {
  if (differences.empty()) return;
  throw ConfigError(folder.string() + ": holds results of something else:" + listed(differences) +
                    "\nChoose another folder (--out), or remove it.");
}

}  // namespace limbeck
