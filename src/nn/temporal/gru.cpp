#include "nn/gru.h"

#include <torch/types.h>

#include "limbeck/nn/model.h"
#include "nn/temporal.h"

// Legend: B batch, C channel, T frame, F bin.

namespace limbeck::nn {
namespace {

struct FrameGruOptions : config::Component<FrameGruOptions, TemporalOptions> {
  int64_t hidden = 64;
  int64_t layers = 1;
  int64_t groups = 1;

  void describe(config::Visitor& v) override {
    v.value("hidden", hidden, "units of each recurrent layer, all groups together",
            config::between(1, 4096));
    v.value("layers", layers, "recurrent layers", config::between(1, 8));
    v.value("groups", groups, "equal pieces of channels and units that run apart",
            config::between(1, 64));
    v.require(hidden % groups == 0, "hidden", "must be a multiple of groups");
  }
  std::string problem(int64_t channels) const override {
    return problem_of_groups(groups, channels);
  }
  int64_t values(const TemporalPlace& place) const override {
    const int64_t width = place.channels * place.bins;
    return recurrent(width).values() + width * (hidden + 1);
  }
  GruOptions recurrent(int64_t width) const {
    return {.input = width, .hidden = hidden, .layers = layers, .groups = groups};
  }
};

/// A unidirectional GRU over the C·F vector of each frame, and a linear map back, added to the
/// input.
class FrameGru : public TemporalModel {
 public:
  FrameGru(const FrameGruOptions& options, const TemporalPlace& place)
      : options_(options), width_(place.channels * place.bins) {
    recurrent_ = register_module("recurrent", Gru(options.recurrent(width_)));
    auto output = register_module("output", std::make_shared<torch::nn::Module>());
    output_weight_ = output->register_parameter("weight", torch::empty({width_, options.hidden}));
    output_bias_ = output->register_parameter("bias", torch::empty({width_}));
  }

  at::Tensor forward(const at::Tensor& x, const Pass& pass) override {
    const int64_t batch = x.size(0), frames = x.size(2);
    const auto rows = x.permute({0, 2, 1, 3}).reshape({batch, frames, 1, width_});  // C·F a frame
    return x + at::linear(recurrent_(rows, Along::frames, pass), output_weight_, output_bias_)
                   .view({batch, frames, x.size(1), x.size(3)})
                   .permute({0, 2, 1, 3});  // [B, C, T, F]
  }

  std::vector<LayerCost> costs(const std::string& name, int64_t /*bins*/) const override {
    return {{.name = name,
             .parameters = parameter_count(*this),
             .macs = recurrent_->macs_per_step() + output_weight_.numel(),
             .activations = options_.layers * options_.hidden + width_,
             .state = recurrent_->state_values(),
             .past = LayerCost::kForever}};
  }

 private:
  FrameGruOptions options_;
  int64_t width_;  // C·F
  Gru recurrent_{nullptr};
  at::Tensor output_weight_;  // [C·F, hidden]
  at::Tensor output_bias_;    // [C·F]
};

}  // namespace

void add_gru(TemporalRegistry& r) {
  r.add<FrameGru, FrameGruOptions>("gru", "over time, on the channels and bins of a frame");
}

}  // namespace limbeck::nn
