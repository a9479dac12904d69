#include "limbeck/nn/stft.h"

#include <torch/types.h>

#include <cmath>
#include <numbers>

namespace limbeck {

void StftOptions::describe(config::Visitor& v) {
  v.value("window_samples", window_samples, "length of the analysis and synthesis window",
          config::between(16, 16384));
  v.value("hop_samples", hop_samples, "step between frames; divides window_samples",
          config::between(8, 8192));
  v.value("fft_samples", fft_samples, "transform length; at least the window, zero-padded",
          config::between(16, 16384));
  v.value("window", window, "window shape, periodic", config::one_of({"sqrt_hann", "hann"}));
  v.require(hop_samples > 0 && window_samples % hop_samples == 0 && window_samples > hop_samples,
            "hop_samples", "must divide window_samples and be smaller");
  v.require(fft_samples >= window_samples && fft_samples % 2 == 0, "fft_samples",
            "must be even and at least window_samples");
}

int64_t StftOptions::frames(int64_t samples) const {
  return (samples + hop_samples - 1) / hop_samples + window_samples / hop_samples - 1;
}

StftImpl::StftImpl(const StftOptions& options) : options_(options) {
  const int64_t size = options.window_samples;
  const int64_t hop = options.hop_samples;
  std::vector<double> window(static_cast<size_t>(size));
  std::vector<double> overlap(static_cast<size_t>(hop), 0.0);
  for (int64_t n = 0; n < size; ++n) {
    const double hann = 0.5 - 0.5 * std::cos(2 * std::numbers::pi * static_cast<double>(n) /
                                             static_cast<double>(size));
    const double value = options.window == "hann" ? hann : std::sqrt(hann);
    window[static_cast<size_t>(n)] = value;
    overlap[static_cast<size_t>(n % hop)] += value * value;
  }
  auto analysis = torch::empty({size}, torch::kDouble);
  auto synthesis = torch::empty({size}, torch::kDouble);
  for (int64_t n = 0; n < size; ++n) {
    analysis.data_ptr<double>()[n] = window[static_cast<size_t>(n)];
    synthesis.data_ptr<double>()[n] =
        window[static_cast<size_t>(n)] / overlap[static_cast<size_t>(n % hop)];
  }
  analysis_window_ = register_buffer("analysis_window", analysis.to(torch::kFloat));
  synthesis_window_ = register_buffer("synthesis_window", synthesis.to(torch::kFloat));
}

at::Tensor StftImpl::forward(const at::Tensor& signal) const {
  TORCH_CHECK(signal.dim() == 2, "Stft: expected [B, L], got ", signal.sizes());
  const int64_t window = options_.window_samples;
  const int64_t hop = options_.hop_samples;
  const int64_t samples = signal.size(1);
  const int64_t total = (options_.frames(samples) - 1) * hop + window;
  const auto padded = at::constant_pad_nd(signal, {window - hop, total - (window - hop) - samples});
  return analyse(padded.unfold(1, window, hop));
}

at::Tensor StftImpl::analyse(const at::Tensor& frames) const {
  return at::fft_rfft(frames * analysis_window_, options_.fft_samples);
}

at::Tensor StftImpl::synthesise(const at::Tensor& spectrum) const {
  return at::fft_irfft(spectrum, options_.fft_samples).narrow(2, 0, options_.window_samples) *
         synthesis_window_;
}

at::Tensor StftImpl::inverse(const at::Tensor& spectrum, int64_t samples) const {
  TORCH_CHECK(spectrum.dim() == 3 && spectrum.size(2) == options_.bins() &&
                  spectrum.size(1) == options_.frames(samples),
              "Stft: expected [B, ", options_.frames(samples), ", ", options_.bins(), "], got ",
              spectrum.sizes());
  const int64_t hop = options_.hop_samples;
  const int64_t pieces = options_.window_samples / hop;
  const int64_t blocks = spectrum.size(1) - pieces + 1;
  const auto frames = synthesise(spectrum).unflatten(2, {pieces, hop});  // [B, T, piece, hop]
  // Piece j of frame t lies in block t + j − (pieces − 1).
  at::Tensor sum;  // [B, block, hop]
  for (int64_t j = 0; j < pieces; ++j) {
    const auto part = frames.select(2, j).narrow(1, pieces - 1 - j, blocks);
    sum = j == 0 ? part : sum + part;
  }
  return sum.flatten(1).narrow(1, 0, samples);
}

}  // namespace limbeck
