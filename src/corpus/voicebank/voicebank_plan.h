#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "corpus/voicebank/audio_collection.h"
#include "limbeck/core/log.h"
#include "limbeck/corpus/voicebank_demand.h"

namespace limbeck {

/// What a log file says of an utterance.
struct LoggedMixture {
  std::string noise;
  std::string snr_db;

  bool operator==(const LoggedMixture&) const = default;
};

/// Lines of "p226_001 babble 10", by utterance. Separators, order of the last two and an extension
/// of the first do not matter; lines that are something else are warned of.
std::map<std::string, LoggedMixture> parse_mixture_log(const TextFile& log, Logger& logger);

struct PlannedPair {
  std::string id;
  std::string speaker;
  Split split = Split::train;
  const AudioCollection* clean = nullptr;
  const AudioCollection* noisy = nullptr;
  LoggedMixture mixture;
};

/// What there is to convert, found without decoding anything.
struct VoiceBankPlan {
  std::vector<std::unique_ptr<AudioCollection>> collections;
  std::vector<PlannedPair> pairs;   ///< by split, then by id
  std::vector<std::string> faults;  ///< what is missing or too much, one text each
  std::vector<Problem> problems;    ///< zip files and folders that cannot be read
};

VoiceBankPlan plan_voicebank(const std::filesystem::path& source, Logger& logger);

/// "train 120 of 10802, valid 0 of 770, test 25 of 824", or "" if all are there.
std::string partial_note(const std::map<Split, int64_t>& counts);

}  // namespace limbeck
