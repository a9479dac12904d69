#pragma once

#include "limbeck/nn/layers.h"
#include "objective/terms/paired_term.h"

namespace limbeck::objective {

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
  Fused forward(const at::Tensor& x, const at::Tensor& residual, const at::Tensor& mask);

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
  };
  at::Tensor distance(const DistillInput& input) override;
  void add_chain(std::vector<TapPair> pairs, int64_t width);

  std::vector<Layer> layers_;
  bool mean_;
};

}  // namespace limbeck::objective
