#pragma once

#include <cstdio>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "limbeck/eval/result_table.h"
#include "limbeck/run/identity.h"

namespace limbeck {

/// What came of one utterance.
struct Outcome {
  std::optional<UtteranceScores> row;
  std::vector<UtteranceFailure> failures;
};

/// What a journal is of. Only work that is the same in all but the environment is gone on with.
struct JournalHead {
  Identity identity;
  std::vector<Metric> metrics;
  bool audio = false;  ///< what the model makes is kept, too
  Environment environment = {};
};

/// Keeps every outcome as soon as it is known in `folder`/scored.jsonl, so that an interrupted
/// evaluation goes on. The first line says what of; a file of something else starts anew, and a
/// line that was cut off is as if it were not there.
class Journal {
 public:
  /// Throws DataError if the file cannot be written.
  Journal(const std::filesystem::path& folder, const JournalHead& head);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  /// What earlier calls left, by id.
  const std::map<std::string, Outcome>& known() const { return known_; }
  /// On what all of it is scored, together with what is added by now.
  const Environment& environment() const { return environment_; }
  /// Safe to call from many threads.
  void add(const std::string& id, const Outcome& outcome);

 private:
  std::filesystem::path path_;
  std::map<std::string, Outcome> known_;
  Environment environment_;
  std::mutex mutex_;
  std::FILE* file_ = nullptr;
};

/// What the journal in a folder is of; nothing if there is none, or none with an outcome.
std::optional<Identity> journal_identity(const std::filesystem::path& folder);

/// Removes the journal once the results are written.
void remove_journal(const std::filesystem::path& folder);

}  // namespace limbeck
