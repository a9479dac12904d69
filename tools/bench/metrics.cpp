#include "bench/metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "limbeck/audio/io.h"
#include "limbeck/core/cpu.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/core/json.h"
#include "limbeck/core/parallel.h"
#include "limbeck/core/processes.h"
#include "limbeck/core/scratch_folder.h"
#include "limbeck/core/statistics.h"
#include "limbeck/core/table.h"
#include "limbeck/data/manifest.h"
#include "limbeck/metric/metric.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const std::vector<std::string> kReferenceMetrics = {"pesq_wb", "pesq_nb", "stoi", "estoi"};

std::vector<Metric> metrics_named(const std::vector<std::string>& names) {
  return build_metrics({names.begin(), names.end()});
}

/// The scores of one pair, or why there are none.
using PairScores = std::vector<std::optional<double>>;
struct Scores {
  std::vector<PairScores> of;         // [pair][metric]
  std::vector<std::string> problems;  // [pair], the first one, empty where all went well
};

Scores score_all(const Manifest& manifest, const std::vector<Metric>& metrics, int64_t jobs,
                 Logger& logger) {
  const size_t pairs = manifest.entries.size();
  Scores scores{std::vector<PairScores>(pairs, PairScores(metrics.size())),
                std::vector<std::string>(pairs)};
  Progress progress(logger, "scoring", "pairs", static_cast<int64_t>(pairs));
  parallel_for(static_cast<int64_t>(pairs), jobs, progress, [&](int64_t index) {
    const auto i = static_cast<size_t>(index);
    const ManifestEntry& entry = manifest.entries[i];
    const Waveform clean = read_audio(entry.audio.path);
    const Waveform noisy = read_audio(entry.noisy.path);
    if (clean.rate_hz != noisy.rate_hz) {
      throw DataError(format("%s: %d Hz, but its clean side has %d Hz", entry.noisy.path,
                             noisy.rate_hz, clean.rate_hz));
    }
    ScoredPair pair(clean.samples, noisy.samples, clean.rate_hz);
    for (size_t m = 0; m < metrics.size(); ++m) {
      try {
        scores.of[i][m] = metrics[m].score(pair);
      } catch (const DataError& e) {
        if (scores.problems[i].empty()) scores.problems[i] = e.what();
      }
    }
  });
  return scores;
}

/// Time on the clock, and that of all cores together: what other programs take does not count
/// there.
struct Seconds {
  double wall = 0;
  double cpu = 0;
};

Seconds now() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  const auto since_start = std::chrono::steady_clock::now().time_since_epoch();
  return {std::chrono::duration<double>(since_start).count(),
          seconds(usage.ru_utime) + seconds(usage.ru_stime)};
}

/// The reference packages in a process of their own, which measures itself: starting Python and
/// importing is not part of the time.
class Reference {
 public:
  Reference(const Manifest& manifest, const MetricsBenchOptions& options, int64_t jobs)
      : python_(options.python), script_(options.script), jobs_(jobs) {
    if (!fs::exists(script_)) {
      throw ConfigError(script_.string() +
                        ": not here; run in the source folder or name it by --script");
    }
    std::string lines;
    for (const ManifestEntry& entry : manifest.entries) {
      lines += fs::absolute(entry.audio.path).string() + "\t" +
               fs::absolute(entry.noisy.path).string() + "\n";
    }
    write_file_atomically(folder_.path() / "pairs.tsv", lines);
  }
  /// {"wall_seconds", "cpu_seconds", "versions", "scores": one object a pair: a number or a message
  /// a metric}
  json run() const {
    const fs::path log = folder_.path() / "log.txt";
    const fs::path out = folder_.path() / "scores.json";
    const Command command{
        {"/usr/bin/env", python_, script_.string(), (folder_.path() / "pairs.tsv").string(),
         "--jobs", std::to_string(jobs_), "--out", out.string()},
        log};
    const int code = run_command(command);
    if (code != 0) {
      throw DataError(format("%s %s: exit code %d\n%s", python_, script_, code, read_file(log)));
    }
    return parse_json<json>(read_file(out));
  }

 private:
  std::string python_;
  fs::path script_;
  int64_t jobs_;
  ScratchFolder folder_;
};

struct Row {
  std::string name;
  std::vector<double> wall_seconds;  // of each pass
  std::vector<double> cpu_seconds;
};

struct Report {
  double audio_seconds = 0;
  size_t pairs = 0;
  int64_t jobs = 0;
  std::vector<Row> rows;
  json versions;                                     // of the reference
  std::map<std::string, double> largest_difference;  // by metric
  std::map<std::string, size_t> compared;            // pairs that both sides scored

  double speed(const Row& row) const { return audio_seconds / median(row.wall_seconds); }
  double core_speed(const Row& row) const { return audio_seconds / median(row.cpu_seconds); }
};

void compare(const Scores& ours, const json& reference, Report& report) {
  for (size_t m = 0; m < kReferenceMetrics.size(); ++m) {
    const std::string& name = kReferenceMetrics[m];
    double largest = 0;
    size_t count = 0;
    for (size_t i = 0; i < ours.of.size(); ++i) {
      const json& theirs = reference.at("scores").at(i).at(name);
      if (!ours.of[i][m] || !theirs.is_number()) continue;
      largest = std::max(largest, std::abs(*ours.of[i][m] - theirs.get<double>()));
      ++count;
    }
    report.largest_difference[name] = largest;
    report.compared[name] = count;
  }
}

void print_json(const Report& report) {
  json object = {{"pairs", report.pairs},
                 {"audio_seconds", report.audio_seconds},
                 {"jobs", report.jobs},
                 {"cpu_level", to_string(cpu_level())},
                 {"rows", json::array()}};
  for (const Row& row : report.rows) {
    object["rows"].push_back({{"name", row.name},
                              {"wall_seconds", row.wall_seconds},
                              {"cpu_seconds", row.cpu_seconds},
                              {"times_real_time", report.speed(row)},
                              {"times_real_time_per_core", report.core_speed(row)}});
  }
  if (!report.versions.is_null()) {
    object["reference"] = {{"versions", report.versions},
                           {"compared_pairs", report.compared},
                           {"largest_difference", report.largest_difference}};
  }
  print("%s\n", json_text(object));
}

void print_comparison(const Report& report) {
  const Row& ours = report.rows.front();
  const Row& theirs = report.rows.back();
  std::vector<std::string> versions;
  for (const auto& [name, version] : report.versions.items())
    versions.push_back(name + " " + version.get<std::string>());
  print("\n%.1f times as fast per core as the reference, %.1f times on the clock (%s)\n\n",
        report.core_speed(ours) / report.core_speed(theirs),
        report.speed(ours) / report.speed(theirs), join(versions, ", "));
  std::vector<std::vector<std::string>> lines;
  for (const std::string& name : kReferenceMetrics) {
    lines.push_back({name, std::to_string(report.compared.at(name)),
                     format("%.2g", report.largest_difference.at(name))});
  }
  std::fputs(markdown_table({"metric", "pairs", "largest difference"}, lines).c_str(), stdout);
}

void print_tables(const Report& report) {
  std::vector<std::vector<std::string>> lines;
  for (const Row& row : report.rows) {
    const auto [low, high] = std::minmax_element(row.wall_seconds.begin(), row.wall_seconds.end());
    lines.push_back({row.name, format("%.2f", median(row.wall_seconds)),
                     format("%.2f to %.2f", *low, *high), format("%.2f", median(row.cpu_seconds)),
                     format("%.0f", report.speed(row)), format("%.0f", report.core_speed(row))});
  }
  const std::vector<std::string> header = {"scores",  "wall (s)",    "range (s)",
                                           "CPU (s)", "× real time", "× per core"};
  print("%s(%d pairs, %.1f s of audio, medians of %d passes, %d jobs, %s)\n",
        markdown_table(header, lines), report.pairs, report.audio_seconds,
        report.rows.front().wall_seconds.size(), report.jobs, to_string(cpu_level()));
  if (!report.versions.is_null()) print_comparison(report);
}

}  // namespace

ExitCode bench_metrics(const MetricsBenchOptions& options, Logger& logger) {
  const std::vector<Metric> four = metrics_named(kReferenceMetrics);
  const std::vector<Metric> chosen = metrics_named(options.metrics);
  const Manifest manifest = Manifest::read(options.manifest);
  if (manifest.kind != Manifest::Kind::pairs || manifest.entries.empty())
    throw DataError(options.manifest.string() + ": pairs are needed");

  Report report;
  report.audio_seconds = manifest.seconds();
  report.pairs = manifest.entries.size();
  report.jobs = options.jobs > 0 ? options.jobs : std::max(1U, std::thread::hardware_concurrency());
  report.rows = {{"PESQ-WB, PESQ-NB, STOI, ESTOI", {}, {}}, {join(options.metrics, ", "), {}, {}}};
  std::optional<Reference> reference;
  if (!options.python.empty()) {
    reference.emplace(manifest, options, report.jobs);
    report.rows.push_back({"the first row by pesq and pystoi", {}, {}});
  }

  // The untimed pass: files come into the page cache, plans are built, scores are kept.
  const Scores four_scores = score_all(manifest, four, report.jobs, logger);
  const Scores chosen_scores = score_all(manifest, chosen, report.jobs, logger);
  for (int repetition = 0; repetition < options.repetitions; ++repetition) {
    for (size_t row = 0; row < 2; ++row) {
      const Seconds start = now();
      score_all(manifest, row == 0 ? four : chosen, report.jobs, logger);
      const Seconds end = now();
      report.rows[row].wall_seconds.push_back(end.wall - start.wall);
      report.rows[row].cpu_seconds.push_back(end.cpu - start.cpu);
    }
    if (!reference) continue;
    const json result = reference->run();
    report.rows.back().wall_seconds.push_back(result.at("wall_seconds").get<double>());
    report.rows.back().cpu_seconds.push_back(result.at("cpu_seconds").get<double>());
    report.versions = result.at("versions");
    if (repetition == 0) compare(four_scores, result, report);
  }
  options.json ? print_json(report) : print_tables(report);

  bool failed = false;
  for (size_t i = 0; i < report.pairs; ++i) {
    for (const Scores* scores : {&four_scores, &chosen_scores}) {
      if (scores->problems[i].empty()) continue;
      logger.warn(manifest.entries[i].id + ": " + scores->problems[i]);
      failed = true;
      break;
    }
  }
  return failed ? ExitCode::some_failed : ExitCode::ok;
}

}  // namespace limbeck
