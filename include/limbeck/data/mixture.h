#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "limbeck/config/schema.h"
#include "limbeck/data/dataset.h"

namespace limbeck {

/// Ranges from which a mixture is drawn, uniformly in dB.
struct MixtureOptions {
  double snr_db_min = -5;
  double snr_db_max = 15;
  double level_dbfs_min = -35;
  double level_dbfs_max = -15;

  void describe(config::Visitor& visitor);
};

/// Speech and noise mixed when asked for. Item i is recording i of the speech; its segment, the
/// noise recording and its segment, the level of the speech (over its active parts) and the SNR
/// (that level against the RMS of the noise, over the segment) are drawn from the key, each from a
/// stream of its own.
///
/// - Speech shorter than the segment stands at a drawn place in silence, and the noise goes on
/// around it.
/// - Noise shorter than the segment is repeated.
/// - A segment without speech or noise (see mix.h) is drawn again, at most 4 times. If none turns
/// up, speech
///   is left as quiet as it is under noise of the level that it would have had, and noise as it is.
/// - If a sample exceeds 0.99, speech and mixture are scaled down by the same gain.
class MixtureDataset : public Dataset {
 public:
  /// Throws DataError if one of the lists is empty.
  MixtureDataset(std::vector<ManifestEntry> speech, std::vector<ManifestEntry> noise,
                 int64_t segment_samples, const MixtureOptions& options,
                 std::shared_ptr<const AudioStore> store);
  int64_t size() const override;
  int64_t segment_samples() const override { return segment_; }
  Example get(int64_t index, SeedKey key) const override;

 private:
  std::vector<float> speech_segment(const ManifestEntry& entry, Random& random) const;
  std::vector<float> noise_segment(Random& random) const;

  std::vector<ManifestEntry> speech_;
  std::vector<ManifestEntry> noise_;
  int64_t segment_;
  MixtureOptions options_;
  std::shared_ptr<const AudioStore> store_;
};

}  // namespace limbeck
