#include <torch/types.h>

#include "limbeck/core/format.h"
#include "limbeck/nn/model.h"
#include "nn/gru.h"
#include "nn/temporal.h"

// Legend: B batch, C channel, T frame, F bin.

namespace limbeck::nn {
namespace {

struct DualPathOptions : config::Component<DualPathOptions, TemporalOptions> {
  int64_t hidden = 64;
  int64_t layers = 1;
  int64_t groups = 1;

  void describe(config::Visitor& v) override {
    v.value("hidden", hidden, "units of each recurrent layer, all groups and directions together",
            config::between(1, 4096));
    v.value("layers", layers, "pairs of paths", config::between(1, 8));
    v.value("groups", groups, "equal pieces of channels and units that run apart",
            config::between(1, 64));
    v.require(hidden % (2 * groups) == 0, "hidden",
              "must be a multiple of 2 · groups: two directions over the bins");
  }
  std::string problem(int64_t channels) const override {
    return problem_of_groups(groups, channels);
  }
  int64_t values(const TemporalPlace& place) const override {
    const int64_t path = output(place).values() + values_of(place.norm, place.channels);
    return layers * (recurrent(place, true).values() + recurrent(place, false).values() + 2 * path);
  }
  GruOptions recurrent(const TemporalPlace& place, bool over_bins) const {
    return {
        .input = place.channels, .hidden = hidden, .groups = groups, .bidirectional = over_bins};
  }
  ConvOptions output(const TemporalPlace& place) const {
    return {.in_channels = hidden,
            .out_channels = place.channels,
            .bias = place.norm == NormKind::none};
  }
};

/// A GRU over the bins of a frame (both directions) or over the frames of a bin (from the past on),
/// a linear map back to the channels, a norm, and the input added.
class PathImpl : public torch::nn::Module {
 public:
  PathImpl(const DualPathOptions& options, const TemporalPlace& place, bool over_bins)
      : over_bins_(over_bins),
        recurrent_(register_module("recurrent", Gru(options.recurrent(place, over_bins)))),
        output_(register_module("output", Conv(options.output(place)))),
        norm_(register_module("norm", Norm(place.norm, place.channels))) {}

  at::Tensor forward(const at::Tensor& x, const Pass& pass) {
    const auto rows = x.permute({0, 2, 3, 1});  // [B, T, F, C]
    const auto y =
        output_->rows(recurrent_(rows, over_bins_ ? Along::bins : Along::frames, pass), pass)
            .permute({0, 3, 1, 2});  // [B, C, T, F]
    return x + norm_(pass.channels_last ? y : y.contiguous(), pass);
  }

  void fuse() { fold_norm(*this, "norm", output_, norm_); }

  LayerCost cost(const std::string& name, int64_t bins) const {
    const int64_t hidden = output_->options().in_channels;
    return {.name = name,
            .parameters = parameter_count(*this),
            .macs = bins * recurrent_->macs_per_step() + output_->macs_per_frame(bins),
            .activations = bins * hidden + output_->activations(bins),
            .state = (over_bins_ ? 0 : bins * recurrent_->state_values()) + norm_->state_values(),
            .past = over_bins_ ? 0 : LayerCost::kForever};
  }

 private:
  bool over_bins_;
  Gru recurrent_;
  Conv output_;
  Norm norm_;
};
TORCH_MODULE(Path);

/// `layers` times a path over the bins and one over the frames, whose weights all bins share
/// (DPRNN, arXiv 1910.06379, over frequency as in DPCRN, arXiv 2107.05429, and GTCRN).
class DualPath : public TemporalModel {
 public:
  DualPath(const DualPathOptions& options, const TemporalPlace& place) {
    for (int64_t l = 0; l < options.layers; ++l) {
      auto block = register_module(format("block%d", l), std::make_shared<torch::nn::Module>());
      for (const bool over_bins : {true, false}) {
        paths_.push_back(
            block->register_module(over_bins ? "intra" : "inter", Path(options, place, over_bins)));
      }
    }
  }

  at::Tensor forward(const at::Tensor& x, const Pass& pass) override {
    at::Tensor y = x;
    for (Path& path : paths_) y = path(y, pass);
    return y;
  }

  void fuse() override {
    for (Path& path : paths_) path->fuse();
  }

  std::vector<LayerCost> costs(const std::string& name, int64_t bins) const override {
    std::vector<LayerCost> costs;
    for (size_t i = 0; i < paths_.size(); ++i) {
      const char* path = i % 2 == 0 ? "intra" : "inter";
      costs.push_back(paths_[i]->cost(format("%s.block%d.%s", name, i / 2, path), bins));
    }
    return costs;
  }

 private:
  std::vector<Path> paths_;
};

}  // namespace

void add_dual_path(TemporalRegistry& r) {
  r.add<DualPath, DualPathOptions>("dual_path",
                                   "over the bins of a frame, then over time for each bin");
}

}  // namespace limbeck::nn
