#include "objective/losses/compressed_spectrum.h"

#include <torch/types.h>

namespace limbeck::objective {

CompressedSpectrum::CompressedSpectrum(const CompressedSpectrumOptions& options)
    : options_(options.spectra), stft_(register_module("stft", Stft(options_.stft))) {}

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
