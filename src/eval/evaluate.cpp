#include "limbeck/eval/evaluate.h"

#include <algorithm>
#include <cstdio>

#include "eval/result_files.h"
#include "eval/result_text.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/data/file_check.h"
#include "limbeck/eval/job.h"
#include "limbeck/nn/device.h"
#include "limbeck/run/run_names.h"

namespace limbeck {
namespace fs = std::filesystem;

namespace {

/// What is wrong with a text for channel_choice; "" for nothing, as where none is chosen.
std::string fault_of_channel(const std::string& text) {
  try {
    if (!text.empty()) channel_choice(text);
    return "";
  } catch (const ConfigError& e) {
    return e.what();
  }
}

}  // namespace

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
  v.value("strip_prefix", strip_prefix,
          "what names of estimates have before those of the clean files; others are passed over");
  v.value("strip_suffix", strip_suffix,
          "the same behind it, before the extension: _enhanced for x_enhanced.wav");
  v.value("out", out, "folder for the results", config::any().required());
  describe_metrics(v, metrics);
  v.value("align", align, "shift estimates by the lag of the largest cross-correlation, then cut");
  v.value("resample_hz", resample_hz,
          "bring all files to this rate; 0: files of another rate are failures",
          config::between(0, 192000));
  v.value(
      "channel", channel,
      "channel of files of several that is scored, from 0; mix: the mean of all; none: files of "
      "several are failures");
  v.value("save_audio", save_audio, "keep what the model makes as 32-bit WAV below out/audio");
  v.value("device", device, "auto, cpu, cuda or cuda:i");
  v.value("kernels", kernels,
          "what a model runs on a CPU: this project's kernels, or LibTorch's operators alone");
  v.value("jobs", jobs, "utterances at once; 0: one a core", config::between(0, 1024));
  v.value("batch_size", batch_size,
          "utterances a forward pass on a GPU; on a CPU each core takes one, which is faster",
          config::between(1, 1024));
  const std::string fault = fault_of_channel(channel);
  v.require(fault.empty(), "channel", fault);
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
  v.require((strip_prefix.empty() && strip_suffix.empty()) || !estimate.empty(),
            strip_prefix.empty() ? "strip_suffix" : "strip_prefix", "is only used with estimate");
  v.require(!save_audio || estimate.empty(), "save_audio", "the estimates are files already");
}

namespace {

FitOptions fit_of(const EvaluateConfig& config) {
  FitOptions fit{config.resample_hz, config.align};
  if (!config.channel.empty()) fit.channel = channel_choice(config.channel);
  return fit;
}

Scoring scoring_of(const EvaluateConfig& config) {
  return {.metrics = build_metrics(config.metrics),
          .fit = fit_of(config),
          .device = config.device,
          .kernels = config.kernels,
          .jobs = config.jobs,
          .batch_size = config.batch_size,
          .save_audio = config.save_audio};
}

/// A run and the folder of its results.
struct NamedRun {
  std::string name;  ///< empty: the one that is asked for
  fs::path path;
  fs::path folder;
};

std::vector<NamedRun> models_of(const EvaluateConfig& config) {
  if (config.runs.empty()) return {{"", config.model, config.out}};
  const std::vector<fs::path> paths = glob_paths(config.runs);
  if (paths.empty()) throw ConfigError("runs: nothing matches '" + config.runs + "'");
  std::vector<NamedRun> models;
  for (const auto& [name, path] : named_runs(paths)) {
    models.push_back({name, path, fs::path(config.out) / name});
  }
  return models;
}

EvaluationJob job_of_files(const EvaluateConfig& config, Logger& logger) {
  const Scoring scoring = scoring_of(config);
  const Naming naming = {config.strip_prefix, config.strip_suffix};
  EvaluationJob job =
      config.clean.empty()
          ? files_job(config.estimate, read_test_set(config.manifest, config.protocol), scoring,
                      config.out, naming, &logger)
          : files_job(config.estimate, config.clean, config.noisy, scoring, config.out, naming,
                      &logger);
  logger.info(format("%d files with a partner, %d without", job.items.size(), job.failures.size()));
  if (!job.hint.empty()) logger.warn(job.hint);
  return job;
}

std::vector<EvaluationJob> jobs_of(const EvaluateConfig& config, Logger& logger) {
  std::vector<EvaluationJob> jobs;
  if (!config.estimate.empty()) {
    jobs.push_back(job_of_files(config, logger));
  } else {
    const auto models = models_of(config);
    const TestSet set = read_test_set(config.manifest, config.protocol);
    const Scoring scoring = scoring_of(config);
    for (const NamedRun& model : models) {
      jobs.push_back(model_job({model.path.string(), config.which, config.allow_leak}, set, scoring,
                               model.folder, logger));
      if (!model.name.empty()) jobs.back().system = model.name;
    }
    logger.info(format("%d pairs in %s", set.pairs.entries.size(), set.pairs.path));
  }
  for (const EvaluationJob& job : jobs) require_own_folder(job);
  return jobs;
}

std::vector<NamedFile> files_of(const std::vector<EvaluationJob>& jobs) {
  std::vector<NamedFile> files;
  for (const EvaluationJob& job : jobs) {
    const ChannelChoice& channel = job.scoring.fit.channel;
    for (const EvaluationItem& item : job.items) {
      for (const auto* audio : {&item.clean, &item.noisy}) {
        if (!audio->path.empty()) {
          files.push_back({audio->path, item.samples + audio->cut, item.rate_hz, channel});
        }
      }
      if (!item.estimate.path.empty()) files.push_back({item.estimate.path, 0, 0, channel});
    }
  }
  return files;
}

/// Says what failed; throws DataError if nothing could be scored.
void report_failures(const ResultTable& table, const fs::path& folder, Logger& logger) {
  const RunResults& run = table.runs.front();
  const std::string file = (folder / "failures.csv").string();
  constexpr size_t kShown = 10;
  for (size_t i = 0; i < std::min(run.failures.size(), kShown); ++i) {
    const auto& failure = run.failures[i];
    logger.warn(failure.id + ": " + (failure.metric.empty() ? "" : "no " + failure.metric + ": ") +
                failure.reason);
  }
  size_t scored = 0;
  for (size_t m = 0; m < table.metrics.size(); ++m) scored += table.scores(run, m).size();
  if (scored == 0) throw DataError("no utterance could be scored; see " + file);
  if (!run.failures.empty()) {
    logger.warn(format("%d failures, see %s", run.failures.size(), file));
  }
}

ExitCode evaluate_one(const EvaluationJob& job, Logger& logger) {
  const ResultTable table = run_job(job, logger);
  report_failures(table, job.folder, logger);
  print("%s", score_table(table));
  std::fflush(stdout);
  logger.info("means over the utterances; more in " +
              (job.folder / "{per_utterance.csv,table.md,summary.json}").string());
  return table.runs.front().failures.empty() ? ExitCode::ok : ExitCode::some_failed;
}

ExitCode evaluate_runs(const fs::path& out, const std::vector<EvaluationJob>& jobs,
                       Logger& logger) {
  bool any_failed = false;
  ResultTable table{jobs.front().scoring.metrics};
  std::vector<Identity> identities;
  std::vector<std::string> models;
  for (const EvaluationJob& job : jobs) {
    const ResultTable own = run_job(job, logger);
    report_failures(own, job.folder, logger);
    any_failed |= !own.runs.front().failures.empty();
    table.add(own);
    identities.push_back(job.identity);
    models.push_back(job.about.at("model"));
  }
  table.require_scores();
  write_runs(out, table, identities, models);
  print("%s", runs_table(table));
  return any_failed ? ExitCode::some_failed : ExitCode::ok;
}

}  // namespace

ExitCode run_evaluation(const EvaluateConfig& config, bool check_only, Logger& logger) {
  nn::select_device(config.device);
  const auto jobs = jobs_of(config, logger);
  if (!config.runs.empty()) {
    std::vector<Identity> identities;
    for (const EvaluationJob& job : jobs) identities.push_back(job.identity);
    require_own_runs_folder(config.out, identities);
  }
  if (check_only) {
    require_files(files_of(jobs), logger);
    logger.info("configuration is sound");
    return ExitCode::ok;
  }
  return config.runs.empty() ? evaluate_one(jobs.front(), logger)
                             : evaluate_runs(config.out, jobs, logger);
}

}  // namespace limbeck
