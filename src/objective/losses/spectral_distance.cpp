#include "objective/losses/spectral_distance.h"

#include <torch/types.h>

namespace limbeck::objective {

void SpectralDistanceOptions::describe(config::Visitor& v) {
  v.value("power", power, "exponent on the magnitudes", config::between(0.05, 1));
  v.value("complex_weight", complex_weight,
          "share of the complex part; the rest is the magnitude part", config::between(0, 1));
  v.section("stft", stft, "frames of the spectra that are compared");
}

CompressedSpectra compress(const Stft& stft, const at::Tensor& signal, double power) {
  const auto spectrum = at::view_as_real(stft->forward(signal));
  const auto energy = spectrum.square().sum(-1).add(1e-12);
  const auto magnitude = energy.pow(power / 2);
  return {spectrum * (magnitude * energy.rsqrt()).unsqueeze(-1), magnitude};
}

at::Tensor spectral_distance(const CompressedSpectra& a, const CompressedSpectra& b,
                             double complex_weight) {
  return at::lerp((a.magnitude - b.magnitude).square(), (a.complex - b.complex).square().sum(-1),
                  complex_weight);
}

at::Tensor signal_frames(const at::Tensor& sample_mask, const StftOptions& stft, int64_t frames) {
  const int64_t window = stft.window_samples;
  const int64_t hop = stft.hop_samples;
  return at::constant_pad_nd(sample_mask, {window - hop, frames * hop - sample_mask.size(1)})
      .unfold(1, window, hop)
      .amax(-1);
}

}  // namespace limbeck::objective
