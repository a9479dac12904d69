#pragma once

#include <ATen/autocast_mode.h>

#include "objective/examples.h"
#include "objective/finite_difference.h"
#include "objective/from_yaml.h"

// What the suites over all losses, terms and adapters share.

namespace limbeck::test {

inline void expect_finite(const at::Tensor& x, const std::string& what) {
  EXPECT_TRUE(x.defined() && at::isfinite(x).all().item<bool>()) << what << ": " << x;
}

/// The gradients of all parameters are finite, where they have one.
inline void expect_finite_gradients(const torch::nn::Module& module) {
  for (const auto& item : module.named_parameters())
    if (item.value().grad().defined()) expect_finite(item.value().grad(), item.key());
}

/// Parameters' gradients are those of finite differences of `value`, whose backward pass has run.
inline void expect_parameter_gradients(const torch::nn::Module& module,
                                       const std::function<at::Tensor()>& value) {
  for (const auto& item : module.named_parameters()) {
    const auto expected = central_differences(value, item.value().detach());
    EXPECT_LT(relative_difference(item.value().grad(), expected), 1e-6) << item.key();
  }
}

inline void clear_gradients(const torch::nn::Module& module) {
  for (auto& parameter : module.parameters()) parameter.mutable_grad().reset();
}

/// While it lives, autocast to bfloat16 is on or off. A backward pass is run outside of it.
class Autocast {
 public:
  explicit Autocast(bool on) {
    at::autocast::set_autocast_enabled(at::kCPU, on);
    const auto product = at::matmul(torch::ones({2, 2}), torch::ones({2, 2}));
    EXPECT_EQ(product.scalar_type(), on ? torch::kBFloat16 : torch::kFloat);
  }
  ~Autocast() { at::autocast::set_autocast_enabled(at::kCPU, false); }
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;
};

/// Mixed precision changes nothing in what `run(true)` gives.
inline void expect_no_autocast(const std::function<std::vector<at::Tensor>(bool mixed)>& run) {
  const auto full = run(false);
  const auto mixed = run(true);
  ASSERT_EQ(mixed.size(), full.size());
  for (size_t i = 0; i < full.size(); ++i) EXPECT_TRUE(same_bits(mixed[i], full[i])) << i;
}

}  // namespace limbeck::test
