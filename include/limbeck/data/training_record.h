#pragma once

#include <filesystem>
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
  std::vector<Fingerprint> train, valid;
  /// What its teacher was trained and validated on, and the teacher's own teacher, beyond these.
  std::vector<Fingerprint> teacher;
  bool teacher_unknown = false;  ///< there was a teacher of which nothing is known

  TrainingRecord() = default;
  explicit TrainingRecord(const DataSelection& data);

  /// Takes over what the teacher saw, and its notes.
  void inherit(const TrainingRecord& teacher_record);

  /// Files of `train` in `valid`. (Speakers may be shared: that makes validation easier, not the
  /// result.)
  std::vector<Leak> leaks_within() const;

  /// Files and speakers of `test` in all that was seen.
  std::vector<Leak> leaks_into(const std::vector<Fingerprint>& test) const;

  /// All leaks of a data set that is trained on.
  std::vector<Leak> leaks(const DataSelection& data) const;

  /// Same files in the same order in training and validation.
  bool same_data(const TrainingRecord& other) const;

  /// As JSON; what is no UTF-8 is replaced.
  std::string text() const;
  /// Throws DataError, which starts with `source_name`.
  static TrainingRecord parse(const std::string& text, const std::string& source_name);

  /// The record of the run that a model file lies in, or that lies beside the file; nothing if
  /// there is none. Throws DataError if it cannot be understood.
  static std::optional<TrainingRecord> of_model(const std::filesystem::path& model_file);
};

/// The same for a protocol that is being locked: throws DataError, or notes in it what was allowed.
void refuse_leaks(Protocol& protocol, bool allowed, Logger& logger);

}  // namespace limbeck
