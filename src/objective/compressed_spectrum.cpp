#include "objective/compressed_spectrum.h"

#include <torch/types.h>

#include "objective/spectral_distance.h"

namespace limbeck::objective {

void CompressedSpectrumOptions::describe(config::Visitor& v) {
  v.value("power", power, "exponent on the magnitudes", config::between(0.05, 1));
  v.value("complex_weight", complex_weight,
          "share of the complex part; the rest is the magnitude part", config::between(0, 1));
  v.section("stft", stft, "frames of the spectra that are compared");
}

CompressedSpectrum::CompressedSpectrum(const CompressedSpectrumOptions& options)
    : options_(options), stft_(register_module("stft", Stft(options.stft))) {}

at::Tensor CompressedSpectrum::forward(const LossInput& input) {
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

}  // namespace limbeck::objective
