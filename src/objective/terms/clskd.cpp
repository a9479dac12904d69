#include <torch/types.h>

#include <algorithm>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/nn/layers.h"
#include "objective/terms/gram.h"
#include "objective/terms/paired_term.h"

namespace limbeck::objective {
namespace {

struct ClskdOptions : config::Component<ClskdOptions> {
  TapOptions taps = {{}, {}};
  int64_t width = 32;
  std::string reduction = "sum";
  void describe(config::Visitor& v) override;
};

/// Fuses one layer of the student with what the layers before it in the chain gave.
class CrossLayerFusion : public torch::nn::Module {
 public:
  struct Fused {
    at::Tensor residual;  ///< [B, width, T, F], for the next layer
    at::Tensor feature;   ///< [B, C_T, T, F], for the teacher
  };

  CrossLayerFusion(int64_t in, int64_t width, int64_t out, bool first);
  /// `x` [B, C_S, T, F], `residual` [B, width, T, F] (undefined for the first layer), `mask` [B,
  /// T].
  Fused forward(const at::Tensor& x, const at::Tensor& residual, const at::Tensor& mask,
                const nn::Execution& execution);

 private:
  nn::Conv in_{nullptr}, attention_{nullptr}, out_{nullptr};
};

/// Cross-layer similarity distillation (Cheng et al., Interspeech 2022, pages 926 to 930), fusion
/// as in knowledge review (Chen et al., arXiv 2104.09044): the student's encoder taps, deep to
/// shallow, and its decoder taps, in order, are two chains. Layer i of a chain is u_i =
/// conv1x1(f_i) of a common width, r_i = a₁ ⊙ u_i + a₂ ⊙ resize(r_{i−1}) with two maps a =
/// σ(conv1x1([u_i, resize(r_{i−1})])), r_0 = u_0; what faces the teacher's tap is conv3x3(r_i),
/// through frame_similarity_distance. Fusion trains with the student.
class Clskd : public DistillTerm {
 public:
  Clskd(const ClskdOptions& options, const DistillContext& context);
  std::vector<std::string> student_taps() const override;
  std::vector<std::string> teacher_taps() const override;

 private:
  struct Layer {
    TapPair pair;
    std::vector<Regridder> resize;  ///< from the layer before; empty for the first of its chain
    std::shared_ptr<CrossLayerFusion> fusion;

    /// `residual` of the layer before on the grid, and in the memory format, of `x`.
    at::Tensor resized(const at::Tensor& residual, const at::Tensor& x);
  };
  at::Tensor distance(const DistillInput& input) override;
  void add_chain(std::vector<TapPair> pairs, int64_t width);

  std::vector<Layer> layers_;
  bool mean_;
};

void ClskdOptions::describe(config::Visitor& v) {
  v.value("student", taps.student,
          "taps encoder.i and decoder.i of the student; none named: all of them",
          config::any().or_one());
  v.value("teacher", taps.teacher, "taps of the teacher, one for each of the student's",
          config::any().or_one());
  v.value("width", width, "channels that the student's layers are fused at",
          config::between(1, 1024));
  v.value("reduction", reduction, "over frames: the sum, as published, or the mean",
          config::one_of({"sum", "mean"}));
}

CrossLayerFusion::CrossLayerFusion(int64_t in, int64_t width, int64_t out, bool first) {
  in_ = register_module("in_project",
                        nn::Conv(nn::ConvOptions{.in_channels = in, .out_channels = width}));
  if (!first) {
    attention_ = register_module(
        "attention", nn::Conv(nn::ConvOptions{.in_channels = 2 * width, .out_channels = 2}));
  }
  out_ = register_module("out_project", nn::Conv(nn::ConvOptions{.in_channels = width,
                                                                 .out_channels = out,
                                                                 .kernel_time = 3,
                                                                 .kernel_freq = 3,
                                                                 .lookahead = 1}));
}

CrossLayerFusion::Fused CrossLayerFusion::forward(const at::Tensor& x, const at::Tensor& residual,
                                                  const at::Tensor& mask,
                                                  const nn::Execution& execution) {
  auto fused = in_->forward_alone(x, execution);
  if (residual.defined()) {
    const auto both = at::cat({fused, residual}, 1);
    const auto maps = at::sigmoid(attention_->forward_alone(both, execution));  // [B, 2, T, F]
    fused = maps.narrow(1, 0, 1) * fused + maps.narrow(1, 1, 1) * residual;
  }
  // The 3x3 kernel meets zeros behind an item's end, as it would at the end of the batch.
  return {fused, out_->forward_alone(fused * mask.unsqueeze(1).unsqueeze(-1), execution)};
}

bool is_encoder(const std::string& tap) { return tap.starts_with("encoder."); }
bool is_decoder(const std::string& tap) { return tap.starts_with("decoder."); }

/// All encoder.i and decoder.i of both networks, if they have equally many of each.
TapOptions default_taps(const DistillContext& context) {
  TapOptions taps{{}, {}};
  for (const auto& chain : {is_encoder, is_decoder}) {
    const auto add = [&](const nn::DenoisingModel& model, std::vector<std::string>& to) {
      const auto names = model.tap_names();
      std::copy_if(names.begin(), names.end(), std::back_inserter(to), chain);
    };
    add(context.student, taps.student);
    add(context.teacher, taps.teacher);
    if (taps.student.size() == taps.teacher.size() && !taps.student.empty()) continue;
    throw ConfigError("the student has taps " + join(context.student.tap_names(), ", ") +
                      " and the teacher " + join(context.teacher.tap_names(), ", ") +
                      ", which do not pair up; name those to compare with student: [...] and "
                      "teacher: [...]");
  }
  return taps;
}

Clskd::Clskd(const ClskdOptions& options, const DistillContext& context)
    : mean_(options.reduction == "mean") {
  require_batch(context);
  const bool named = !options.taps.student.empty() || !options.taps.teacher.empty();
  auto pairs = pair_taps(named ? options.taps : default_taps(context), context);
  const auto order = context.student.tap_names();
  const auto place = [&](const TapPair& pair) {
    return std::find(order.begin(), order.end(), pair.student) - order.begin();
  };
  std::stable_sort(pairs.begin(), pairs.end(),
                   [&](const auto& a, const auto& b) { return place(a) < place(b); });
  std::vector<TapPair> encoder, decoder;
  for (TapPair& pair : pairs) {
    if (!is_encoder(pair.student) && !is_decoder(pair.student)) {
      throw ConfigError("student: fuses taps encoder.i and decoder.i, not '" + pair.student +
                        "'; this network has: " + join(order, ", "));
    }
    (is_encoder(pair.student) ? encoder : decoder).push_back(std::move(pair));
  }
  std::reverse(encoder.begin(), encoder.end());
  add_chain(std::move(encoder), options.width);
  add_chain(std::move(decoder), options.width);
}

void Clskd::add_chain(std::vector<TapPair> pairs, int64_t width) {
  for (size_t i = 0; i < pairs.size(); ++i) {
    const TapPair& pair = pairs[i];
    std::string name = pair.student;
    std::replace(name.begin(), name.end(), '.', '_');
    Layer layer{pair, {}, {}};
    if (i > 0) layer.resize.emplace_back(pairs[i - 1].student_info, pair.student_info);
    layer.fusion = register_module(
        name, std::make_shared<CrossLayerFusion>(pair.student_info.channels, width,
                                                 pair.teacher_info.channels, i == 0));
    layers_.push_back(std::move(layer));
  }
}

std::vector<std::string> Clskd::student_taps() const {
  std::vector<std::string> names;
  for (const Layer& layer : layers_) names.push_back(layer.pair.student);
  return names;
}

std::vector<std::string> Clskd::teacher_taps() const {
  std::vector<std::string> names;
  for (const Layer& layer : layers_) names.push_back(layer.pair.teacher);
  return names;
}

at::Tensor Clskd::Layer::resized(const at::Tensor& residual, const at::Tensor& x) {
  if (resize.empty()) return {};
  return resize.front()(residual, x.size(2)).contiguous(x.suggest_memory_format());
}

at::Tensor Clskd::distance(const DistillInput& input) {
  at::Tensor sum, residual;
  for (Layer& layer : layers_) {
    const auto x = layer.pair.student_feature(input);
    const auto mask = input.frame_mask.to(x.dtype());
    residual = layer.resized(residual, x);
    const auto fused = layer.fusion->forward(x, residual, mask, input.execution);
    residual = fused.residual;
    const auto distance = frame_similarity_distance(
        fused.feature, layer.pair.teacher_on_student_frames(input), mask, mean_);
    sum = sum.defined() ? sum + distance : distance;
  }
  return sum / static_cast<double>(layers_.size());
}

}  // namespace

void add_clskd(DistillTermRegistry& registry) {
  registry.add<Clskd, ClskdOptions>("clskd", "frame_similarity over fused layers of the student");
}

}  // namespace limbeck::objective
