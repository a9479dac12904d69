#pragma once

#include <cstdio>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "limbeck/eval/evaluator.h"

namespace limbeck {

/// What came of one utterance.
struct Outcome {
  std::optional<UtteranceScores> row;
  std::vector<UtteranceFailure> failures;
};

/// Keeps every outcome as soon as it is known in `folder`/scored.jsonl, so that an interrupted
/// evaluation goes on. The first line holds `about`; a file about something else starts anew, and a
/// line that was cut off is as if it were not there.
class Journal {
 public:
  /// Throws DataError if the file cannot be written.
  Journal(const std::filesystem::path& folder, const std::string& about);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  /// What earlier calls left, by id.
  const std::map<std::string, Outcome>& known() const { return known_; }
  /// Safe to call from many threads.
  void add(const std::string& id, const Outcome& outcome);

 private:
  std::filesystem::path path_;
  std::map<std::string, Outcome> known_;
  std::mutex mutex_;
  std::FILE* file_ = nullptr;
};

/// Removes the journal once the results are written.
void remove_journal(const std::filesystem::path& folder);

}  // namespace limbeck
