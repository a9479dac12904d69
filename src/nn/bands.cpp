#include "nn/bands.h"

#include <torch/types.h>

#include <algorithm>
#include <cmath>

#include "limbeck/core/format.h"

namespace limbeck::nn {
namespace {

/// Equivalent rectangular bandwidths below a frequency, and its inverse.
double erb(double hz) { return 21.4 * std::log10(1 + 0.00437 * hz); }
double erb_to_hz(double value) { return (std::pow(10.0, value / 21.4) - 1) / 0.00437; }

}  // namespace

void BandOptions::describe(config::Visitor& v) {
  v.value("kept", kept, "lower bins that stay as they are", config::between(0, 8192));
  v.value("merged", merged, "bands that the bins above are merged into; 0: none are merged",
          config::between(0, 8192));
  v.require(merged == 0 ? kept == 0 : kept >= 1 && merged >= 2, "merged",
            "needs kept of at least 1 and merged of at least 2, or both 0");
}

std::vector<double> BandGrid::centres() const {
  std::vector<double> all;
  const double low = erb(static_cast<double>(bands.kept) * bin_hz);
  const double high = erb(static_cast<double>(bins - 1) * bin_hz);
  for (int64_t j = 0; j < bands.merged; ++j) {
    const double share = static_cast<double>(j) / static_cast<double>(bands.merged - 1);
    all.push_back(erb_to_hz(low + share * (high - low)) / bin_hz);
  }
  if (!all.empty()) {  // exact, whatever the logarithm rounds
    all.front() = static_cast<double>(bands.kept);
    all.back() = static_cast<double>(bins - 1);
  }
  return all;
}

std::vector<double> BandGrid::edges_hz(int64_t stride) const {
  std::vector<double> stands;  // of each band, in bins
  for (int64_t b = 0; b < (bands.merged > 0 ? bands.kept : bins); ++b) {
    stands.push_back(static_cast<double>(b));
  }
  const auto merged = centres();
  stands.insert(stands.end(), merged.begin(), merged.end());
  const auto last = static_cast<double>(stands.size() - 2);
  std::vector<double> edges;
  for (int64_t f = 0; f <= size() / stride; ++f) {
    const double band = (static_cast<double>(f) - 0.5) * static_cast<double>(stride);
    const double below = std::clamp(std::floor(band), 0.0, last);
    const auto i = static_cast<size_t>(below);
    edges.push_back((stands[i] + (band - below) * (stands[i + 1] - stands[i])) * bin_hz);
  }
  return edges;
}

std::string BandGrid::problem() const {
  if (bands.merged < 2) return "";  // of one, their section says so
  if (bands.kept + bands.merged > bins) {
    return format("%d kept and %d merged bands are more than the %d bins of the transform",
                  bands.kept, bands.merged, bins);
  }
  const auto c = centres();
  if (c[1] - c[0] < 1) {
    return format(
        "%d bands above bin %d are narrower than a bin (%.2f): merge into fewer, or "
        "keep more",
        bands.merged, bands.kept, c[1] - c[0]);
  }
  return "";
}

BandsImpl::BandsImpl(const BandGrid& grid) : grid_(grid) {
  if (grid.bands.merged == 0) return;
  const auto c = grid.centres();
  const int64_t upper = grid.bins - grid.bands.kept;
  auto split = torch::zeros({grid.bands.merged, upper}, torch::kDouble);
  auto s = split.accessor<double, 2>();
  size_t j = 0;  // the band whose centre lies at or below the bin
  for (int64_t i = 0; i < upper; ++i) {
    const auto bin = static_cast<double>(grid.bands.kept + i);
    while (j + 2 < c.size() && c[j + 1] <= bin) ++j;
    const double share = (bin - c[j]) / (c[j + 1] - c[j]);
    s[static_cast<int64_t>(j)][i] = 1 - share;
    s[static_cast<int64_t>(j) + 1][i] = share;
  }
  split_ = register_buffer("split", split.to(torch::kFloat));
  merge_ =
      register_buffer("merge", (split / split.sum(1, true)).t().contiguous().to(torch::kFloat));
}

at::Tensor BandsImpl::merge(const at::Tensor& bins) const {
  if (!merge_.defined()) return bins;
  const int64_t kept = grid_.bands.kept;
  return at::cat(
      {bins.narrow(-1, 0, kept), at::matmul(bins.narrow(-1, kept, grid_.bins - kept), merge_)}, -1);
}

at::Tensor BandsImpl::split(const at::Tensor& bands, bool with_nyquist) const {
  std::vector<at::Tensor> pieces = {bands};
  if (split_.defined()) {
    const int64_t kept = grid_.bands.kept;
    pieces = {bands.narrow(-1, 0, kept),
              at::matmul(bands.narrow(-1, kept, grid_.bands.merged), split_)};
  }
  if (with_nyquist) pieces.push_back(pieces.back().narrow(-1, pieces.back().size(-1) - 1, 1));
  return pieces.size() == 1 ? bands : at::cat(pieces, -1);
}

}  // namespace limbeck::nn
