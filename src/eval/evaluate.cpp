#include "limbeck/eval/evaluate.h"

#include <ATen/Parallel.h>
#include <torch/version.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "eval/enhance.h"
#include "eval/guard.h"
#include "eval/journal.h"
#include "eval/matching.h"
#include "eval/results.h"
#include "eval/runs.h"
#include "limbeck/audio/io.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/core/version.h"
#include "limbeck/nn/device.h"
#include "limbeck/nn/model_file.h"

namespace limbeck {
namespace fs = std::filesystem;
using nlohmann::json;

void EvaluateConfig::describe(config::Visitor& v) {
  v.value("model", model, "run folder, checkpoint folder or model file to score");
  v.value("runs", runs, "shell pattern of run folders; the table gives mean ± std over them");
  v.value("which", which, "checkpoint of a run folder", config::one_of({"best", "last"}));
  v.value("manifest", manifest, "manifest of pairs to score on");
  v.value("protocol", protocol, "protocol whose test pairs to score on, instead of a manifest");
  v.value("allow_leak", allow_leak,
          "score a set of which the model saw files or speakers in training; the results say so");
  v.value("clean", clean, "folder of clean files, with estimate");
  v.value("estimate", estimate, "folder of files of the same names that any system made");
  v.value("noisy", noisy, "folder of the noisy files, for the noisy row");
  v.value("out", out, "folder for the results", config::any().required());
  describe_metrics(v, metrics);
  v.value("align", align, "shift estimates by the lag of the largest cross-correlation, then cut");
  v.value("resample_hz", resample_hz,
          "bring all files to this rate; 0: files of another rate are failures",
          config::between(0, 192000));
  v.value("save_audio", save_audio, "keep what the model makes as 32-bit WAV below out/audio");
  v.value("device", device, "auto, cpu, cuda or cuda:i");
  v.value("jobs", jobs, "utterances at once; 0: one a core", config::between(0, 1024));
  v.value("batch_size", batch_size,
          "utterances a forward pass on a GPU; on a CPU each core takes one, which is faster",
          config::between(1, 1024));
  const int ways = int(!model.empty()) + int(!runs.empty()) + int(!estimate.empty());
  v.require(ways == 1, "model", "give exactly one of model, runs and estimate");
  const bool listed = !manifest.empty() || !protocol.empty();
  v.require(manifest.empty() || protocol.empty(), "protocol", "give either manifest or protocol");
  v.require(clean.empty() || !listed, "clean", "the manifest names the clean files");
  v.require(ways != 1 || estimate.empty() || !clean.empty() || listed, "clean",
            "an estimate needs clean or manifest or protocol");
  v.require(clean.empty() || !estimate.empty(), "clean", "is only used with estimate");
  v.require(!estimate.empty() || listed || ways != 1, "manifest",
            "or protocol is required to score a model");
  v.require(!allow_leak || estimate.empty(), "allow_leak",
            "is of no use: nothing is known of what made the estimates");
  v.require(noisy.empty() || !clean.empty(), "noisy",
            "is only used with clean; a manifest names its noisy files");
  v.require(!save_audio || estimate.empty(), "save_audio", "the estimates are files already");
}

namespace {

json versions() { return {{"limbeck", version_text()}, {"libtorch", TORCH_VERSION}}; }

void add_set(json& about, const TestSet& set) {
  about["manifest"] = set.pairs.path.string();
  about["manifest_hash"] = set.pairs.content_hash();
}

/// Adds what changes scores beside model and data.
json with_fit(json about, const FitOptions& fit) {
  if (fit.align) about["align"] = true;
  if (fit.resample_hz > 0) about["resample_hz"] = fit.resample_hz;
  about["versions"] = versions();
  return about;
}

FitOptions fit_of(const EvaluateConfig& config) { return {config.resample_hz, config.align}; }

/// Heads a table's row: the last part of a path.
std::string name_of(const std::string& path) {
  const fs::path whole = fs::path(path).lexically_normal();
  return (whole.has_filename() ? whole : whole.parent_path()).filename().string();
}

/// What a journal must be about to go on with it: the same metrics too.
std::string with_metrics(json about, const std::vector<Metric>& metrics) {
  for (const Metric& metric : metrics) about["metrics"].push_back(metric.name);
  return about.dump();
}

/// Says what failed; throws DataError if nothing could be scored.
void report_failures(const Evaluation& evaluation, const fs::path& folder, Logger& logger) {
  const std::string file = (folder / "failures.csv").string();
  size_t scored = 0;
  for (size_t m = 0; m < evaluation.metrics.size(); ++m) scored += evaluation.scores(m).size();
  constexpr size_t kShown = 10;
  for (size_t i = 0; i < std::min(evaluation.failures.size(), kShown); ++i) {
    const auto& failure = evaluation.failures[i];
    logger.warn(failure.id + ": " + (failure.metric.empty() ? "" : "no " + failure.metric + ": ") +
                failure.reason);
  }
  if (scored == 0) throw DataError("no utterance could be scored; see " + file);
  if (!evaluation.failures.empty()) {
    logger.warn(format("%d failures, see %s", evaluation.failures.size(), file));
  }
}

ExitCode finish(const Evaluation& evaluation, const std::string& system, const fs::path& folder,
                Logger& logger) {
  report_failures(evaluation, folder, logger);
  print("%s", score_table(evaluation, system));
  std::fflush(stdout);
  logger.info("means over the utterances; more in " +
              (folder / "{per_utterance.csv,table.md,summary.json}").string());
  return evaluation.failures.empty() ? ExitCode::ok : ExitCode::some_failed;
}

ExitCode evaluate_files(const EvaluateConfig& config, const std::vector<Metric>& metrics,
                        bool check_only, Logger& logger) {
  TestSet set;
  if (config.clean.empty()) set = read_test_set(config.manifest, config.protocol);
  const Matched matched = config.clean.empty()
                              ? match_manifest(set.pairs, config.estimate)
                              : match_folders(config.clean, config.estimate, config.noisy);
  logger.info(
      format("%d files with a partner, %d without", matched.items.size(), matched.failures.size()));
  if (check_only) {
    logger.info("configuration is sound");
    return ExitCode::ok;
  }
  json about = {{"estimate", config.estimate}, {"files", files_stamp(matched.items)}};
  if (!config.clean.empty()) about["clean"] = config.clean;
  if (!config.noisy.empty()) about["noisy"] = config.noisy;
  if (config.clean.empty()) add_set(about, set);
  about = with_fit(about, fit_of(config));

  fs::create_directories(config.out);
  const DirectoryLock lock(config.out);
  Evaluation evaluation = evaluate(matched.items,
                                   {.metrics = metrics,
                                    .fit = fit_of(config),
                                    .jobs = config.jobs,
                                    .resume_in = config.out,
                                    .about = with_metrics(about, metrics)},
                                   logger);
  evaluation.failures.insert(evaluation.failures.begin(), matched.failures.begin(),
                             matched.failures.end());
  evaluation.notes = set.notes;
  write_evaluation(config.out, evaluation, name_of(config.estimate), about.dump());
  remove_journal(config.out);
  return finish(evaluation, name_of(config.estimate), config.out, logger);
}

ModelEvaluation model_evaluation(const EvaluateConfig& config, const std::vector<Metric>& metrics) {
  return {.model = config.model,
          .which = config.which,
          .manifest = config.manifest,
          .protocol = config.protocol,
          .allow_leak = config.allow_leak,
          .metrics = metrics,
          .fit = fit_of(config),
          .folder = config.out,
          .save_audio = config.save_audio,
          .device = config.device,
          .jobs = config.jobs,
          .batch_size = config.batch_size};
}

ExitCode evaluate_runs(const EvaluateConfig& config, const std::vector<fs::path>& runs,
                       const std::vector<Metric>& metrics, Logger& logger) {
  bool any_failed = false;
  RunTable table(metrics);
  for (const auto& [name, run] : named_runs(runs)) {
    ModelEvaluation options = model_evaluation(config, metrics);
    options.model = run.string();
    options.folder = (fs::path(config.out) / name).string();
    const Evaluation evaluation = evaluate_model(options, logger);
    report_failures(evaluation, options.folder, logger);
    any_failed |= !evaluation.failures.empty();
    table.add(name, evaluation);
  }
  json summary = table.summary();
  for (const auto& run : runs) summary["runs"].push_back(run.string());
  summary["versions"] = versions();
  write_file_atomically(fs::path(config.out) / "table.md", table.markdown());
  write_file_atomically(fs::path(config.out) / "summary.json", summary.dump(2) + "\n");
  print("%s", table.markdown());
  return any_failed ? ExitCode::some_failed : ExitCode::ok;
}

/// Length of every item at the rate at which it is scored, as resample() makes it.
std::vector<int64_t> lengths(const Manifest& manifest, int64_t resample_hz) {
  std::vector<int64_t> samples;
  for (const auto& entry : manifest.entries) {
    samples.push_back(resample_hz > 0
                          ? (entry.samples * resample_hz + entry.rate_hz - 1) / entry.rate_hz
                          : entry.samples);
  }
  return samples;
}

void save_estimates(const fs::path& folder, const std::vector<const EvaluationItem*>& items,
                    const std::vector<std::vector<float>>& estimates, int rate_hz) {
  for (size_t i = 0; i < items.size(); ++i) {
    const fs::path path = folder / (items[i]->id + ".wav");
    fs::create_directories(path.parent_path());
    write_audio(path, {estimates[i], rate_hz}, SampleFormat::float32);
  }
}

/// LibTorch's thread count is the process's: put back when the evaluation is over.
class ThreadCount {
 public:
  ThreadCount() = default;
  ~ThreadCount() { at::set_num_threads(count_); }
  ThreadCount(const ThreadCount&) = delete;
  ThreadCount& operator=(const ThreadCount&) = delete;

 private:
  int count_ = at::get_num_threads();
};

}  // namespace

Evaluation evaluate_model(const ModelEvaluation& options, Logger& logger) {
  const TestSet set = read_test_set(options.manifest, options.protocol);
  const fs::path file = nn::find_model_file(options.model, options.which);
  const auto notes = guard_model(file, set, options.allow_leak, logger);
  json about = {{"model", file.string()},
                {"model_xxh3_128", hash_file(file)},
                {"device", nn::is_cpu(options.device) ? "cpu" : "cuda"}};
  add_set(about, set);
  if (options.save_audio) about["audio"] = true;
  about = with_fit(about, options.fit);

  fs::create_directories(options.folder);
  const DirectoryLock lock(options.folder);
  Evaluation evaluation;
  if (read_evaluation(options.folder, about.dump(), options.metrics, evaluation) &&
      evaluation.failures.empty()) {
    logger.info(options.model + ": scored before, see " + options.folder);
    if (evaluation.notes != notes) {
      evaluation.notes = notes;
      write_evaluation(options.folder, evaluation, name_of(options.model), about.dump());
    }
    return evaluation;
  }
  const Enhancer enhancer(file, options.device);
  const auto enhance = [&](const std::vector<const EvaluationItem*>& items,
                           const std::vector<std::vector<float>>& noisy, int rate_hz) {
    auto estimates = enhancer(noisy, rate_hz);
    if (options.save_audio) {
      save_estimates(fs::path(options.folder) / "audio", items, estimates, rate_hz);
    }
    return estimates;
  };
  const ThreadCount restored_afterwards;
  evaluation = evaluate(
      items_of(set.pairs),
      {.metrics = options.metrics,
       .fit = options.fit,
       .jobs = options.jobs,
       .enhance = enhance,
       .batches = enhancer.batches(lengths(set.pairs, options.fit.resample_hz), options.batch_size),
       .resume_in = options.folder,
       .about = with_metrics(about, options.metrics)},
      logger);
  evaluation.notes = notes;
  write_evaluation(options.folder, evaluation, name_of(options.model), about.dump());
  remove_journal(options.folder);
  return evaluation;
}

ExitCode run_evaluation(const EvaluateConfig& config, bool check_only, Logger& logger) {
  const auto metrics = build_metrics(config.metrics);
  nn::select_device(config.device);
  if (!config.estimate.empty()) return evaluate_files(config, metrics, check_only, logger);

  std::vector<fs::path> runs =
      config.runs.empty() ? std::vector<fs::path>{config.model} : glob_paths(config.runs);
  if (runs.empty()) throw ConfigError("runs: nothing matches '" + config.runs + "'");
  const TestSet set = read_test_set(config.manifest, config.protocol);
  Logger quiet(Verbosity::quiet);
  for (const fs::path& run : runs) {
    const fs::path file = nn::find_model_file(run, config.which);
    // Before any of them is scored; evaluate_model says the rest.
    if (check_only || !config.allow_leak) {
      guard_model(file, set, config.allow_leak, check_only ? logger : quiet);
    }
  }
  logger.info(format("%d pairs in %s", set.pairs.entries.size(), set.pairs.path));
  if (check_only) {
    logger.info("configuration is sound");
    return ExitCode::ok;
  }
  if (!config.runs.empty()) return evaluate_runs(config, runs, metrics, logger);
  const Evaluation evaluation = evaluate_model(model_evaluation(config, metrics), logger);
  return finish(evaluation, name_of(config.model), config.out, logger);
}

}  // namespace limbeck
