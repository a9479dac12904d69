#include "limbeck/eval/job.h"

#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <torch/version.h>

#include <algorithm>
#include <optional>

#include "eval/enhance.h"
#include "eval/fit.h"
#include "eval/journal.h"
#include "eval/matching.h"
#include "eval/result_files.h"
#include "eval/result_text.h"
#include "eval/score.h"
#include "limbeck/audio/io.h"
#include "limbeck/core/cpu.h"
#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/core/id_paths.h"
#include "limbeck/core/version.h"
#include "limbeck/nn/device.h"
#include "limbeck/nn/model_file.h"
#include "limbeck/run/trained_model.h"

namespace limbeck {
namespace fs = std::filesystem;
namespace {

constexpr const char* kAudioSuffix = ".wav";

/// Heads a table's row: the last part of a path.
std::string name_of(const std::string& path) {
  const fs::path whole = fs::path(path).lexically_normal();
  return (whole.has_filename() ? whole : whole.parent_path()).filename().string();
}

EvaluationJob job_of(const std::string& source, const Scoring& scoring, const fs::path& folder) {
  EvaluationJob job{.system = name_of(source), .scoring = scoring, .folder = folder};
  job.identity.set("fit.align", scoring.fit.align);
  job.identity.set("fit.resample_hz", scoring.fit.resample_hz);
  const ChannelChoice& channel = scoring.fit.channel;
  if (channel.is_made()) job.identity.set("fit.channel", channel.text());
  return job;
}

void add_set(EvaluationJob& job, const TestSet& set) {
  job.about["manifest"] = set.pairs.path.string();
  job.identity.set("set", set.pairs.content_hash());
}

void add_subject(EvaluationJob& job, const std::string& model_hash, const TestSet& set) {
  job.identity.set("model", model_hash);
  add_set(job, set);
}

void add_matched(EvaluationJob& job, Matched matched, const std::string& estimate) {
  job.items = std::move(matched.items);
  job.failures = std::move(matched.failures);
  job.hint = std::move(matched.hint);
  job.about["estimate"] = estimate;
  job.identity.set("estimates", content_of(job.items, &EvaluationItem::estimate));
}

Environment environment_of(const EvaluationJob& job) {
  Environment environment = {{"limbeck", version_text()},
                             {"libtorch", TORCH_VERSION},
                             {"cpu_capability", at::get_cpu_capability()},
                             {"cpu_level", to_string(cpu_level())}};
  if (!job.model_file.empty()) {
    environment["device"] = nn::device_model(nn::select_device(job.scoring.device));
    environment["kernels"] = nn::to_string(job.scoring.kernels);
  }
  return environment;
}

/// What the folder holds of this job. Throws ConfigError for something else, or says so and leaves
/// it aside.
std::optional<StoredResults> own_results(const EvaluationJob& job, Logger* logger) {
  std::optional<StoredResults> stored;
  std::vector<std::string> differences;
  try {
    stored = read_results(job.folder);
    if (stored) differences = stored->identity.differences(job.identity);
  } catch (const Error& e) {
    if (!job.replaces_others) throw;
    differences = {e.what()};
  }
  if (!stored && differences.empty()) {
    if (const auto begun = journal_identity(job.folder)) {
      differences = begun->differences(job.identity);
    } else if (fs::exists(scores_file(job.folder))) {
      differences = {scores_file("").string() + " stands there without what says of what it is"};
    }
  }
  if (differences.empty()) return stored;
  if (!job.replaces_others) refuse_other_results(job.folder, differences);
  if (logger != nullptr) {
    logger->warn(job.folder.string() +
                 ": scored again, in place of results of something else:" + listed(differences));
  }
  return std::nullopt;
}

std::string names_of(const std::vector<Metric>& metrics) {
  std::vector<std::string> names;
  for (const Metric& metric : metrics) names.push_back(metric.name);
  return join(names, ", ");
}

/// The stored table if nothing is left to do.
std::optional<ResultTable> finished(const EvaluationJob& job,
                                    const std::optional<StoredResults>& stored) {
  if (!stored || !stored->table || (job.scoring.save_audio && !stored->audio)) return std::nullopt;
  if (!job.failures.empty() || !stored->table->runs.front().failures.empty()) return std::nullopt;
  return stored->table->select(job.scoring.metrics);
}

/// The metrics of the job, then those that the folder has beside them.
std::vector<Metric> metrics_to_score(const EvaluationJob& job,
                                     const std::optional<StoredResults>& stored, Logger& logger) {
  std::vector<Metric> chosen = job.scoring.metrics;
  if (!stored) return chosen;
  if (!stored->table) {
    logger.warn(job.folder.string() + ": what it holds is not whole; scored again");
    return chosen;
  }
  for (const Metric& there : stored->table->metrics) {
    const auto is_it = [&](const Metric& other) { return other.name == there.name; };
    if (std::any_of(chosen.begin(), chosen.end(), is_it)) continue;
    if (auto metric = metric_of_column(there.name)) chosen.push_back(std::move(*metric));
  }
  logger.info(job.folder.string() + ": holds scores of " + names_of(stored->table->metrics) +
              "; scored again for " + names_of(chosen));
  return chosen;
}

fs::path audio_file(const EvaluationJob& job, const EvaluationItem& item) {
  return job.folder / "audio" / path_of_id(item.id, kAudioSuffix);
}

/// What is kept of the estimates lies below the folder, each in a file of its own, and nothing that
/// is written takes the place of what is read.
void require_safe_names(const EvaluationJob& job) {
  std::vector<fs::path> written = result_files(job.folder);
  if (job.scoring.save_audio) {
    std::vector<std::string> ids;
    for (const EvaluationItem& item : job.items) ids.push_back(item.id);
    require_paths_of_ids(ids, kAudioSuffix, job.about.at("manifest"));
    for (const EvaluationItem& item : job.items) written.push_back(audio_file(job, item));
  }
  std::vector<fs::path> inputs = {job.model_file};
  if (const auto set = job.about.find("manifest"); set != job.about.end()) {
    inputs.emplace_back(set->second);
  }
  for (const EvaluationItem& item : job.items) {
    for (const AudioFile* file : {&item.clean, &item.noisy, &item.estimate}) {
      inputs.push_back(file->path);
    }
  }
  require_inputs_kept(written, inputs);
}

void save_estimates(const EvaluationJob& job, const std::vector<const EvaluationItem*>& items,
                    const std::vector<std::vector<float>>& estimates, int rate_hz) {
  for (size_t i = 0; i < items.size(); ++i) {
    const fs::path path = audio_file(job, *items[i]);
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

RunResults score(const EvaluationJob& job, const std::vector<Metric>& metrics, Logger& logger) {
  const Scoring& scoring = job.scoring;
  ScoreOptions options{.metrics = metrics, .fit = scoring.fit, .jobs = scoring.jobs};
  std::optional<nn::Enhancer> enhancer;
  if (!job.model_file.empty()) {
    enhancer.emplace(nn::read_model(job.model_file), nn::use_device(scoring.device),
                     scoring.kernels);
    options.batches =
        batches_for(*enhancer, noisy_lengths(job.items, scoring.fit), scoring.batch_size);
    options.enhance = [&](const std::vector<const EvaluationItem*>& items,
                          const std::vector<std::vector<float>>& noisy, int rate_hz) {
      auto estimates = estimates_of(*enhancer, noisy, rate_hz);
      if (scoring.save_audio) save_estimates(job, items, estimates, rate_hz);
      return estimates;
    };
  }
  const ThreadCount restored_afterwards;
  Journal journal(job.folder, {job.identity, metrics, scoring.save_audio, environment_of(job)});
  options.journal = &journal;
  RunResults results = score_items(job.items, options, logger);
  results.environment = journal.environment();
  return results;
}

/// What is no part of the identity may have changed since: notes, and what the manifest says of the
/// recordings. Returns whether it has.
bool update(RunResults& run, const EvaluationJob& job) {
  bool changed = run.notes != job.notes;
  run.notes = job.notes;
  std::map<std::string, const Condition*> conditions;
  for (const EvaluationItem& item : job.items) conditions[item.id] = &item.condition;
  for (UtteranceScores& row : run.rows) {
    const auto found = conditions.find(row.id);
    if (found == conditions.end() || *found->second == row.condition) continue;
    row.condition = *found->second;
    changed = true;
  }
  return changed;
}

ResultTable take(const EvaluationJob& job, StoredResults& stored, ResultTable chosen,
                 Logger& logger) {
  logger.info(job.system + ": scored before, see " + job.folder.string());
  const RunResults now{"now", {}, {}, {}, environment_of(job)};
  RunResults& run = stored.table->runs.front();
  run.name = "then";
  for (const std::string& difference : environment_differences({&run, &now})) {
    logger.info(job.folder.string() + ": " + difference);
  }
  run.name = job.system;
  if (update(run, job)) write_results(job.folder, stored);
  chosen.runs.front().name = job.system;
  update(chosen.runs.front(), job);
  return chosen;
}

ResultTable taken_or_scored(const EvaluationJob& job, Logger& logger) {
  require_safe_names(job);
  fs::create_directories(job.folder);
  const DirectoryLock lock(job.folder, &logger);
  auto stored = own_results(job, &logger);
  if (auto chosen = finished(job, stored)) return take(job, *stored, std::move(*chosen), logger);

  const auto metrics = metrics_to_score(job, stored, logger);
  RunResults run = score(job, metrics, logger);
  run.name = job.system;
  run.notes = job.notes;
  run.failures.insert(run.failures.begin(), job.failures.begin(), job.failures.end());
  ResultTable table{metrics, {std::move(run)}};
  const bool audio = job.scoring.save_audio || (stored && stored->audio);
  write_results(job.folder, {job.identity, audio, job.about, table});
  remove_journal(job.folder);
  return table.select(job.scoring.metrics).value();
}

void tell_of_cuts(const ResultTable& table, Logger& logger) {
  const RunResults& run = table.runs.front();
  std::vector<std::string> cut;
  for (const UtteranceScores& row : run.rows) {
    if (row.cut_samples > 0) cut.push_back(format("%s: by %d samples", row.id, row.cut_samples));
  }
  if (!cut.empty()) logger.warn(run.name + ": " + cut_text(table) + ":" + listed(cut, 3));
}

}  // namespace

EvaluationJob model_job(const ModelSource& source, const TestSet& set, const Scoring& scoring,
                        const fs::path& folder, Logger& logger) {
  EvaluationJob job = job_of(source.path, scoring, folder);
  const TrainedModel model = find_model(source.path, source.which);
  for (const std::string& warning : model.warnings) logger.warn(source.path + ": " + warning);
  job.model_file = model.file;
  job.notes = notes_on(set, model.file.string(), model.record, source.allow_leak, logger);
  if (model.skipped > 0) {
    job.notes.push_back(format(
        "%d steps of its training changed nothing, because their loss or gradient was not finite",
        model.skipped));
  }
  job.items = items_of(set.pairs);
  job.about["model"] = source.path;
  job.about["model_file"] = job.model_file.string();
  add_subject(job, model.hash, set);
  return job;
}

EvaluationJob files_job(const std::string& estimate, const TestSet& set, const Scoring& scoring,
                        const fs::path& folder, const Naming& naming, Logger* logger) {
  EvaluationJob job = job_of(estimate, scoring, folder);
  add_matched(job, match_manifest(set.pairs, estimate, naming, logger), estimate);
  add_set(job, set);
  job.notes = set.notes;
  return job;
}

EvaluationJob files_job(const std::string& estimate, const std::string& clean,
                        const std::string& noisy, const Scoring& scoring, const fs::path& folder,
                        const Naming& naming, Logger* logger) {
  EvaluationJob job = job_of(estimate, scoring, folder);
  add_matched(job, match_folders(clean, estimate, noisy, naming, logger), estimate);
  job.about["clean"] = clean;
  job.identity.set("clean", content_of(job.items, &EvaluationItem::clean));
  if (noisy.empty()) return job;
  job.about["noisy"] = noisy;
  job.identity.set("noisy", content_of(job.items, &EvaluationItem::noisy));
  return job;
}

void require_own_folder(const EvaluationJob& job) {
  on_disk([&] {
    require_safe_names(job);
    own_results(job, nullptr);
  });
}

ResultTable run_job(const EvaluationJob& job, Logger& logger) {
  ResultTable table = on_disk([&] { return taken_or_scored(job, logger); });
  tell_of_cuts(table, logger);
  return table;
}

std::optional<ResultTable> scored_before(const EvaluationJob& job) {
  EvaluationJob looked_for = job;
  looked_for.replaces_others = true;  // what is of something else is passed over
  const auto stored = on_disk([&] { return own_results(looked_for, nullptr); });
  if (!stored || !stored->table) return std::nullopt;
  auto table = stored->table->select(job.scoring.metrics);
  if (!table) return std::nullopt;
  table->runs.front().name = job.system;
  update(table->runs.front(), job);
  return table;
}

std::optional<ResultTable> stored_scores(const fs::path& folder, const std::string& model_hash,
                                         const TestSet& set, const Scoring& scoring) {
  EvaluationJob job = job_of("", scoring, folder);
  add_subject(job, model_hash, set);
  return scored_before(job);
}

}  // namespace limbeck
