#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "limbeck/eval/evaluator.h"

namespace limbeck {

struct Matched {
  std::vector<EvaluationItem> items;
  std::vector<UtteranceFailure> failures;  ///< files without a partner, or with several
};

/// Pairs the files below the folders that have the same path but for the extension, or else the
/// same bare name if only one file has it. `noisy` may be empty. Throws DataError for a folder that
/// does not exist or holds no audio.
Matched match_folders(const std::string& clean, const std::string& estimate,
                      const std::string& noisy);

/// The same for the ids of a manifest of pairs, which names the clean and noisy files.
Matched match_manifest(const Manifest& manifest, const std::string& estimate);

/// Hash of the names, sizes and times of all files of the items: another one where a file was
/// changed.
std::string files_stamp(const std::vector<EvaluationItem>& items);

}  // namespace limbeck
