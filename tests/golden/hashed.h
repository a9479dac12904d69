#pragma once

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "limbeck/core/format.h"
#include "limbeck/nn/model_file.h"
#include "nn/support.h"

// golden_values.py on this side: numbers from a hash of a name and an index, and projections on
// them.

namespace limbeck::test {

constexpr int64_t kProbes = 4;

inline uint64_t fnv1a(std::string_view text) {
  uint64_t value = 0xCBF29CE484222325;
  for (const char c : text) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  return value;
}

/// In [-1, 1), doubles that are exact in float32: splitmix64 of fnv1a(name) + index.
inline at::Tensor hashed(const std::string& name, at::IntArrayRef shape) {
  auto values = torch::empty(shape, torch::kDouble);
  const uint64_t start = fnv1a(name);
  for (int64_t i = 0; i < values.numel(); ++i) {
    uint64_t z = start + static_cast<uint64_t>(i) + 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    z ^= z >> 31;
    values.data_ptr<double>()[i] = static_cast<double>(z >> 40) / 8388608 - 1;
  }
  return values;
}

/// Parameters and running statistics by their names, float32.
inline void fill_hashed(torch::nn::Module& module, const std::string& prefix) {
  at::NoGradGuard no_grad;
  for (auto& [name, value] : nn::state_of(module)) {
    auto u = hashed(prefix + "/" + name, value.sizes());
    if (value.dim() >= 2) {
      const double gain = name.find(".recurrent.") != std::string::npos ? 1 : 4.5;
      u = u *
          std::sqrt(gain * static_cast<double>(value.size(0)) / static_cast<double>(value.numel()));
    } else if (name.ends_with("norm.weight")) {
      u = 1 + 0.3 * u;
    } else if (name.ends_with("running_var")) {
      u = 1 + 0.5 * u;
    } else if (name.ends_with("activation.weight")) {
      u = 0.25 + 0.2 * u;
    } else {
      u = 0.2 * u;
    }
    value.copy_(u.to(torch::kFloat));
  }
}

/// [1 + kProbes]: the norm of a tensor, and its dot products with hashed numbers.
inline at::Tensor project(const std::string& name, const at::Tensor& x) {
  const auto values = x.detach().to(torch::kDouble).contiguous();
  std::vector<at::Tensor> row = {values.norm()};
  for (int64_t k = 0; k < kProbes; ++k) {
    row.push_back((values * hashed(name + "/probe" + std::to_string(k), x.sizes())).sum());
  }
  return at::stack(row);
}

/// Holds tensors against rows of project(), which come in the order of names. The projections
/// estimate the norm of the difference; it may be `bound` of the tensor's own norm. `floor` allows
/// as much as for a tensor whose mean square is that share of the largest one's: some gradients are
/// zero in exact arithmetic (a bias before a batch norm).
inline void expect_projections(const std::string& prefix,
                               const std::map<std::string, at::Tensor>& tensors,
                               const at::Tensor& expected, double bound, double floor) {
  ASSERT_EQ(expected.sizes(),
            (std::vector<int64_t>{static_cast<int64_t>(tensors.size()), 1 + kProbes}))
      << prefix;
  const auto rows = expected.to(torch::kDouble);
  double largest = 0;  // root mean square
  int64_t i = 0;
  for (const auto& [name, tensor] : tensors) {
    largest = std::max(
        largest, rows[i++][0].item<double>() / std::sqrt(static_cast<double>(tensor.numel())));
  }
  i = 0;
  for (const auto& [name, tensor] : tensors) {
    const auto row = rows[i++];
    const auto difference = project(prefix + "/" + name, tensor) - row;
    const double scale = std::max(row[0].item<double>(),
                                  floor * largest * std::sqrt(static_cast<double>(tensor.numel())));
    const double estimate =
        std::sqrt(3.0 / kProbes) * difference.narrow(0, 1, kProbes).norm().item<double>();
    EXPECT_LE(std::max(estimate, std::abs(difference[0].item<double>())), bound * scale)
        << prefix << "/" << name << " of norm " << row[0].item<double>();
    EXPECT_TRUE(std::isfinite(estimate)) << prefix << "/" << name;
  }
}

/// Of names and shapes of the state, in the order of names.
inline std::string shapes_digest(const torch::nn::Module& module) {
  std::string lines;
  for (const auto& [name, value] : nn::state_of(module)) {
    std::string shape;
    for (const int64_t size : value.sizes())
      shape += (shape.empty() ? "" : "x") + std::to_string(size);
    lines += name + ":" + shape + "\n";
  }
  return format("%016x", fnv1a(lines));
}

}  // namespace limbeck::test
