#pragma once

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include <cstdint>
#include <string>
#include <vector>

#include "limbeck/config/schema.h"

// Legend: T frame, F bin or band.

namespace limbeck::nn {

/// Lower bins kept as they are, the rest merged into bands of equal width on the ERB scale
/// (Glasberg and Moore, 1990), as RNNoise (arXiv 1709.08243) and GTCRN (ICASSP 2024) do.
struct BandOptions {
  int64_t kept = 0;
  int64_t merged = 0;  ///< 0: every bin is a band of its own

  void describe(config::Visitor& v);
};

/// The bins of a transform without its Nyquist bin, and the bands that a network sees of them.
struct BandGrid {
  BandOptions bands;
  int64_t bins = 256;  ///< N
  double bin_hz = 31.25;

  int64_t size() const { return bands.merged > 0 ? bands.kept + bands.merged : bins; }
  /// Centres of the merged bands in bins, ascending from `kept` to N − 1.
  std::vector<double> centres() const;
  /// Edges of the cells that convolutions of odd kernels, padded by half of them, leave of the
  /// bands when their strides multiply to `stride`: cell f is centred on band f · stride and
  /// reaches half a stride to either side, so the first edge lies below 0 Hz. A bin b stands at b ·
  /// bin_hz; between bands, and beyond them, frequencies go in straight lines. size() / stride + 1.
  std::vector<double> edges_hz(int64_t stride) const;
  /// Empty if the bands fit the bins, else what is wrong.
  std::string problem() const;
};

/// Fixed triangular filters, linear over the bins between the centres of neighbouring bands: they
/// sum to 1 in each bin. Identity without merged bands.
class BandsImpl : public torch::nn::Module {
 public:
  explicit BandsImpl(const BandGrid& grid);
  /// Means over the bins of each band: [..., N] → [..., size()].
  at::Tensor merge(const at::Tensor& bins) const;
  /// Interpolation between the centres: [..., size()] → [..., N]. A constant stays the same.
  /// `with_nyquist`: [..., N + 1], the last bin twice.
  at::Tensor split(const at::Tensor& bands, bool with_nyquist = false) const;

 private:
  BandGrid grid_;
  at::Tensor merge_;  // [N − kept, merged]
  at::Tensor split_;  // [merged, N − kept]
};
TORCH_MODULE(Bands);

}  // namespace limbeck::nn
