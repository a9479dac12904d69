#include <torch/types.h>

#include <limits>

#include "limbeck/objective/distill.h"
#include "objective/losses/spectral_distance.h"
#include "objective/precision.h"

namespace limbeck::objective {
namespace {

struct SelectiveOutputOptions : config::Component<SelectiveOutputOptions> {
  SelectiveOutputOptions() {
    spectra.stft = {
        .window_samples = 512, .hop_samples = 128, .fft_samples = 512, .window = "hann"};
  }
  double share = 0.5;
  int64_t patch_bins = 16;
  int64_t patch_frames = 8;
  SpectralDistanceOptions spectra;
  void describe(config::Visitor& v) override {
    v.value("share", share, "share of an utterance's patches that may be selected",
            config::between(0.01, 1));
    v.value("patch_bins", patch_bins, "bins of a patch", config::at_least(1));
    v.value("patch_frames", patch_frames, "frames of a patch", config::at_least(1));
    spectra.describe(v);
    v.require(patch_bins <= spectra.stft.bins(), "patch_bins",
              "must not be more than the spectrum has bins");
  }
};

/// Output distillation where the teacher knows better (DISPatch, arXiv 2509.15922). Spectra are cut
/// into patches of bins and frames. A patch's knowledge gap is E_S − E_T, E the mean distance of an
/// estimate from the clean signal there; an utterance's `share` of patches with the widest gaps is
/// selected, and of these those where the gap is positive. The loss is the mean distance between
/// student and teacher over the selected patches' values. Both distances are that of compressed
/// spectra (see spectral_distance). Bins left over at the top belong to the last patch.
class SelectiveOutput : public DistillTerm {
 public:
  SelectiveOutput(const SelectiveOutputOptions& options, const DistillContext&)
      : options_(options), stft_(register_module("stft", Stft(options.spectra.stft))) {}
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

at::Tensor SelectiveOutput::patch_sums(const at::Tensor& values) const {
  const int64_t bands = options_.spectra.stft.bins() / options_.patch_bins;
  const int64_t whole = bands * options_.patch_bins;
  auto sums = values.narrow(2, 0, whole).unflatten(2, {bands, options_.patch_bins}).sum(-1);
  if (whole < values.size(2)) {
    const auto rest = values.narrow(2, whole, values.size(2) - whole).sum(-1, true);
    sums = sums + at::constant_pad_nd(rest, {bands - 1, 0});
  }
  const int64_t rows = (values.size(1) + options_.patch_frames - 1) / options_.patch_frames;
  return at::constant_pad_nd(sums, {0, 0, 0, rows * options_.patch_frames - values.size(1)})
      .unflatten(1, {rows, options_.patch_frames})
      .sum(2);
}

at::Tensor SelectiveOutput::select(const at::Tensor& student_error, const at::Tensor& teacher_error,
                                   const at::Tensor& valid) const {
  const auto counts = patch_sums(valid);  // [B, T', F']
  const auto gap = patch_sums((student_error - teacher_error) * valid) / counts.clamp_min(1);
  const auto ranked =
      gap.masked_fill(counts == 0, -std::numeric_limits<double>::infinity()).flatten(1);
  const auto rank = ranked.argsort(true, 1, true).argsort(true, 1, false);  // 0: the widest gap
  const auto allowed =
      ((counts > 0).flatten(1).sum(1, true, torch::kDouble) * options_.share - 1e-9).ceil();
  return ((rank < allowed).logical_and(ranked > 0)).view_as(gap).to(valid.dtype());
}

at::Tensor SelectiveOutput::distance(const DistillInput& input) {
  const at::Tensor& mask = input.sample_mask;
  const auto spectra = [&](const at::Tensor& signal) {
    const auto x = full_precision(signal);
    return compress(stft_, mask.defined() ? x * mask : x, options_.spectra.power);
  };
  const auto student = spectra(input.student_estimate);
  const auto teacher = spectra(input.teacher_estimate);
  const auto clean = spectra(input.clean);
  const auto distance =
      spectral_distance(student, teacher, options_.spectra.complex_weight);  // [B, T, F]
  const auto valid = mask.defined() ? signal_frames(mask, options_.spectra.stft, distance.size(1))
                                          .to(distance.dtype())
                                          .unsqueeze(-1)
                                          .expand_as(distance)
                                    : at::ones_like(distance);
  const auto selected = select(
      spectral_distance(student, clean, options_.spectra.complex_weight).detach(),
      spectral_distance(teacher, clean, options_.spectra.complex_weight).detach(), valid.detach());
  return (patch_sums(distance * valid) * selected).sum() /
         (patch_sums(valid) * selected).sum().clamp_min(1);
}

}  // namespace

void add_selective_output(DistillTermRegistry& registry) {
  registry.add<SelectiveOutput, SelectiveOutputOptions>(
      "selective_output", "the teacher's estimate where it is the better one");
}

}  // namespace limbeck::objective
