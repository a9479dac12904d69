#include <torch/types.h>

#include "objective/bounded_gradient.h"
#include "objective/terms/paired_term.h"

namespace limbeck::objective {
namespace {

struct CosineOptions : config::Component<CosineOptions> {
  TapOptions taps;
  std::string granularity = "frame";
  AdapterOptions adapter;
  double epsilon = 1e-3;
  void describe(config::Visitor& v) override {
    taps.describe(v);
    v.value("granularity", granularity, "what one cosine is taken over",
            config::one_of({"frame", "bin", "utterance"}));
    v.section("adapter", adapter, "maps the student's tap to the teacher's channels");
    v.value("epsilon", epsilon,
            "vectors of the teacher that are shorter than this share of their root mean square "
            "length take no part",
            config::between(0, 1));
  }
};

/// The proposed distillation (arXiv 2505.03442): mean over vectors of 1 − cos(A(z_S), sg(z_T)). A
/// vector is the C·F values of a frame, the C values of a time-frequency bin, or the C·T·F values
/// of an utterance. Vectors of the teacher that are shorter than ε times their root mean square
/// length take no part, nor does padding. See bounded_gradient for short vectors of the student.
class Cosine : public AdaptedTerm {
 public:
  Cosine(const CosineOptions& options, const DistillContext& context)
      : AdaptedTerm(pair_taps(options.taps, context), options.adapter), options_(options) {}

 private:
  at::Tensor compare(const at::Tensor& student, const at::Tensor& teacher,
                     const at::Tensor& mask) override {
    at::Tensor s = student;
    at::Tensor t = teacher;
    at::Tensor valid = mask;  // [B, T]
    if (options_.granularity == "frame") {
      s = s.permute({0, 2, 1, 3}).flatten(2);  // [B, T, C·F]
      t = t.permute({0, 2, 1, 3}).flatten(2);
    } else if (options_.granularity == "bin") {
      s = s.permute({0, 2, 3, 1});  // [B, T, F, C]
      t = t.permute({0, 2, 3, 1});
      valid = valid.unsqueeze(-1);  // [B, T, 1]
    } else {
      const auto frames = valid.unsqueeze(1).unsqueeze(-1);  // [B, 1, T, 1]
      s = (s * frames).flatten(1).unsqueeze(1);              // [B, 1, C·T·F]
      t = (t * frames).flatten(1).unsqueeze(1);
      valid = valid.amax(1, true);  // [B, 1]
    }
    const auto t_energy = t.square().sum(-1);
    const auto mean_energy = (t_energy * valid).sum() / valid.sum().clamp_min(1);
    const auto floor = (options_.epsilon * options_.epsilon * mean_energy)
                           .clamp_min(kSilentRms * kSilentRms * static_cast<double>(t.size(-1)));
    const auto counted = valid * (t_energy > floor).to(s.dtype());
    s = bounded_gradient(s, {-1}, counted.unsqueeze(-1));
    // A student's zero vector has no direction: its cosine is 0.
    const auto norms = (s.square().sum(-1).clamp_min(1e-20) * t_energy.clamp_min(1e-20)).sqrt();
    const auto distance = 1 - (s * t).sum(-1) / norms;
    return (distance * counted).sum() / counted.sum().clamp_min(1);
  }

  CosineOptions options_;
};

}  // namespace

void add_cosine(DistillTermRegistry& registry) {
  registry.add<Cosine, CosineOptions>("cosine", "cosine distance between latents");
}

}  // namespace limbeck::objective
