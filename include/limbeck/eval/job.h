#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "limbeck/audio/io.h"
#include "limbeck/core/log.h"
#include "limbeck/data/selection.h"
#include "limbeck/eval/result_table.h"
#include "limbeck/nn/kernel_use.h"
#include "limbeck/run/identity.h"

namespace limbeck {

/// One utterance to score. Empty paths: no noisy side; an estimate that a model is to make.
struct EvaluationItem {
  std::string id;
  Condition condition = {};
  AudioFile clean = {}, noisy = {}, estimate = {};
  int64_t samples = 0;  ///< of the clean side, 0 where only the file knows
  int rate_hz = 0;      ///< the same
};

/// What the names of estimates have around those of the clean files; only files with all of it are
/// taken for estimates.
struct Naming {
  std::string prefix = {};
  std::string suffix = {};
};

/// How files are treated that do not fit their clean side.
struct FitOptions {
  int64_t resample_hz = 0;     ///< bring all files to this rate; 0: other rates are failures
  bool align = false;          ///< shift by the lag of the largest cross-correlation, then cut
  ChannelChoice channel = {};  ///< of every file; none: files of several channels are failures
};

/// How things are scored, whatever they are.
struct Scoring {
  std::vector<Metric> metrics = {};
  FitOptions fit = {};
  std::string device = "auto";
  nn::Kernels kernels = nn::Kernels::fused;
  int64_t jobs = 0;         ///< utterances at once; 0: one a core
  int64_t batch_size = 8;   ///< utterances a forward pass on a GPU
  bool save_audio = false;  ///< keep what a model makes as 32-bit WAV below folder/audio
};

/// What is scored, by what, and where the results go. Made by model_job and files_job.
struct EvaluationJob {
  std::string system;                     ///< heads the row of its table
  std::filesystem::path model_file = {};  ///< makes the estimates; empty: they are files
  std::vector<EvaluationItem> items = {};
  std::vector<UtteranceFailure> failures = {};    ///< what has no partner, found by name
  std::string hint = {};                          ///< what may give files a partner
  std::vector<std::string> notes = {};            ///< what has to be said wherever scores are shown
  std::map<std::string, std::string> about = {};  ///< where things lay, for people

  /// Content of model or estimates and of the set, and the fit: what results stay true for wherever
  /// it all lies. The metrics, each with its version, stand beside it, since a folder may gain more
  /// of them.
  Identity identity{"evaluation", 1};
  Scoring scoring = {};
  std::filesystem::path folder = {};
  /// What the folder holds of another identity is replaced with a warning, not refused.
  bool replaces_others = false;
};

struct ModelSource {
  std::string path;  ///< run folder, checkpoint folder or model file
  std::string which = "best";
  bool allow_leak = false;  ///< score a set that the model has seen in training, and say so
};

/// A model on a set. Throws CheckpointError, and DataError if the run of the model saw files or
/// speakers of the set in training.
EvaluationJob model_job(const ModelSource& source, const TestSet& set, const Scoring& scoring,
                        const std::filesystem::path& folder, Logger& logger);

/// Files that any system made, below the folder `estimate`, for the pairs of a set. `logger` is
/// told what of the folders is passed over.
EvaluationJob files_job(const std::string& estimate, const TestSet& set, const Scoring& scoring,
                        const std::filesystem::path& folder, const Naming& naming = {},
                        Logger* logger = nullptr);

/// The same for the files of the folder `clean`; `noisy` may be empty.
EvaluationJob files_job(const std::string& estimate, const std::string& clean,
                        const std::string& noisy, const Scoring& scoring,
                        const std::filesystem::path& folder, const Naming& naming = {},
                        Logger* logger = nullptr);

/// Throws ConfigError, naming the keys that differ, if the folder holds results of another
/// identity. Results of the same one are none of its business: run_job takes them or adds to them.
/// Throws ConfigError, too, if results would take the place of a file that the job reads, and
/// DataError where audio is to be saved and an id cannot name a file (`require_paths_of_ids`).
void require_own_folder(const EvaluationJob& job);

/// Scores what the folder does not hold yet and writes it there; gives a table of one run, with the
/// metrics of the job. What goes wrong with one utterance is listed, the others are scored; as long
/// as anything is listed, the same call scores again. Where metrics are missing, all are scored
/// again, those that the folder has with them. Throws as require_own_folder does, DataError where
/// the folder cannot be made or written, and Interrupted between utterances; the same call then
/// goes on.
///
/// On the CPU each core enhances one utterance at a time, which is faster than all cores on one and
/// gives the same bits for any `jobs`; on a GPU only utterances of one frame count share a batch,
/// so that none is padded by more than its last frame.
ResultTable run_job(const EvaluationJob& job, Logger& logger);

/// What run_job has left in the folder, with what failed; nothing if that is of something else, or
/// not whole. Scores and writes nothing.
std::optional<ResultTable> scored_before(const EvaluationJob& job);

/// The same for a model, by the hash of its file, on a set.
std::optional<ResultTable> stored_scores(const std::filesystem::path& folder,
                                         const std::string& model_hash, const TestSet& set,
                                         const Scoring& scoring);

}  // namespace limbeck
