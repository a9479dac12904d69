#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "limbeck/core/log.h"
#include "limbeck/core/random.h"

namespace limbeck {

/// Rate of everything synthetic.
inline constexpr int kSyntheticRateHz = 16000;

/// Speech-like sound without meaning, by source and filter (after Klatt, JASA 67(3), 1980): glottal
/// pulses with melody, jitter and shimmer, and noise, through moving formants; words of random
/// syllables with pauses between. `speaker` decides pitch, vocal tract and voice, `utterance` what
/// is said. Active level −26 dBFS. The same keys give the same samples (to the last bit with the
/// same C library).
std::vector<float> synthetic_speech(SeedKey speaker, SeedKey utterance, int64_t samples);

/// Names of the noises, sorted.
const std::vector<std::string>& synthetic_noise_kinds();

/// A noise of RMS level −26 dBFS (less where it would exceed full scale). Throws ConfigError for an
/// unknown kind.
std::vector<float> synthetic_noise(std::string_view kind, SeedKey key, int64_t samples);

struct SyntheticOptions {
  std::filesystem::path out;
  double minutes = 10;    ///< of clean speech; there is half as much noise
  int64_t speakers = 32;  ///< at least 4
  int64_t seed = 1;
  int64_t threads = 0;  ///< 0: as many as there are cores
};

/// Makes a corpus laid out as a recorded one:
///
///     out/clean/<speaker>/*.flac   out/noise/<kind>/*.flac   out/vbd_test/{clean,noisy}/*.flac
///     out/manifest.csv             columns file,split,label
///
/// Speakers and kinds of noise are split, so that none of test occurs in train; the pairs in
/// vbd_test are of test speakers and test noises at −2.5, 2.5, 7.5 and 12.5 dB. The folder appears
/// when it is complete. Throws ConfigError if it exists and is not empty or an option is out of
/// range.
void make_synthetic_corpus(const SyntheticOptions& options, Logger& logger);

}  // namespace limbeck
