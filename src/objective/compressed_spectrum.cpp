#include "objective/compressed_spectrum.h"

#include <torch/types.h>

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
  struct Parts {
    at::Tensor complex;    // [B, T, F, 2]
    at::Tensor magnitude;  // [B, T, F]
  };
  const auto compress = [&](const at::Tensor& signal) {
    const auto spectrum = at::view_as_real(stft_(signal));
    // The floor of −120 dB keeps the slope of the power finite.
    const auto power = spectrum.square().sum(-1).add(1e-12);
    const auto magnitude = power.pow(options_.power / 2);
    return Parts{spectrum * (magnitude * power.rsqrt()).unsqueeze(-1), magnitude};
  };
  const bool padded = input.mask.defined();
  const auto estimate = compress(padded ? input.estimate * input.mask : input.estimate);
  const auto clean = compress(padded ? input.clean * input.mask : input.clean);
  const auto magnitude_part = (estimate.magnitude - clean.magnitude).square();    // [B, T, F]
  const auto complex_part = (estimate.complex - clean.complex).square().sum(-1);  // [B, T, F]
  const auto frames =
      at::lerp(magnitude_part, complex_part, options_.complex_weight).mean(-1);  // [B, T]
  if (!padded) return frames.mean();
  // A frame counts if any of its samples holds signal, as it would if the item stood alone.
  const int64_t window = options_.stft.window_samples;
  const int64_t hop = options_.stft.hop_samples;
  const auto valid =
      at::constant_pad_nd(input.mask, {window - hop, frames.size(1) * hop - input.mask.size(1)})
          .unfold(1, window, hop)
          .amax(-1);  // [B, T]
  return ((frames * valid).sum(-1) / valid.sum(-1).clamp_min(1)).mean();
}

}  // namespace limbeck::objective
