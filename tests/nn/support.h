#pragma once

// What tests of networks, losses and training share.

#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <string>
#include <vector>

#include "data/support.h"
#include "limbeck/config/reader.h"
#include "limbeck/nn/model.h"

namespace limbeck::test {

/// These tensors are tiny: threads would only wait for one another.
inline const bool one_thread = [] {
  at::set_num_threads(1);
  return true;
}();

/// Normal values that depend on the seed only.
inline at::Tensor normal(std::vector<int64_t> shape, uint64_t seed, double scale = 1) {
  Random random{SeedKey(seed)};
  auto values = torch::empty(shape, torch::kDouble);
  for (int64_t i = 0; i < values.numel(); ++i)
    values.data_ptr<double>()[i] = scale * random.normal();
  return values.to(torch::kFloat);
}

/// Largest difference, as a share of the largest expected value.
inline double relative_difference(const at::Tensor& value, const at::Tensor& expected) {
  if (value.sizes() != expected.sizes()) {
    ADD_FAILURE() << "shape " << value.sizes() << ", expected " << expected.sizes();
    return INFINITY;
  }
  const auto a = value.detach().to(torch::kDouble);
  const auto b = expected.detach().to(torch::kDouble);
  const double difference = (a - b).abs().max().item<double>();
  // A NaN compares as small with everything; it must not pass.
  return std::isnan(difference) ? INFINITY
                                : difference / std::max(b.abs().max().item<double>(), 1e-30);
}

inline bool same_bits(const at::Tensor& a, const at::Tensor& b) {
  return a.defined() && b.defined() && a.sizes() == b.sizes() &&
         a.scalar_type() == b.scalar_type() && at::equal(a, b);
}

/// Small and fast; `changes` are more lines of YAML, which win.
inline nn::ModelConfig model_config(const std::string& changes = "") {
  config::Diagnostics diagnostics;
  config::Node node = config::parse_yaml(R"(
name: denoising_autoencoder
stft: {window_samples: 64, hop_samples: 32, fft_samples: 64}
stem: {channels: 4, stride: 2, kernel_freq: 5}
encoder:
  - {channels: 5, stride: 2, kernel_time: 3}
  - {channels: 6, stride: 2, kernel_time: 3}
latent: {channels: 4, in_channels: 5}
)",
                                         "base", diagnostics);
  config::merge(node, config::parse_yaml(changes, "test", diagnostics));
  auto config = config::read<nn::ModelConfig>(node, diagnostics);
  diagnostics.throw_if_any();
  return config;
}

inline std::shared_ptr<nn::DenoisingModel> make_model(const std::string& changes = "",
                                                      uint64_t seed = 1) {
  return nn::build_model(model_config(changes), SeedKey(seed));
}

}  // namespace limbeck::test
