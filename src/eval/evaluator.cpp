#include "limbeck/eval/evaluator.h"

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "limbeck/audio/io.h"
#include "limbeck/core/csv.h"
#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/core/interrupt.h"
#include "limbeck/core/progress.h"
#include "limbeck/core/statistics.h"

namespace limbeck {
namespace fs = std::filesystem;
namespace {

UtteranceScores score(const ScoredFiles& files, const std::vector<Metric>& metrics,
                      const Enhance& enhance) {
  const Waveform clean = read_audio(files.clean);
  Waveform noisy;
  if (!files.noisy.empty()) {
    noisy = read_audio(files.noisy);
    if (noisy.rate_hz != clean.rate_hz) {
      throw DataError(format("%s: %d Hz, but its clean side has %d Hz", files.noisy.c_str(),
                             noisy.rate_hz, clean.rate_hz));
    }
    if (noisy.size() != clean.size()) {
      throw DataError(format("%s: %lld samples, but its clean side has %lld", files.noisy.c_str(),
                             static_cast<long long>(noisy.size()),
                             static_cast<long long>(clean.size())));
    }
  }
  const auto estimate = enhance(files, noisy.samples, clean.rate_hz);
  if (estimate.size() != clean.samples.size()) {
    throw DataError(format("estimate of %zu samples, but the clean side has %zu", estimate.size(),
                           clean.samples.size()));
  }
  UtteranceScores row{files.id, clean.seconds(), files.speaker, {}, {}};
  const auto finite = [](const Metric& metric, double value) {
    if (!std::isfinite(value)) throw DataError(metric.name + " is not finite");
    return value;
  };
  ScoredPair estimated(clean.samples, estimate, clean.rate_hz);
  for (const Metric& metric : metrics)
    row.scores.push_back(finite(metric, metric.score(estimated)));
  if (!noisy.samples.empty()) {
    ScoredPair untouched(clean.samples, noisy.samples, clean.rate_hz);
    for (const Metric& metric : metrics) {
      row.noisy_scores.push_back(finite(metric, metric.score(untouched)));
    }
  }
  return row;
}

double parse_double(const std::string& text) {
  double value = NAN;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

std::vector<double> Evaluation::scores(size_t metric, bool noisy) const {
  std::vector<double> values;
  for (const auto& row : rows) values.push_back((noisy ? row.noisy_scores : row.scores).at(metric));
  return values;
}

Evaluation evaluate(const std::vector<ScoredFiles>& files, const std::vector<Metric>& metrics,
                    const Enhance& enhance, Logger& logger) {
  Evaluation evaluation;
  evaluation.metrics = metrics;
  Progress progress(logger, "scoring", "files", static_cast<int64_t>(files.size()));
  int64_t done = 0;
  for (const ScoredFiles& one : files) {
    throw_if_interrupted();
    try {
      evaluation.rows.push_back(score(one, metrics, enhance));
    } catch (const DataError& e) {
      evaluation.failures.push_back({one.id, e.what()});
      logger.warn(one.id + ": " + e.what());
    }
    progress.update(++done);
  }
  return evaluation;
}

std::vector<ScoredFiles> files_of(const Manifest& manifest) {
  if (manifest.kind != Manifest::Kind::pairs) {
    throw DataError(manifest.path.string() +
                    ": lists recordings; a set to evaluate on lists pairs");
  }
  std::vector<ScoredFiles> files;
  for (const auto& entry : manifest.entries) {
    files.push_back({entry.id, entry.speaker, entry.audio.path, entry.noisy.path});
  }
  return files;
}

void write_evaluation(const fs::path& folder, const Evaluation& evaluation,
                      const std::string& about) {
  fs::create_directories(folder);
  std::vector<std::string> header = {"id", "seconds", "speaker"};
  for (const Metric& metric : evaluation.metrics) header.push_back(metric.name);
  if (evaluation.has_noisy()) {
    for (const Metric& metric : evaluation.metrics) header.push_back(metric.name + "_noisy");
  }
  std::string csv = csv_line(header);
  for (const auto& row : evaluation.rows) {
    std::vector<std::string> fields = {row.id, shortest(row.seconds), row.speaker};
    for (const double value : row.scores) fields.push_back(shortest(value));
    for (const double value : row.noisy_scores) fields.push_back(shortest(value));
    csv += csv_line(fields);
  }
  std::string failures = csv_line({"id", "reason"});
  for (const auto& failure : evaluation.failures)
    failures += csv_line({failure.id, failure.reason});

  nlohmann::json summary = {{"about", nlohmann::json::parse(about)},
                            {"n", evaluation.rows.size()},
                            {"failures", evaluation.failures.size()},
                            {"metrics", nlohmann::json::object()}};
  for (size_t m = 0; m < evaluation.metrics.size() && !evaluation.rows.empty(); ++m) {
    const auto describe = [&](bool noisy) {
      const Summary s = summarize(evaluation.scores(m, noisy));
      nlohmann::json entry = {{"mean", s.mean}, {"n", s.n}};
      if (s.n > 1) entry["std"] = s.deviation;
      return entry;
    };
    summary["metrics"][evaluation.metrics[m].name] = describe(false);
    if (evaluation.has_noisy())
      summary["metrics"][evaluation.metrics[m].name + "_noisy"] = describe(true);
  }
  // The summary vouches for the tables, so it goes first and comes last.
  fs::remove(folder / "summary.json");
  write_file_atomically(folder / "per_utterance.csv", csv);
  write_file_atomically(folder / "failures.csv", failures);
  write_file_atomically(folder / "summary.json", summary.dump(2) + "\n");
}

bool read_evaluation(const fs::path& folder, const std::string& about,
                     const std::vector<Metric>& metrics, Evaluation& evaluation) {
  try {
    const auto summary = nlohmann::json::parse(read_file(folder / "summary.json"));
    if (summary.at("about") != nlohmann::json::parse(about)) return false;
    const Csv csv = read_csv(folder / "per_utterance.csv");
    evaluation = {metrics, {}, {}};
    for (const auto& row : csv.rows) {
      UtteranceScores scores{row.at(0), parse_double(row.at(1)), row.at(2), {}, {}};
      for (const Metric& metric : metrics) {
        const int own = csv.column(metric.name);
        const int noisy = csv.column(metric.name + "_noisy");
        if (own < 0) return false;
        scores.scores.push_back(parse_double(row.at(static_cast<size_t>(own))));
        if (noisy >= 0)
          scores.noisy_scores.push_back(parse_double(row.at(static_cast<size_t>(noisy))));
      }
      evaluation.rows.push_back(std::move(scores));
    }
    for (const auto& row : read_csv(folder / "failures.csv").rows)
      evaluation.failures.push_back({row.at(0), row.at(1)});
    return evaluation.rows.size() == summary.at("n").get<size_t>();
  } catch (const Error&) {
    return false;
  } catch (const nlohmann::json::exception&) {
    return false;
  }
}

}  // namespace limbeck
