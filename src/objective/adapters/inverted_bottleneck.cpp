#include "limbeck/nn/layers.h"
#include "limbeck/objective/adapter.h"

namespace limbeck::objective {
namespace {

struct InvertedBottleneckOptions : config::Component<InvertedBottleneckOptions> {
  int64_t expansion = 2;
  int64_t kernel_freq = 3;
  void describe(config::Visitor& v) override {
    v.value("expansion", expansion, "factor of the expansion", config::between(1, 16));
    v.value("kernel_freq", kernel_freq, "bins of the depthwise kernel, odd",
            config::between(1, 31));
    v.require(kernel_freq % 2 == 1, "kernel_freq", "must be odd");
  }
};

class InvertedBottleneck : public Adapter {
 public:
  InvertedBottleneck(const InvertedBottleneckOptions& options, const AdapterShape& shape) {
    const int64_t wide = shape.student_channels * options.expansion;
    expand_ = register_module(
        "expand",
        nn::Conv(nn::ConvOptions{.in_channels = shape.student_channels, .out_channels = wide}));
    activation_ = register_module("activation", nn::Activation(nn::ActivationKind::silu, wide));
    depthwise_ =
        register_module("depthwise", nn::Conv(nn::ConvOptions{.in_channels = wide,
                                                              .out_channels = wide,
                                                              .kernel_freq = options.kernel_freq,
                                                              .depthwise = true}));
    project_ = register_module(
        "project",
        nn::Conv(nn::ConvOptions{.in_channels = wide, .out_channels = shape.teacher_channels}));
  }
  at::Tensor forward(const at::Tensor& x, const nn::Execution& execution) override {
    const auto wide = activation_(expand_->forward_alone(x, execution));
    return project_->forward_alone(depthwise_->forward_alone(wide, execution), execution);
  }

 private:
  nn::Conv expand_{nullptr}, depthwise_{nullptr}, project_{nullptr};
  nn::Activation activation_{nullptr};
};

}  // namespace

void add_inverted_bottleneck(AdapterRegistry& registry) {
  registry.add<InvertedBottleneck, InvertedBottleneckOptions>(
      "inverted_bottleneck",
      "a 1x1 expansion, SiLU, a depthwise convolution over bins, a linear 1x1 projection");
}

}  // namespace limbeck::objective
