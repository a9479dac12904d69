#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "limbeck/eval/job.h"

namespace limbeck {

struct Matched {
  std::vector<EvaluationItem> items;
  std::vector<UtteranceFailure> failures;  ///< files without a partner, or with several
  /// Which Naming would give more than half of the estimates without a partner one; empty: none.
  std::string hint;
};

/// Pairs the files below the folders that have the same path but for the extension, or else the
/// same bare name if only one file on either side has it: a file that several could claim by its
/// name is nobody's. `noisy` may be empty. Throws DataError for a folder that
/// does not exist or holds no audio, or for estimates none of which is named so. `logger` is told
/// what of the folders is passed over (find_audio).
Matched match_folders(const std::string& clean, const std::string& estimate,
                      const std::string& noisy, const Naming& naming = {},
                      Logger* logger = nullptr);

/// The same for the ids of a manifest of pairs, which names the clean and noisy files.
Matched match_manifest(const Manifest& manifest, const std::string& estimate,
                       const Naming& naming = {}, Logger* logger = nullptr);

/// Pairs of a manifest, with what its columns `snr_db` and `noise` say. Throws DataError for a
/// manifest of recordings.
std::vector<EvaluationItem> items_of(const Manifest& manifest);

/// Hash of the ids and of what the files of one side hold, wherever they lie.
std::string content_of(const std::vector<EvaluationItem>& items, AudioFile EvaluationItem::* side);

}  // namespace limbeck
