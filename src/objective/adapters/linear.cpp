#include "limbeck/nn/layers.h"
#include "limbeck/objective/adapter.h"

namespace limbeck::objective {
namespace {

class Linear : public Adapter {
 public:
  Linear(const config::NoOptions&, const AdapterShape& shape)
      : linear_(register_module(
            "linear", nn::Conv(nn::ConvOptions{.in_channels = shape.student_channels,
                                               .out_channels = shape.teacher_channels}))) {}
  at::Tensor forward(const at::Tensor& x, const nn::Execution& execution) override {
    return linear_->forward_alone(x, execution);
  }

 private:
  nn::Conv linear_;
};

}  // namespace

void add_linear(AdapterRegistry& registry) {
  registry.add<Linear, config::NoOptions>("linear", "a 1x1 convolution, which mixes channels");
}

}  // namespace limbeck::objective
