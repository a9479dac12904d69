#include "limbeck/objective/adapter.h"

#include <torch/types.h>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/nn/layers.h"

// Legend: B batch, C channel, T frame, F bin.

namespace limbeck::objective {

void AdapterOptions::describe(config::Visitor& v) {
  v.value("type", type, "what maps the student's feature to the teacher's channels",
          config::one_of({"none", "linear", "frame_linear", "inverted_bottleneck"}));
  v.value("expansion", expansion, "factor of the expansion (inverted_bottleneck)",
          config::between(1, 16));
  v.value("kernel_freq", kernel_freq, "bins of the depthwise kernel, odd (inverted_bottleneck)",
          config::between(1, 31));
  v.require(kernel_freq % 2 == 1, "kernel_freq", "must be odd");
}

namespace {

class Identity : public Adapter {
 public:
  at::Tensor forward(const at::Tensor& x) override { return x; }
};

class Linear : public Adapter {
 public:
  Linear(int64_t in, int64_t out)
      : linear_(register_module(
            "linear", nn::Conv(nn::ConvOptions{.in_channels = in, .out_channels = out}))) {}
  at::Tensor forward(const at::Tensor& x) override { return linear_(x); }

 private:
  nn::Conv linear_;
};

class FrameLinear : public Adapter {
 public:
  FrameLinear(int64_t in, int64_t out, int64_t bins) : out_(out), bins_(bins) {
    auto linear = register_module("linear", std::make_shared<torch::nn::Module>());
    weight_ = linear->register_parameter("weight", torch::empty({out * bins, in * bins}));
    bias_ = linear->register_parameter("bias", torch::empty({out * bins}));
  }
  at::Tensor forward(const at::Tensor& x) override {
    const auto frames = x.permute({0, 2, 1, 3}).flatten(2);  // [B, T, C_S·F]
    return at::linear(frames, weight_, bias_)
        .reshape({x.size(0), x.size(2), out_, bins_})
        .permute({0, 2, 1, 3});  // [B, C_T, T, F]
  }

 private:
  int64_t out_;
  int64_t bins_;
  at::Tensor weight_, bias_;
};

class Bottleneck : public Adapter {
 public:
  Bottleneck(const AdapterOptions& options, int64_t in, int64_t out) {
    const int64_t wide = in * options.expansion;
    expand_ = register_module("expand",
                              nn::Conv(nn::ConvOptions{.in_channels = in, .out_channels = wide}));
    activation_ = register_module("activation", nn::Activation(nn::ActivationKind::silu, wide));
    depthwise_ =
        register_module("depthwise", nn::Conv(nn::ConvOptions{.in_channels = wide,
                                                              .out_channels = wide,
                                                              .kernel_freq = options.kernel_freq,
                                                              .depthwise = true}));
    project_ = register_module("project",
                               nn::Conv(nn::ConvOptions{.in_channels = wide, .out_channels = out}));
  }
  at::Tensor forward(const at::Tensor& x) override {
    return project_(depthwise_(activation_(expand_(x))));
  }

 private:
  nn::Conv expand_{nullptr}, depthwise_{nullptr}, project_{nullptr};
  nn::Activation activation_{nullptr};
};

}  // namespace

std::shared_ptr<Adapter> make_adapter(const AdapterOptions& options, int64_t student_channels,
                                      int64_t teacher_channels, int64_t bins) {
  if (options.type == "linear") return std::make_shared<Linear>(student_channels, teacher_channels);
  if (options.type == "frame_linear") {
    return std::make_shared<FrameLinear>(student_channels, teacher_channels, bins);
  }
  if (options.type == "inverted_bottleneck") {
    return std::make_shared<Bottleneck>(options, student_channels, teacher_channels);
  }
  if (student_channels != teacher_channels) {
    throw ConfigError(
        format("adapter 'none' needs equal channels, but the student has %d and the teacher %d; "
               "use adapter: {type: linear}",
               student_channels, teacher_channels));
  }
  return std::make_shared<Identity>();
}

}  // namespace limbeck::objective
