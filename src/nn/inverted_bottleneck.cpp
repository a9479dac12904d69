#include "nn/inverted_bottleneck.h"

#include <torch/types.h>

#include "nn/kernels.h"

namespace limbeck::nn {

std::vector<std::pair<std::string, ConvUnitOptions>> InvertedBottleneckOptions::units() const {
  const int64_t wide = in_channels * expansion;
  std::vector<std::pair<std::string, ConvUnitOptions>> all;
  if (expansion > 1) {
    all.push_back({"expand",
                   {.conv = {.in_channels = in_channels, .out_channels = wide},
                    .norm = norm,
                    .activation = activation}});
  }
  all.push_back({"depthwise",
                 {.conv = {.in_channels = wide,
                           .out_channels = wide,
                           .kernel_time = kernel_time,
                           .kernel_freq = kernel_freq,
                           .stride_freq = stride_freq,
                           .dilation_time = dilation_time,
                           .lookahead = lookahead,
                           .depthwise = true},
                  .norm = norm,
                  .activation = activation}});
  all.push_back({"project",
                 {.conv = {.in_channels = wide, .out_channels = out_channels * upsample_freq},
                  .upsample_freq = upsample_freq,
                  .norm = norm}});
  return all;
}

int64_t InvertedBottleneckOptions::values() const {
  int64_t sum = 0;
  for (const auto& [name, unit] : units()) sum += unit.values();
  return sum;
}

InvertedBottleneckImpl::InvertedBottleneckImpl(const InvertedBottleneckOptions& o)
    : options_(o),
      residual_(o.in_channels == o.out_channels && o.stride_freq == 1 && o.upsample_freq == 1) {
  for (const auto& [name, unit] : o.units()) units_.emplace_back(*this, name, unit);
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
