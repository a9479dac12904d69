#include "objective/bounded_gradient.h"

#include <torch/types.h>

#include <cmath>

namespace limbeck::objective {
namespace {

/// Of each vector's gradient, what is left of it.
at::Tensor gradient_shares(const at::Tensor& x, at::IntArrayRef dims, const at::Tensor& counts) {
  constexpr double kShortest = 0.1;
  at::NoGradGuard no_grad;
  const auto lengths = at::linalg_vector_norm(x, 2, dims, true);
  const auto energy = lengths.square();
  const auto counted = counts.defined() ? counts : (energy > 0).to(x.dtype());
  const auto mean_energy = (energy * counted).sum() / counted.sum().clamp_min(1);
  const double values = static_cast<double>(x.numel()) / static_cast<double>(lengths.numel());
  const auto shortest = (kShortest * mean_energy.sqrt()).clamp_min(kSilentRms * std::sqrt(values));
  return lengths / at::maximum(lengths, shortest);
}

}  // namespace

at::Tensor bounded_gradient(const at::Tensor& x, at::IntArrayRef dims, const at::Tensor& counts) {
  if (!at::GradMode::is_enabled() || !x.requires_grad()) return x;
  auto bounded = x.view_as(x);  // the hook is for this use of x alone
  bounded.register_hook([shares = gradient_shares(x, dims, counts)](const at::Tensor& gradient) {
    return gradient * shares;
  });
  return bounded;
}

}  // namespace limbeck::objective
