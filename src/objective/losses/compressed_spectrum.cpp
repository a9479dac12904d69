#include <torch/types.h>

#include "limbeck/objective/loss.h"
#include "objective/losses/spectral_distance.h"

namespace limbeck::objective {
namespace {

struct CompressedSpectrumOptions : config::Component<CompressedSpectrumOptions> {
  SpectralDistanceOptions spectra;
  void describe(config::Visitor& v) override { spectra.describe(v); }
};

/// Mean over bins and frames of (1 − β) (|S|^p − |Ŝ|^p)² + β |S|^p-compressed complex difference²
/// (Braun and Tashev, arXiv 2008.06412, section 3, without their level normalisation).
class CompressedSpectrum : public Loss {
 public:
  explicit CompressedSpectrum(const CompressedSpectrumOptions& options)
      : options_(options.spectra), stft_(register_module("stft", Stft(options_.stft))) {}

 private:
  at::Tensor compute(const LossInput& input) override {
    const bool padded = input.mask.defined();
    const auto spectra = [&](const at::Tensor& signal) {
      return compress(stft_, padded ? signal * input.mask : signal, options_.power);
    };
    const auto frames =
        spectral_distance(spectra(input.estimate), spectra(input.clean), options_.complex_weight)
            .mean(-1);  // [B, T]
    if (!padded) return frames.mean();
    const auto valid = signal_frames(input.mask, options_.stft, frames.size(1));  // [B, T]
    return ((frames * valid).sum(-1) / valid.sum(-1).clamp_min(1)).mean();
  }

  SpectralDistanceOptions options_;
  Stft stft_;
};

}  // namespace

void add_compressed_spectrum(LossRegistry& registry) {
  registry.add<CompressedSpectrum, CompressedSpectrumOptions>(
      "compressed_spectrum", "power-compressed magnitude and complex spectra, squared difference");
}

}  // namespace limbeck::objective
