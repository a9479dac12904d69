#include "limbeck/nn/complexity.h"

namespace limbeck::nn {

LayerCost total_cost(const std::vector<LayerCost>& layers) {
  LayerCost total{.name = "total"};
  for (const LayerCost& layer : layers) {
    total.parameters += layer.parameters;
    total.macs += layer.macs;
    total.activations += layer.activations;
    total.state += layer.state;
    const bool forever = total.past == LayerCost::kForever || layer.past == LayerCost::kForever;
    total.past = forever ? LayerCost::kForever : total.past + layer.past;
    total.future += layer.future;
  }
  return total;
}

}  // namespace limbeck::nn
