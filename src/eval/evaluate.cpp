#include "limbeck/eval/evaluate.h"

#include <torch/types.h>
#include <torch/version.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "limbeck/audio/io.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/core/statistics.h"
#include "limbeck/core/table.h"
#include "limbeck/core/version.h"
#include "limbeck/nn/device.h"
#include "limbeck/nn/model_file.h"

namespace limbeck {
namespace fs = std::filesystem;

void EvaluateConfig::describe(config::Visitor& v) {
  v.value("model", model, "run folder, checkpoint folder or model file to score");
  v.value("runs", runs, "shell pattern of run folders; the table gives mean ± std over them");
  v.value("which", which, "checkpoint of a run folder", config::one_of({"best", "last"}));
  v.value("manifest", manifest, "manifest of pairs to score on");
  v.value("clean", clean, "folder of clean files, with estimate");
  v.value("estimate", estimate, "folder of files of the same names that any system made");
  v.value("noisy", noisy, "folder of the noisy files, for the noisy row");
  v.value("out", out, "folder for the results", config::any().required());
  v.value("metrics", metrics, "what to score, or all");
  v.value("device", device, "auto, cpu, cuda or cuda:i");
  v.value("threads", threads, "threads of LibTorch; 0: one a core", config::between(0, 1024));
  const int ways = int(!model.empty()) + int(!runs.empty()) + int(!estimate.empty());
  v.require(ways == 1, "model", "give exactly one of model, runs and estimate");
  v.require(estimate.empty() == clean.empty(), "clean", "clean and estimate go together");
  v.require(estimate.empty() != manifest.empty() || ways != 1, "manifest",
            estimate.empty() ? "is required to score a model" : "is not used with estimate");
  v.require(noisy.empty() || !estimate.empty(), "noisy",
            "is only used with estimate; a manifest names its noisy files");
}

namespace {

/// Files of the same stem in both folders; those without a partner are failures.
std::vector<ScoredFiles> matched_files(const EvaluateConfig& config,
                                       std::map<std::string, fs::path>& estimates,
                                       std::vector<UtteranceFailure>& failures) {
  const auto scan = [](const std::string& folder) {
    if (!fs::is_directory(folder)) throw DataError(folder + ": no such folder");
    std::map<std::string, fs::path> found;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (!entry.is_regular_file() || !is_audio_path(entry.path())) continue;
      fs::path id = fs::relative(entry.path(), folder);
      found[id.replace_extension().string()] = entry.path();
    }
    if (found.empty()) throw DataError(folder + ": no audio files");
    return found;
  };
  const auto clean = scan(config.clean);
  estimates = scan(config.estimate);
  const auto noisy = config.noisy.empty() ? std::map<std::string, fs::path>() : scan(config.noisy);
  std::vector<ScoredFiles> files;
  for (const auto& [id, path] : clean) {
    if (!estimates.count(id)) {
      failures.push_back({id, "no file of this name in " + config.estimate});
    } else if (!config.noisy.empty() && !noisy.count(id)) {
      failures.push_back({id, "no file of this name in " + config.noisy});
    } else {
      files.push_back({id, "", path, config.noisy.empty() ? fs::path() : noisy.at(id)});
    }
  }
  for (const auto& [id, path] : estimates) {
    if (!clean.count(id)) failures.push_back({id, "no file of this name in " + config.clean});
  }
  return files;
}

nlohmann::json versions() { return {{"limbeck", version_text()}, {"libtorch", TORCH_VERSION}}; }

std::string score_text(const Metric& metric, const Summary& summary) {
  std::string text = format("%.*f", metric.decimals, summary.mean);
  if (summary.n > 1) text += format(" ± %.*f", metric.decimals, summary.deviation);
  return text;
}

std::vector<std::string> table_row(const std::string& name, const Evaluation& evaluation,
                                   bool noisy) {
  std::vector<std::string> row = {name, format("%zu", evaluation.rows.size())};
  for (size_t m = 0; m < evaluation.metrics.size(); ++m) {
    row.push_back(score_text(evaluation.metrics[m], summarize(evaluation.scores(m, noisy))));
  }
  return row;
}

std::vector<std::string> table_header(const std::vector<Metric>& metrics, const char* count) {
  std::vector<std::string> header = {"system", count};
  for (const Metric& metric : metrics) header.push_back(metric.title);
  return header;
}

void finish(const Evaluation& evaluation, const fs::path& folder, Logger& logger) {
  if (evaluation.rows.empty())
    throw DataError("no utterance could be scored; see " + (folder / "failures.csv").string());
  if (evaluation.failures.empty()) return;
  logger.warn(format("%zu of %zu utterances failed; see %s", evaluation.failures.size(),
                     evaluation.failures.size() + evaluation.rows.size(),
                     (folder / "failures.csv").c_str()));
}

ExitCode evaluate_folders(const EvaluateConfig& config, const std::vector<Metric>& metrics,
                          bool check_only, Logger& logger) {
  std::map<std::string, fs::path> estimates;
  std::vector<UtteranceFailure> unmatched;
  const auto files = matched_files(config, estimates, unmatched);
  logger.info(format("%zu files with a partner, %zu without", files.size(), unmatched.size()));
  if (check_only) return ExitCode::ok;
  Evaluation evaluation = evaluate(
      files, metrics,
      [&](const ScoredFiles& one, const std::vector<float>&, int rate_hz) {
        Waveform estimate = read_audio(estimates.at(one.id));
        if (estimate.rate_hz != rate_hz) {
          throw DataError(format("%s: %d Hz, but its clean side has %d Hz",
                                 estimates.at(one.id).c_str(), estimate.rate_hz, rate_hz));
        }
        return std::move(estimate.samples);
      },
      logger);
  evaluation.failures.insert(evaluation.failures.begin(), unmatched.begin(), unmatched.end());
  const nlohmann::json about = {
      {"clean", config.clean}, {"estimate", config.estimate}, {"versions", versions()}};
  write_evaluation(config.out, evaluation, about.dump());
  finish(evaluation, config.out, logger);
  std::vector<std::vector<std::string>> rows;
  if (evaluation.has_noisy()) rows.push_back(table_row("noisy", evaluation, true));
  rows.push_back(table_row(config.estimate, evaluation, false));
  std::printf("%s(mean ± std over utterances)\n",
              markdown_table(table_header(metrics, "utterances"), rows).c_str());
  return evaluation.failures.empty() ? ExitCode::ok : ExitCode::some_failed;
}

ExitCode evaluate_one(const EvaluateConfig& config, const std::vector<Metric>& metrics,
                      Logger& logger) {
  const Evaluation evaluation = evaluate_model(config.model, config.which, config.manifest, metrics,
                                               config.out, config.device, logger);
  finish(evaluation, config.out, logger);
  std::vector<std::vector<std::string>> rows;
  rows.push_back(table_row("noisy", evaluation, true));
  rows.push_back(table_row(config.model, evaluation, false));
  std::printf("%s(mean ± std over utterances)\n",
              markdown_table(table_header(metrics, "utterances"), rows).c_str());
  return evaluation.failures.empty() ? ExitCode::ok : ExitCode::some_failed;
}

ExitCode evaluate_runs(const EvaluateConfig& config, const std::vector<fs::path>& runs,
                       const std::vector<Metric>& metrics, Logger& logger) {
  bool any_failed = false;
  std::vector<std::vector<double>> means(metrics.size());
  std::vector<std::vector<std::string>> rows;
  for (const fs::path& run : runs) {
    fs::path name = run.filename().empty() ? run.parent_path().filename() : run.filename();
    const fs::path folder = fs::path(config.out) / name;
    const Evaluation evaluation = evaluate_model(run.string(), config.which, config.manifest,
                                                 metrics, folder, config.device, logger);
    finish(evaluation, folder, logger);
    any_failed |= !evaluation.failures.empty();
    if (rows.empty()) {
      rows.push_back({"noisy", ""});
      for (size_t m = 0; m < metrics.size(); ++m) {
        rows.back().push_back(
            format("%.*f", metrics[m].decimals, summarize(evaluation.scores(m, true)).mean));
      }
    }
    rows.push_back({name.string(), ""});
    for (size_t m = 0; m < metrics.size(); ++m) {
      means[m].push_back(summarize(evaluation.scores(m)).mean);
      rows.back().push_back(format("%.*f", metrics[m].decimals, means[m].back()));
    }
  }
  rows.push_back({"all runs", format("%zu", runs.size())});
  nlohmann::json summary = {{"runs", nlohmann::json::array()},
                            {"metrics", nlohmann::json::object()},
                            {"versions", versions()}};
  for (const auto& run : runs) summary["runs"].push_back(run.string());
  for (size_t m = 0; m < metrics.size(); ++m) {
    const Summary over_runs = summarize(means[m]);
    rows.back().push_back(score_text(metrics[m], over_runs));
    summary["metrics"][metrics[m].name] = {
        {"mean", over_runs.mean}, {"n", over_runs.n}, {"values", means[m]}};
    if (over_runs.n > 1) summary["metrics"][metrics[m].name]["std"] = over_runs.deviation;
  }
  write_file_atomically(fs::path(config.out) / "summary.json", summary.dump(2) + "\n");
  std::printf("%s(each run: mean over utterances; all runs: mean ± std over runs)\n",
              markdown_table(table_header(metrics, "runs"), rows).c_str());
  return any_failed ? ExitCode::some_failed : ExitCode::ok;
}

}  // namespace

Evaluation evaluate_model(const std::string& model_path, const std::string& which,
                          const std::string& manifest_path, const std::vector<Metric>& metrics,
                          const fs::path& folder, const std::string& device_name, Logger& logger) {
  const Manifest manifest = Manifest::read(manifest_path);
  const fs::path file = nn::find_model_file(model_path, which);
  nlohmann::json about = {{"model", file.string()},
                          {"model_xxh3_128", hash_file(file)},
                          {"manifest", manifest_path},
                          {"manifest_hash", manifest.content_hash()},
                          {"versions", versions()}};
  Evaluation evaluation;
  if (read_evaluation(folder, about.dump(), metrics, evaluation) && evaluation.failures.empty()) {
    logger.info(model_path + ": scored before, see " + folder.string());
    return evaluation;
  }
  const auto loaded = nn::read_model(file);
  const at::Device device = nn::select_device(device_name);
  loaded.model->to(device);
  at::NoGradGuard no_grad;
  evaluation = evaluate(
      files_of(manifest), metrics,
      [&](const ScoredFiles& one, const std::vector<float>& noisy, int rate_hz) {
        if (rate_hz != loaded.model->rate_hz()) {
          throw DataError(format("%s: %d Hz, but the model works at %lld Hz", one.noisy.c_str(),
                                 rate_hz, static_cast<long long>(loaded.model->rate_hz())));
        }
        const auto input = at::from_blob(const_cast<float*>(noisy.data()),
                                         {1, static_cast<int64_t>(noisy.size())}, torch::kFloat)
                               .to(device);
        const auto estimate = loaded.model->forward(input, {}).estimate.cpu().contiguous();
        const float* data = estimate.const_data_ptr<float>();
        return std::vector<float>(data, data + estimate.numel());
      },
      logger);
  write_evaluation(folder, evaluation, about.dump());
  return evaluation;
}

ExitCode run_evaluation(const EvaluateConfig& config, bool check_only, Logger& logger) {
  const auto metrics = select_metrics(config.metrics);
  nn::select_device(config.device);
  nn::set_threads(config.threads);
  if (!config.estimate.empty()) return evaluate_folders(config, metrics, check_only, logger);

  std::vector<fs::path> runs =
      config.runs.empty() ? std::vector<fs::path>{config.model} : glob_paths(config.runs);
  if (runs.empty()) throw ConfigError("runs: nothing matches '" + config.runs + "'");
  for (const fs::path& run : runs) nn::find_model_file(run, config.which);
  logger.info(format("%zu pairs in %s", files_of(Manifest::read(config.manifest)).size(),
                     config.manifest.c_str()));
  if (check_only) return ExitCode::ok;
  fs::create_directories(config.out);
  return config.runs.empty() ? evaluate_one(config, metrics, logger)
                             : evaluate_runs(config, runs, metrics, logger);
}

}  // namespace limbeck
