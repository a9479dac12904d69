#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "limbeck/data/training_record.h"
#include "limbeck/run/identity.h"

namespace limbeck {

/// A trained network that somebody named.
struct TrainedModel {
  std::filesystem::path file;
  std::string hash;                      ///< of the file: stands for its weights and options
  std::optional<Identity> identity;      ///< of the run that made it, where that is known
  std::optional<TrainingRecord> record;  ///< what it was trained on, where that is known
  int64_t skipped = 0;                   ///< `RunView::skipped` of the run that it lies in
  std::vector<std::string> warnings;     ///< newer checkpoints that were passed over for it
};

/// Finds what `path` names: a run folder, whose `which` ("best" or "last") checkpoint is taken, a
/// checkpoint folder, or a model file. Identity and record of the run are looked for in the run
/// that the file lies in, or else beside it. Throws CheckpointError: nothing of that kind is there,
/// or what its manifest says of the file is not so; DataError: the record cannot be understood, or
/// something is there and cannot be read.
TrainedModel find_model(const std::filesystem::path& path, const std::string& which);

/// The file's bytes. Throws ConfigError, which starts with the option `key` that named it, where
/// they are no longer those that were found.
std::string read_found(const TrainedModel& model, const std::string& key);

}  // namespace limbeck
