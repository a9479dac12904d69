#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "limbeck/audio/waveform.h"
#include "limbeck/eval/job.h"

namespace limbeck {

/// The part of two signals that is scored: `count` samples from each start.
struct Overlap {
  size_t clean_start = 0;
  size_t other_start = 0;
  size_t count = 0;

  /// Samples of the longer signal that are left out.
  int64_t cut(const Waveform& clean, const Waveform& other) const {
    return std::max(clean.size(), other.size()) - static_cast<int64_t>(count);
  }
  /// Samples that `other` comes late.
  int64_t lag() const {
    return static_cast<int64_t>(other_start) - static_cast<int64_t>(clean_start);
  }
  std::span<const float> of_clean(const Waveform& clean) const {
    return std::span(clean.samples).subspan(clean_start, count);
  }
  std::span<const float> of_other(const Waveform& other) const {
    return std::span(other.samples).subspan(other_start, count);
  }
};

/// Decodes the chosen channel of a file, checks it against the manifest's hash where there is one,
/// and brings it to `resample_hz`. Throws DataError naming the file.
Waveform read_for_scoring(const AudioFile& file, const FitOptions& options);

/// Samples that it makes of the noisy side of each item, going by the manifest.
std::vector<int64_t> noisy_lengths(const std::vector<EvaluationItem>& items,
                                   const FitOptions& options);

/// Where both signals are compared. Lengths may differ by a hop of 16 ms, as systems differ that
/// drop or fill the last frame: then the longer one is cut. With `align` they may differ by
/// anything, and `other` is shifted, by 1 s at most. Throws DataError, starting with `name`:
/// another rate, lengths too different, nothing in common to align.
Overlap fit(const Waveform& clean, const Waveform& other, const std::string& name,
            const FitOptions& options);

}  // namespace limbeck
