#pragma once

#include <nlohmann/json.hpp>

#include "limbeck/nn/safetensors.h"
#include "nn/support.h"
#include "paths.h"

namespace limbeck::test {

/// Bounds of the relative difference from values computed in double precision.
constexpr double kForward = 1e-5;
constexpr double kGradient = 1e-4;

/// How networks in float32 are to give them: memory formats and kernels.
inline const std::vector<std::pair<std::string, nn::Kernels>> kWaysToCompute = {
    {"contiguous", nn::Kernels::fused},
    {"channels_last", nn::Kernels::fused},
    {"channels_last", nn::Kernels::reference}};

/// A file that one of the scripts make_*golden.py wrote.
class Golden {
 public:
  explicit Golden(const std::string& name)
      : file_(read_safetensors(test::source_dir() / "tests/golden/data" / (name + ".safetensors"))),
        cases_(nlohmann::json::parse(file_.metadata.at("cases"))) {}

  const nlohmann::json& cases() const { return cases_; }
  const at::Tensor& at(const std::string& name) const { return file_.tensors.at(name); }

  /// Tensors whose names begin with `prefix`/, by the rest of their names.
  std::map<std::string, at::Tensor> group(const std::string& prefix) const {
    std::map<std::string, at::Tensor> found;
    for (const auto& [name, tensor] : file_.tensors) {
      if (name.starts_with(prefix + "/")) found[name.substr(prefix.size() + 1)] = tensor;
    }
    return found;
  }

 private:
  SafeTensors file_;
  nlohmann::json cases_;
};

/// Every parameter's gradient is the expected one, and there is one expected for every parameter.
/// Those that are zero in exact arithmetic (a bias before a batch norm) are measured against the
/// others.
inline void expect_gradients(const torch::nn::Module& module,
                             const std::map<std::string, at::Tensor>& expected) {
  double largest = 0;
  for (const auto& [name, gradient] : expected)
    largest = std::max(largest, gradient.abs().max().item<double>());
  EXPECT_EQ(module.named_parameters().size(), expected.size());
  for (const auto& item : module.named_parameters()) {
    const auto found = expected.find(item.key());
    ASSERT_TRUE(found != expected.end()) << item.key();
    const double own = found->second.abs().max().item<double>();
    const double difference = (item.value().grad() - found->second).abs().max().item<double>();
    EXPECT_LE(difference, kGradient * std::max(own, 0.01 * largest)) << item.key();
  }
}

}  // namespace limbeck::test
