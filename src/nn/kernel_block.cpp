#include "nn/kernel_block.h"

#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "nn/block_pass.h"

namespace limbeck::nn {
namespace {

/// Tensors of which there are gradients, in one order.
std::vector<at::Tensor> parameters_of(const Units& units) {
  std::vector<at::Tensor> all;
  for (const BlockUnit& unit : units) {
    all.insert(all.end(), {unit.weight, unit.scale, unit.bias});
    if (unit.slope.defined()) all.push_back(unit.slope);
  }
  return all;
}

struct InvertedBottleneckBlock : torch::autograd::Function<InvertedBottleneckBlock> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            at::TensorList parameters, const Units& units, const BlockOptions& o) {
    const BlockResult result = block_forward(x, units, o, true);
    std::vector<at::Tensor> saved = {x, result.d, result.p};
    for (auto& tensor : result.statistics.pack()) saved.push_back(tensor);
    saved.insert(saved.end(), parameters.begin(), parameters.end());
    context->save_for_backward(saved);
    context->saved_data["options"] = std::vector<int64_t>{static_cast<int64_t>(o.activate),
                                                          o.stride_freq,
                                                          o.dilation_time,
                                                          o.before,
                                                          o.after,
                                                          o.upsample_freq,
                                                          int64_t{o.residual},
                                                          int64_t{o.training},
                                                          static_cast<int64_t>(o.level)};
    context->saved_data["valid_frames"] = o.valid_frames;
    return result.y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list grads) {
    const auto saved = context->get_saved_variables();
    const auto v = context->saved_data["options"].toIntVector();
    const BlockOptions o = {.activate = static_cast<Activate>(v[0]),
                            .stride_freq = v[1],
                            .dilation_time = v[2],
                            .before = v[3],
                            .after = v[4],
                            .upsample_freq = v[5],
                            .residual = v[6] != 0,
                            .training = v[7] != 0,
                            .valid_frames = context->saved_data["valid_frames"].toIntVector(),
                            .level = static_cast<CpuLevel>(v[8])};
    Units units;
    size_t at = 3 + Statistics::kTensors;
    for (int i = kExpand; i <= kProject; ++i) {
      BlockUnit& unit = units[static_cast<size_t>(i)];
      unit.weight = saved[at++], unit.scale = saved[at++], unit.bias = saved[at++];
      if (i != kProject && o.activate == Activate::prelu) unit.slope = saved[at++];
    }
    const BlockResult kept = {
        {},
        saved[1],
        saved[2],
        Statistics::unpack(at::TensorList(saved).slice(3, Statistics::kTensors))};
    const auto dy = grads[0].contiguous(at::MemoryFormat::ChannelsLast);
    const auto result = block_backward(saved[0], units, o, kept, dy, context->needs_input_grad(0));
    torch::autograd::variable_list all = {result.x};
    for (const auto& unit : result.units) {
      all.insert(all.end(), {unit.weight, unit.scale, unit.bias});
      if (unit.slope.defined()) all.push_back(unit.slope);
    }
    all.resize(all.size() + 2);  // units and options have none
    return all;
  }
};

}  // namespace

at::Tensor inverted_bottleneck(const at::Tensor& x, const Units& units,
                               const BlockOptions& options) {
  std::vector<at::Tensor> parameters = parameters_of(units);
  const bool needs_grad =
      at::GradMode::is_enabled() &&
      (x.requires_grad() || std::any_of(parameters.begin(), parameters.end(), [](const auto& p) {
         return p.defined() && p.requires_grad();
       }));
  if (needs_grad) {
    return InvertedBottleneckBlock::apply(x, at::TensorList(parameters), units, options);
  }
  return block_forward(x, units, options, options.training).y;
}

}  // namespace limbeck::nn
