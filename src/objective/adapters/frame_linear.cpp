#include <torch/types.h>

#include "limbeck/objective/adapter.h"

namespace limbeck::objective {
namespace {

class FrameLinear : public Adapter {
 public:
  FrameLinear(const config::NoOptions&, const AdapterShape& shape)
      : out_(shape.teacher_channels), bins_(shape.bins) {
    auto linear = register_module("linear", std::make_shared<torch::nn::Module>());
    weight_ = linear->register_parameter(
        "weight", torch::empty({out_ * bins_, shape.student_channels * bins_}));
    bias_ = linear->register_parameter("bias", torch::empty({out_ * bins_}));
  }
  at::Tensor forward(const at::Tensor& x, const nn::Execution&) override {
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

}  // namespace

void add_frame_linear(AdapterRegistry& registry) {
  registry.add<FrameLinear, config::NoOptions>("frame_linear",
                                               "one matrix over the C·F vector of a frame");
}

}  // namespace limbeck::objective
