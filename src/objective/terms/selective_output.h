#pragma once

#include "limbeck/objective/distill.h"
#include "objective/losses/spectral_distance.h"

namespace limbeck::objective {

struct SelectiveOutputOptions : config::Component<SelectiveOutputOptions> {
  SelectiveOutputOptions();
  double share = 0.5;
  int64_t patch_bins = 16;
  int64_t patch_frames = 8;
  SpectralDistanceOptions spectra;
  void describe(config::Visitor& v) override;
};

/// Output distillation where the teacher knows better (DISPatch, arXiv 2509.15922). Spectra are cut
/// into patches of bins and frames. A patch's knowledge gap is E_S − E_T, E the mean distance of an
/// estimate from the clean signal there; an utterance's `share` of patches with the widest gaps is
/// selected, and of these those where the gap is positive. The loss is the mean distance between
/// student and teacher over the selected patches' values. Both distances are that of compressed
/// spectra (see spectral_distance). Bins left over at the top belong to the last patch.
class SelectiveOutput : public DistillTerm {
 public:
  SelectiveOutput(const SelectiveOutputOptions& options, const DistillContext& context);
  bool needs_teacher_estimate() const override { return true; }

 private:
  at::Tensor distance(const DistillInput& input) override;
  /// Sums over patches: [B, T, F] → [B, T', F'].
  at::Tensor patch_sums(const at::Tensor& values) const;
  /// [B, T', F'], 1 for selected patches; all [B, T, F].
  at::Tensor select(const at::Tensor& student_error, const at::Tensor& teacher_error,
                    const at::Tensor& valid) const;

  SelectiveOutputOptions options_;
  Stft stft_;
};

}  // namespace limbeck::objective
