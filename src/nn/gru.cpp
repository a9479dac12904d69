#include "nn/gru.h"

#include <torch/types.h>

#include "limbeck/core/format.h"

namespace limbeck::nn {

GruImpl::GruImpl(const GruOptions& options) : options_(options) {
  const int64_t directions = options.bidirectional ? 2 : 1;
  const int64_t hidden = options.hidden / options.groups / directions;
  for (int64_t g = 0; g < options.groups; ++g) {
    auto group = register_module(format("group%d", g), std::make_shared<torch::nn::Module>());
    auto& weights = weights_.emplace_back();
    for (int64_t layer = 0; layer < options.layers; ++layer) {
      for (int64_t direction = 0; direction < directions; ++direction) {
        const std::string suffix =
            "_l" + std::to_string(layer) + (direction == 1 ? "_reverse" : "");
        const int64_t input = layer == 0 ? options.input / options.groups : hidden * directions;
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

at::Tensor GruImpl::forward(const at::Tensor& x, StreamState* stream) const {
  const auto& o = options_;
  const int64_t directions = o.bidirectional ? 2 : 1;
  at::Tensor start = stream ? stream->of(this) : at::Tensor();  // [groups, layers, N, hidden]
  if (!start.defined()) {
    start =
        at::zeros({o.groups, o.layers * directions, x.size(1), o.hidden / o.groups / directions},
                  x.options());
  }
  std::vector<at::Tensor> outputs, ends;
  for (int64_t g = 0; g < o.groups; ++g) {
    const int64_t width = o.input / o.groups;
    auto [output, end] = at::gru(o.groups == 1 ? x : x.narrow(2, g * width, width), start[g],
                                 weights_[static_cast<size_t>(g)], true, o.layers, 0.0,
                                 is_training(), o.bidirectional, false);
    outputs.push_back(output);
    ends.push_back(end);
  }
  if (stream != nullptr) stream->of(this) = at::stack(ends);
  return o.groups == 1 ? outputs.front() : at::cat(outputs, 2);
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
