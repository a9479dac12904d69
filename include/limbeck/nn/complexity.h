#pragma once

#include <torch/nn/module.h>

#include <cstdint>
#include <string>
#include <vector>

namespace limbeck::nn {

/// What one layer costs, per frame of the network.
struct LayerCost {
  std::string name;
  int64_t parameters = 0;
  int64_t macs = 0;         ///< products of convolutions, linear maps and recurrences
  int64_t activations = 0;  ///< numbers that its layers write
  int64_t state = 0;        ///< numbers that a stream keeps for it
  int64_t past = 0;         ///< frames before the present one that it reaches; kForever: all
  int64_t future = 0;       ///< frames after the present one
  static constexpr int64_t kForever = INT64_MAX;
};

/// Sums over layers that follow each other; `past` and `future` are the receptive field of all.
LayerCost total_cost(const std::vector<LayerCost>& layers);

}  // namespace limbeck::nn
