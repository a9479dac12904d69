#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "limbeck/core/log.h"
#include "limbeck/corpus/prepare.h"
#include "limbeck/data/manifest.h"
#include "limbeck/data/protocol.h"

namespace limbeck {

/// VoiceBank-DEMAND, the 28-speaker set of Valentini-Botinhao (2017, doi:10.7488/ds/2117): pairs at
/// 48 kHz, whose 11,572 training pairs are split here by speaker, as most papers do.
inline constexpr char kVoiceBankName[] = "voicebank-demand";
inline constexpr int kVoiceBankSourceHz = 48000;
inline constexpr int kVoiceBankHz = 16000;

/// Number of pairs in a split of the whole set: 10802, 770, 824.
int64_t voicebank_count(Split split);

/// False for a speaker that the set does not have. p226 and p287 are valid, p232 and p257 are test,
/// 26 others train.
bool voicebank_split(const std::string& speaker, Split& split);

/// What is wrong with the entries as those of the whole set, or of a part of it: counts, speakers.
/// One text for each fault.
std::vector<std::string> check_voicebank(const Protocol& protocol,
                                         const std::vector<ManifestEntry>& entries);

struct VoiceBankOptions {
  /// At 48 kHz, or all converted to 16 kHz before. Holds clean_trainset_28spk_wav,
  /// noisy_trainset_28spk_wav, clean_testset_wav, noisy_testset_wav and, if at hand, logfiles: as
  /// zip files or as folders, here or one folder down.
  std::filesystem::path source;
  std::filesystem::path out;
  bool allow_partial = false;  ///< take what is there
  int64_t threads = 0;         ///< 0: as many as there are cores
};

struct VoiceBankReport {
  /// A file of which samples had to be clipped.
  struct Clipped {
    std::filesystem::path file;
    int64_t samples = 0;
  };

  std::vector<Manifest> manifests;  ///< of the splits that have a pair; `path` is set
  std::vector<Problem> problems;    ///< files that could not be taken, in failures.csv too
  std::vector<Clipped> clipped;
  int64_t converted = 0;  ///< pairs that this call wrote
  int64_t kept = 0;       ///< pairs that an earlier call had written
  int source_hz = 0;      ///< of what was read
  bool locked = false;    ///< protocol.yaml was written
  std::string partial;    ///< note of the protocol, if it is one of a part
};

/// Makes, at 16 kHz, by `resample`, as 16-bit FLAC without dither,
///
///     out/{train,valid,test}/{clean,noisy}/<original name>.flac
///     out/{train,valid,test}.csv   pairs, with the columns noise and snr_db of the log files, and
///                                  clean_clipped and noisy_clipped; those of manifests where
///                                  sides differ in length, as in prepare_pairs
///     out/protocol.yaml            if all pairs are there, or a part is allowed
///     out/failures.csv             file,reason; if there are any
///
/// Copies that are at 16 kHz already are taken over sample by sample, and the protocol's note,
/// which stands under every table, says so: others convert otherwise, and its hashes differ, too.
/// It says as well how many pairs are of unequal lengths.
///
/// Called again, it keeps the files that are whole (by out/journal.csv: the original is the one
/// that was converted, and the file has the size that was written) and makes the others.
///
/// Throws DataError that lists what is missing or too much, unless `allow_partial`; DataError if
/// nothing could be taken, or `out` holds pairs that `source` does not have; Interrupted.
VoiceBankReport prepare_voicebank_demand(const VoiceBankOptions& options, Logger& logger);

}  // namespace limbeck
