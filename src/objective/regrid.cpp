#include "objective/regrid.h"

#include <torch/types.h>

#include <algorithm>
#include <cmath>

namespace limbeck::objective {
namespace {

/// Frame t owns the time from half a hop before its centre to half a hop after.
std::vector<double> frame_edges(const nn::TapInfo& grid, int64_t frames) {
  std::vector<double> edges;
  for (int64_t t = 0; t <= frames; ++t) {
    edges.push_back(grid.first_centre_seconds + (static_cast<double>(t) - 0.5) * grid.hop_seconds);
  }
  return edges;
}

bool same(double a, double b) { return std::abs(a - b) <= 1e-9 * std::max(std::abs(a), 1.0); }

bool same(const std::vector<double>& a, const std::vector<double>& b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](double x, double y) { return same(x, y); });
}

}  // namespace

at::Tensor area_weights(const std::vector<double>& from_edges,
                        const std::vector<double>& to_edges) {
  const size_t from = from_edges.size() - 1;
  const size_t to = to_edges.size() - 1;
  auto weights =
      torch::zeros({static_cast<int64_t>(from), static_cast<int64_t>(to)}, torch::kDouble);
  auto w = weights.accessor<double, 2>();
  for (size_t j = 0; j < to; ++j) {
    double total = 0;
    size_t nearest = 0;
    double nearest_distance = INFINITY;
    const double centre = 0.5 * (to_edges[j] + to_edges[j + 1]);
    for (size_t i = 0; i < from; ++i) {
      const double overlap =
          std::min(from_edges[i + 1], to_edges[j + 1]) - std::max(from_edges[i], to_edges[j]);
      if (overlap > 0) {
        w[static_cast<int64_t>(i)][static_cast<int64_t>(j)] = overlap;
        total += overlap;
      }
      const double distance = std::abs(0.5 * (from_edges[i] + from_edges[i + 1]) - centre);
      if (distance < nearest_distance) {
        nearest_distance = distance;
        nearest = i;
      }
    }
    if (total > 0) {
      for (size_t i = 0; i < from; ++i)
        w[static_cast<int64_t>(i)][static_cast<int64_t>(j)] /= total;
    } else {
      w[static_cast<int64_t>(nearest)][static_cast<int64_t>(j)] = 1;
    }
  }
  return weights;
}

Regridder::Regridder(nn::TapInfo from, nn::TapInfo to)
    : from_(std::move(from)), to_(std::move(to)) {
  if (!same(from_.band_edges_hz, to_.band_edges_hz))
    bin_weights_ = area_weights(from_.band_edges_hz, to_.band_edges_hz);
}

at::Tensor Regridder::operator()(const at::Tensor& feature, int64_t to_frames,
                                 const at::Tensor& frame_mask) {
  at::Tensor x = feature;  // [B, C, T, F]
  if (bin_weights_.defined()) {
    bin_weights_ = bin_weights_.to(x.options(), /*non_blocking=*/true);
    x = at::matmul(x, bin_weights_);
  }
  return frames(x, to_frames, frame_mask);
}

at::Tensor Regridder::frames(const at::Tensor& x, int64_t to_frames, const at::Tensor& frame_mask) {
  const int64_t from_frames = x.size(2);
  if (same(from_.hop_seconds, to_.hop_seconds) &&
      same(from_.first_centre_seconds, to_.first_centre_seconds) && from_frames == to_frames)
    return x;
  if (!frame_weights_.defined() || frame_weights_.size(0) != from_frames ||
      frame_weights_.size(1) != to_frames) {
    frame_weights_ = area_weights(frame_edges(from_, from_frames), frame_edges(to_, to_frames));
  }
  frame_weights_ = frame_weights_.to(x.options(), /*non_blocking=*/true);  // [T, T']
  if (!frame_mask.defined()) return at::matmul(frame_weights_.t(), x);

  const auto mask = frame_mask.to(x.dtype());  // [B, T]
  const auto sums = at::matmul(frame_weights_.t(), x * mask.unsqueeze(1).unsqueeze(-1));
  const auto shares = at::matmul(mask, frame_weights_).unsqueeze(1).unsqueeze(-1);  // [B, 1, T', 1]
  // Frames that only padding reaches are those behind the signal: the last one is the nearest.
  const auto last = (mask.sum(1).to(torch::kLong) - 1).clamp_min(0).view({-1, 1, 1, 1});
  const auto nearest = x.gather(2, last.expand({x.size(0), x.size(1), 1, x.size(3)}));
  constexpr double kNothing = 1e-6;
  return at::where(shares > kNothing, sums / shares.clamp_min(kNothing), nearest);
}

at::Tensor Regridder::mask_back(const at::Tensor& to_mask, int64_t from_frames) const {
  const auto centres =
      at::arange(from_frames, to_mask.options().dtype(torch::kDouble)) * from_.hop_seconds +
      from_.first_centre_seconds;
  const auto index = ((centres - to_.first_centre_seconds) / to_.hop_seconds + 0.5)
                         .floor()
                         .to(torch::kLong)
                         .clamp(0, to_mask.size(1) - 1);
  return to_mask.index_select(1, index);
}

}  // namespace limbeck::objective
