#pragma once

#include "limbeck/audio/stft.h"
#include "limbeck/objective/loss.h"

namespace limbeck::objective {

struct CompressedSpectrumOptions : config::Component<CompressedSpectrumOptions> {
  double power = 0.3;
  double complex_weight = 0.3;
  StftOptions stft;
  void describe(config::Visitor& v) override;
};

/// Mean over bins and frames of (1 − β) (|S|^p − |Ŝ|^p)² + β |S|^p-compressed complex difference²
/// (Braun and Tashev, arXiv 2008.06412, section 3, without their level normalisation).
class CompressedSpectrum : public Loss {
 public:
  explicit CompressedSpectrum(const CompressedSpectrumOptions& options);
  at::Tensor forward(const LossInput& input) override;

 private:
  CompressedSpectrumOptions options_;
  Stft stft_;
};

}  // namespace limbeck::objective
