#include "limbeck/objective/regrid.h"

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

at::Tensor regrid(const at::Tensor& feature, const nn::TapInfo& from, const nn::TapInfo& to,
                  int64_t to_frames) {
  at::Tensor x = feature;  // [B, C, T, F]
  if (!same(from.band_edges_hz, to.band_edges_hz)) {
    x = at::matmul(x, area_weights(from.band_edges_hz, to.band_edges_hz).to(x.options()));
  }
  if (!same(from.hop_seconds, to.hop_seconds) ||
      !same(from.first_centre_seconds, to.first_centre_seconds) || x.size(2) != to_frames) {
    const auto weights =
        area_weights(frame_edges(from, x.size(2)), frame_edges(to, to_frames));  // [T, T']
    x = at::matmul(weights.t().to(x.options()), x);
  }
  return x;
}

}  // namespace limbeck::objective
