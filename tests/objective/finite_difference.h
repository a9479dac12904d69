#pragma once

#include <functional>

#include "nn/support.h"

namespace limbeck::test {

/// Central differences of `f` at `x` (double) in every element.
inline at::Tensor central_differences(const std::function<at::Tensor()>& f, const at::Tensor& x,
                                      double step = 1e-6) {
  at::NoGradGuard no_grad;
  auto gradient = torch::zeros_like(x);
  double* values = x.data_ptr<double>();
  for (int64_t i = 0; i < x.numel(); ++i) {
    const double kept = values[i];
    values[i] = kept + step;
    const double above = f().item<double>();
    values[i] = kept - step;
    const double below = f().item<double>();
    values[i] = kept;
    gradient.data_ptr<double>()[i] = (above - below) / (2 * step);
  }
  return gradient;
}

/// The gradient of f at x agrees with central differences; the tolerance is relative to its largest
/// element.
inline void expect_gradient(const std::function<at::Tensor(const at::Tensor&)>& f,
                            const at::Tensor& at_point, double tolerance) {
  auto x = at_point.detach().clone().contiguous().requires_grad_();
  f(x).backward();
  const auto expected = central_differences([&] { return f(x); }, x.detach());
  EXPECT_GT(expected.abs().max().item<double>(), 0);
  EXPECT_LT(relative_difference(x.grad(), expected), tolerance);
}

}  // namespace limbeck::test
