#include "nn/inverted_bottleneck.h"

#include <torch/types.h>

#include "nn/kernels.h"

namespace limbeck::nn {

InvertedBottleneckImpl::InvertedBottleneckImpl(const InvertedBottleneckOptions& o)
    : options_(o),
      residual_(o.in_channels == o.out_channels && o.stride_freq == 1 && o.upsample_freq == 1) {
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
  if (has_block_kernel(x, pass)) return by_block_kernel(x, pass);
  at::Tensor y = x;
  for (ConvUnit& unit : units_) y = unit.forward(y, pass);
  return residual_ ? pass.around(this, x, y.size(2)) + y : y;
}

bool InvertedBottleneckImpl::has_block_kernel(const at::Tensor& x, const Pass& pass) const {
  if (units_.size() != 3 || pass.no_kernel_for(x) != nullptr) return false;
  const ConvOptions& conv = units_[1].conv();
  if (pass.stream != nullptr && conv.span() > 0) return false;
  const NormKind norm = units_[0].norm();
  return norm == NormKind::batch || (norm == NormKind::none && !at::GradMode::is_enabled());
}

at::Tensor InvertedBottleneckImpl::by_block_kernel(const at::Tensor& x, const Pass& pass) const {
  pass.by_kernel("inverted_bottleneck");
  const ConvOptions& conv = units_[1].conv();
  return inverted_bottleneck(
      x, {units_[0].block_unit(), units_[1].block_unit(), units_[2].block_unit()},
      {.activate = activate_of(options_.activation),
       .stride_freq = conv.stride_freq,
       .dilation_time = conv.dilation_time,
       .before = conv.span() - conv.lookahead,
       .after = conv.lookahead,
       .upsample_freq = options_.upsample_freq,
       .residual = residual_,
       .training = is_training() && units_[0].norm() == NormKind::batch,
       .momentum = kNormMomentum,
       .epsilon = kNormEpsilon,
       .valid_frames = pass.valid ? pass.valid->counts() : std::vector<int64_t>()});
}

void InvertedBottleneckImpl::fuse() {
  for (ConvUnit& unit : units_) unit.fuse();
}

int64_t InvertedBottleneckImpl::out_bins(int64_t bins) const {
  for (const ConvUnit& unit : units_) bins = unit.out_bins(bins);
  return bins;
}

std::vector<LayerCost> InvertedBottleneckImpl::costs(const std::string& name,
                                                     int64_t in_bins) const {
  std::vector<LayerCost> layers;
  int64_t bins = in_bins;
  for (const ConvUnit& unit : units_) {
    layers.push_back(unit.costs(name, bins).front());
    bins = unit.out_bins(bins);
  }
  LayerCost all = total_cost(layers);
  all.name = name;
  if (residual_) all.state += all.future * options_.in_channels * in_bins;
  return {all};
}

}  // namespace limbeck::nn
