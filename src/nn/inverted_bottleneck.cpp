#include "nn/inverted_bottleneck.h"

#include <torch/types.h>

namespace limbeck::nn {

InvertedBottleneckImpl::InvertedBottleneckImpl(const InvertedBottleneckOptions& o)
    : residual_(o.in_channels == o.out_channels && o.stride_freq == 1 && o.upsample_freq == 1) {
  const int64_t wide = o.in_channels * o.expansion;
  const auto add = [&](const std::string& name, const ConvUnitOptions& unit) {
    units_.emplace_back(*this, name, unit);
  };
  if (o.expansion > 1) {
    add("expand", {.conv = {.in_channels = o.in_channels, .out_channels = wide},
                   .norm = o.norm,
                   .activation = o.activation});
  }
  add("depthwise", {.conv = {.in_channels = wide,
                             .out_channels = wide,
                             .kernel_time = o.kernel_time,
                             .kernel_freq = o.kernel_freq,
                             .stride_freq = o.stride_freq,
                             .dilation_time = o.dilation_time,
                             .lookahead = o.lookahead,
                             .depthwise = true},
                    .norm = o.norm,
                    .activation = o.activation});
  add("project", {.conv = {.in_channels = wide, .out_channels = o.out_channels * o.upsample_freq},
                  .upsample_freq = o.upsample_freq,
                  .norm = o.norm});
}

at::Tensor InvertedBottleneckImpl::forward(const at::Tensor& x, const Pass& pass) {
  at::Tensor y = x;
  for (ConvUnit& unit : units_) y = unit.forward(y, pass);
  return residual_ ? x + y : y;
}

void InvertedBottleneckImpl::fuse() {
  for (ConvUnit& unit : units_) unit.fuse();
}

int64_t InvertedBottleneckImpl::out_bins(int64_t bins) const {
  for (const ConvUnit& unit : units_) bins = unit.out_bins(bins);
  return bins;
}

std::vector<LayerCost> InvertedBottleneckImpl::costs(const std::string& name, int64_t bins) const {
  std::vector<LayerCost> layers;
  for (const ConvUnit& unit : units_) {
    layers.push_back(unit.costs(name, bins).front());
    bins = unit.out_bins(bins);
  }
  LayerCost all = total_cost(layers);
  all.name = name;
  return {all};
}

}  // namespace limbeck::nn
