#pragma once

#include "limbeck/objective/loss.h"
#include "objective/losses/spectral_distance.h"

namespace limbeck::objective {

struct CompressedSpectrumOptions : config::Component<CompressedSpectrumOptions> {
  SpectralDistanceOptions spectra;
  void describe(config::Visitor& v) override { spectra.describe(v); }
};

/// Mean over bins and frames of (1 − β) (|S|^p − |Ŝ|^p)² + β |S|^p-compressed complex difference²
/// (Braun and Tashev, arXiv 2008.06412, section 3, without their level normalisation).
class CompressedSpectrum : public Loss {
 public:
  explicit CompressedSpectrum(const CompressedSpectrumOptions& options);
  at::Tensor forward(const LossInput& input) override;

 private:
  SpectralDistanceOptions options_;
  Stft stft_;
};

}  // namespace limbeck::objective
