#pragma once

#include <optional>
#include <string>
#include <vector>

#include "limbeck/data/selection.h"

namespace limbeck {

/// What a model was trained on, so that any test set can be held against it later, wherever the
/// files lie by then. A run keeps it in `data.json`.
struct TrainingRecord {
  std::string source;
  std::string protocol;       ///< name; empty: bare manifests
  std::string protocol_hash;  ///< `Protocol::content_hash`
  std::vector<std::string> notes;
  std::vector<Fingerprint> train, valid;  ///< of all sets that are validated on
  /// What its teacher was trained and validated on, and the teacher's own teacher, beyond these.
  std::vector<Fingerprint> teacher;
  bool teacher_unknown = false;  ///< there was a teacher of which nothing is known

  TrainingRecord() = default;
  explicit TrainingRecord(const DataSelection& data);

  /// Takes over what the teacher saw, and its notes; or notes that nothing is known of it.
  void inherit(const std::optional<TrainingRecord>& of_teacher);

  /// Files of `train` in `valid`. (Speakers may be shared: that makes validation easier, not the
  /// result.)
  std::vector<Leak> leaks_within() const;

  /// Files and speakers of `test` in all that was seen.
  std::vector<Leak> leaks_into(const std::vector<Fingerprint>& test) const;

  /// All leaks of a data set that is trained on.
  std::vector<Leak> leaks(const DataSelection& data) const;

  /// As JSON; what is no UTF-8 is replaced.
  std::string text() const;
  /// Throws DataError, which starts with `source_name`.
  static TrainingRecord parse(const std::string& text, const std::string& source_name);
};

/// Holds valid and test of `data` against all that the record says was seen. Throws DataError that
/// lists the leaks, or notes in the record what was allowed.
void refuse_leaks(TrainingRecord& record, const DataSelection& data, bool allowed, Logger& logger);

/// The same for a protocol that is being locked.
void refuse_leaks(Protocol& protocol, bool allowed, Logger& logger);

/// Holds a set against what a model (`whose`, for messages) was trained on, or says that nothing is
/// known of it. Returns what has to be said of the model's results on the set. Throws DataError
/// that lists the leaks, unless they are allowed.
std::vector<std::string> notes_on(const TestSet& set, const std::string& whose,
                                  const std::optional<TrainingRecord>& record, bool allow_leak,
                                  Logger& logger);

}  // namespace limbeck
