#include "limbeck/nn/initialize.h"

#include <torch/types.h>

#include <cmath>

namespace limbeck::nn {
namespace {

bool contains(const std::string& name, const char* part) {
  return name.find(part) != std::string::npos;
}

/// No activation follows: the variance is kept, not doubled.
bool is_linear(const std::string& name) {
  return contains(name, "project.") || contains(name, "latent.") || contains(name, "latent_in.") ||
         contains(name, "linear.") || contains(name, "output.") || contains(name, "skip");
}

template <class Draw>
void fill(at::Tensor parameter, Draw draw) {
  auto values = at::empty(parameter.sizes(), torch::kFloat);
  float* data = values.data_ptr<float>();
  for (int64_t i = 0; i < values.numel(); ++i) data[i] = static_cast<float>(draw());
  parameter.copy_(values);
}

}  // namespace

void initialize(torch::nn::Module& module, SeedKey key) {
  at::NoGradGuard no_grad;
  for (const auto& item : module.named_parameters()) {
    const std::string& name = item.key();
    const at::Tensor& parameter = item.value();
    Random random(key.with(name));
    if (contains(name, "recurrent.")) {
      const double bound =
          1 / std::sqrt(static_cast<double>(parameter.size(0)) / 3);  // 3 gates a unit
      fill(parameter, [&] { return random.uniform(-bound, bound); });
    } else if (parameter.dim() >= 2) {
      const auto fan_in = static_cast<double>(parameter.numel() / parameter.size(0));
      // A mask near its bias: a fresh network passes its input on.
      const double gain = contains(name, "head.") ? 0.01 : is_linear(name) ? 1 : 2;
      const double deviation = std::sqrt(gain / fan_in);
      fill(parameter, [&] { return deviation * random.normal(); });
    } else if (name.ends_with("bias") && !contains(name, "norm") && !contains(name, "head.")) {
      parameter.zero_();
    }
  }
}

}  // namespace limbeck::nn
