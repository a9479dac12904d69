#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "limbeck/eval/result_table.h"
#include "limbeck/run/identity.h"

namespace limbeck {

/// What a folder of results holds: a table of one run, and of what.
struct StoredResults {
  Identity identity;
  bool audio = false;                             ///< what the model made lies beside
  std::map<std::string, std::string> about = {};  ///< where things lay, for people
  std::optional<ResultTable> table = {};  ///< when read: nothing if a file is missing or damaged
};

/// The per_utterance.csv of a folder.
std::filesystem::path scores_file(const std::filesystem::path& folder);
/// What write_results writes.
std::vector<std::filesystem::path> result_files(const std::filesystem::path& folder);

/// Writes per_utterance.csv, failures.csv, table.md and summary.json into `folder`, the last one
/// last: it vouches for the others.
void write_results(const std::filesystem::path& folder, const StoredResults& results);

/// Nothing if there is no summary.json. Throws ConfigError for one that does not say of what it is.
std::optional<StoredResults> read_results(const std::filesystem::path& folder);

/// The rows of a per_utterance.csv with all metrics that it has. Throws DataError naming the file.
ResultTable read_scores(const std::filesystem::path& per_utterance_csv);

/// The rows of the failures.csv of a folder; none if there is no such file. Throws DataError.
std::vector<UtteranceFailure> read_failures(const std::filesystem::path& folder);

/// Adds to `table` what only summary.json knows: versions of the metrics, and the environment.
/// Whatever is not there stays as it is.
void read_versions(const std::filesystem::path& folder, ResultTable& table);

/// Writes table.md and summary.json of several runs into the folder that holds theirs.
/// `identities`: of the runs, in their order; `paths`: where they lie.
void write_runs(const std::filesystem::path& folder, const ResultTable& scores,
                const std::vector<Identity>& identities, const std::vector<std::string>& paths);

/// Throws ConfigError if the folder holds results of something else than of these runs, or of fewer
/// of them.
void require_own_runs_folder(const std::filesystem::path& folder,
                             const std::vector<Identity>& runs);

/// Throws ConfigError that names the differences, if there are any.
void refuse_other_results(const std::filesystem::path& folder,
                          const std::vector<std::string>& differences);

}  // namespace limbeck
