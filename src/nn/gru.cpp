#include "nn/gru.h"

#include <torch/types.h>

#include "limbeck/core/format.h"

namespace limbeck::nn {
namespace {

/// Null if a kernel takes it.
const char* why_not_by_kernel(const at::Tensor& x, const Pass& pass) {
  if (pass.kernels != Kernels::fused) return "run.kernels: reference";
  if (!x.is_cpu()) return "not on a CPU";
  if (x.scalar_type() != at::kFloat) return "not float32";
  return nullptr;
}

}  // namespace

int64_t GruOptions::values() const {
  const int64_t directions = bidirectional ? 2 : 1;
  const int64_t units = hidden / groups / directions;
  int64_t sum = 0;
  for (int64_t layer = 0; layer < layers; ++layer) {
    const int64_t inputs = layer == 0 ? input / groups : units * directions;
    sum += groups * directions * 3 * units * (inputs + units + 2);
  }
  return sum;
}

GruImpl::GruImpl(const GruOptions& options) : options_(options) {
  const int64_t hidden = options.hidden / options.groups / directions();
  for (int64_t g = 0; g < options.groups; ++g) {
    auto group = register_module(format("group%d", g), std::make_shared<torch::nn::Module>());
    auto& weights = weights_.emplace_back();
    for (int64_t layer = 0; layer < options.layers; ++layer) {
      for (int64_t direction = 0; direction < directions(); ++direction) {
        const std::string suffix =
            "_l" + std::to_string(layer) + (direction == 1 ? "_reverse" : "");
        const int64_t input = layer == 0 ? options.input / options.groups : hidden * directions();
        for (const auto& [name, shape] : std::vector<std::pair<std::string, std::vector<int64_t>>>{
                 {"weight_ih", {3 * hidden, input}},
                 {"weight_hh", {3 * hidden, hidden}},
                 {"bias_ih", {3 * hidden}},
                 {"bias_hh", {3 * hidden}}}) {
          weights.push_back(group->register_parameter(name + suffix, torch::empty(shape)));
        }
      }
    }
  }
}

void GruImpl::to(torch::Device device, bool non_blocking) {
  torch::nn::Module::to(device, non_blocking);
  constexpr int64_t kGru = 3;  // as cuDNN's modes are counted
  at::NoGradGuard no_grad;
  for (const auto& weights : weights_) {
    if (!at::cudnn_is_acceptable(weights.front())) continue;
    at::_cudnn_rnn_flatten_weight(weights, 4, options_.input / options_.groups, kGru,
                                  options_.hidden / options_.groups / directions(), 0,
                                  options_.layers, false, options_.bidirectional);
  }
}

at::Tensor GruImpl::forward(const at::Tensor& x, Along along, const Pass& pass) const {
  StreamState* stream = along == Along::frames ? pass.stream : nullptr;
  TORCH_CHECK(stream == nullptr || !options_.bidirectional, "Gru: two directions cannot stream");
  const at::Tensor start = stream != nullptr ? stream->of(this) : at::Tensor();
  const char* without = why_not_by_kernel(x, pass);
  const auto [y, end] =
      without == nullptr ? by_kernel(x, along, start) : by_libtorch(x, along, start);
  if (without == nullptr) {
    pass.by_kernel("gru");
  } else {
    pass.by_libtorch("gru", without);
  }
  if (stream != nullptr) stream->of(this) = end;
  return y;
}

std::pair<at::Tensor, at::Tensor> GruImpl::by_kernel(const at::Tensor& x, Along along,
                                                     const at::Tensor& start) const {
  const auto& o = options_;
  const auto weights_a_layer = static_cast<size_t>(4 * directions());
  at::Tensor y = x;
  std::vector<at::Tensor> ends;
  for (int64_t layer = 0; layer < o.layers; ++layer) {
    std::vector<at::Tensor> weights;
    for (const auto& group : weights_) {
      const auto first = static_cast<size_t>(layer) * weights_a_layer;
      for (size_t i = 0; i < weights_a_layer; ++i) weights.push_back(group[first + i]);
    }
    const int64_t first = layer * directions();
    y = gru_layer(y, start.defined() ? start.narrow(1, first, directions()) : start, weights,
                  {.along = along, .groups = o.groups, .bidirectional = o.bidirectional});
    if (o.bidirectional) continue;
    const auto last = along == Along::frames ? y.select(1, y.size(1) - 1)
                                             : y.select(2, y.size(2) - 1);  // [B, ·, hidden]
    ends.push_back(last.reshape({-1, o.groups, 1, o.hidden / o.groups}).permute({1, 2, 0, 3}));
  }
  return {y, ends.empty() ? at::Tensor() : at::cat(ends, 1)};
}

std::pair<at::Tensor, at::Tensor> GruImpl::by_libtorch(const at::Tensor& x, Along along,
                                                       const at::Tensor& start) const {
  const auto& o = options_;
  // [S, B, ·, C]
  const auto steps_first =
      along == Along::frames ? x.permute({1, 0, 2, 3}) : x.permute({2, 0, 1, 3});
  const auto rows = steps_first.flatten(1, 2);  // [S, N, C]
  const int64_t width = o.input / o.groups;
  at::Tensor before = start;
  if (!before.defined()) {
    before = at::zeros(
        {o.groups, o.layers * directions(), rows.size(1), o.hidden / o.groups / directions()},
        x.options());
  }
  std::vector<at::Tensor> outputs, ends;
  for (int64_t g = 0; g < o.groups; ++g) {
    // In training, as at::gru calls it, cuDNN keeps what the backward pass needs.
    auto [output, end] = at::gru(o.groups == 1 ? rows : rows.narrow(2, g * width, width), before[g],
                                 weights_[static_cast<size_t>(g)], true, o.layers, 0.0,
                                 at::GradMode::is_enabled(), o.bidirectional, false);
    outputs.push_back(output);
    ends.push_back(end);
  }
  const auto y = (o.groups == 1 ? outputs.front() : at::cat(outputs, 2))
                     .view({rows.size(0), x.size(0), -1, o.hidden});
  return {along == Along::frames ? y.permute({1, 0, 2, 3}) : y.permute({1, 2, 0, 3}),
          at::stack(ends)};
}

int64_t GruImpl::macs_per_step() const {
  int64_t macs = 0;
  for (const auto& group : weights_) {
    for (const auto& weight : group) macs += weight.dim() == 2 ? weight.numel() : 0;
  }
  return macs;
}

std::string problem_of_groups(int64_t groups, int64_t channels) {
  if (channels % groups == 0) return "";
  return format("groups must divide the %d channels of latent_in", channels);
}

}  // namespace limbeck::nn
