#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "data/mixer.h"
#include "limbeck/config/schema.h"
#include "limbeck/data/mixture.h"

namespace limbeck {

/// Section `reverb:` of a source that mixes.
struct ReverbOptions {
  std::string responses;  ///< folder or manifest of impulse responses; empty: no reverberation
  double probability = 0.5;
  double early_ms = 50;

  void describe(config::Visitor& visitor);
};

/// What is drawn for a mixture; its keys stand among those of a source.
struct MixtureOptions {
  double snr_db_min = -5;
  double snr_db_max = 15;
  std::vector<double> snr_db_values;  ///< if any, one of them is drawn instead
  double level_dbfs_min = -35;
  double level_dbfs_max = -15;
  double level_probability = 1;
  ReverbOptions reverb;

  void describe(config::Visitor& visitor);
};

/// Speech and noise mixed when asked for. Item i is recording i of the speech, or the one whose
/// turn it is where corpora have shares. Its segment, the room, the noise recording and its
/// segment, the level of the speech and the SNR are drawn from the key, each from a stream of its
/// own. Level (in dBFS) and SNR are uniform in dB, or the SNR is one of a list; both are of the
/// speech as it is in the mixture, reverberation included, over its active parts (ITU-T P.56), and
/// the SNR against the RMS of the noise over the example.
///
/// - With a room, the clean side is the early part of the reverberant speech (see reverb.h).
/// - Noise shorter than the example is repeated from a drawn place on.
/// - A segment without speech or noise (see mix.h) is drawn again, at most 4 times. If none turns
///   up, speech is left as quiet as it is under noise of the level that it would have had, and
///   noise as it is; `Example::silent` says so.
/// - If a sample exceeds 0.99, speech and noise are scaled down by the same gain.
class MixtureDataset : public Dataset {
 public:
  /// Throws DataError if there is no speech or no noise.
  MixtureDataset(MixtureSources sources, int64_t segment_samples, ShortItems short_items,
                 const MixtureOptions& options, std::shared_ptr<const AudioStore> store);
  int64_t size() const override;
  int rate_hz() const override;
  int64_t segment_samples() const override { return segment_; }
  int64_t samples(int64_t index) const override;
  Example get(int64_t item, SeedKey key) const override;

 private:
  Turns speech_turns_;
  Turns noise_turns_;
  Mixer mixer_;
  int64_t segment_;
  ShortItems short_items_;
  MixtureOptions options_;
};

}  // namespace limbeck
