#pragma once

#include <string>
#include <vector>

#include "limbeck/objective/adapter.h"
#include "limbeck/objective/distill.h"
#include "objective/regrid.h"

// Legend: B batch, C channel, T frame, F bin.

namespace limbeck::objective {

/// Taps of both networks that pair up one by one: `latent` or `[latent, decoder.0]`.
struct TapOptions {
  std::vector<std::string> student = {"latent"};
  std::vector<std::string> teacher = {"latent"};
  void describe(config::Visitor& v);
};

/// A tap of the student and the teacher's that it is compared with.
struct TapPair {
  std::string student;
  std::string teacher;
  nn::TapInfo student_info;
  nn::TapInfo teacher_info;
  Regridder to_student;

  /// [B, C_S, T, F], in double if it came so, else in float32 whatever the network ran in.
  at::Tensor student_feature(const DistillInput& input) const;
  /// [B, C_T, T', F'], on the teacher's own grid.
  at::Tensor teacher_feature(const DistillInput& input) const;
  /// [B, C_T, T, F], on the student's grid.
  at::Tensor teacher_on_student_grid(const DistillInput& input);
  /// [B, C_T, T, F'], on the student's frames, with its own bins.
  at::Tensor teacher_on_student_frames(const DistillInput& input);
  /// [B, T'], 1 where the teacher's frames hold signal, of dtype `like`.
  at::Tensor teacher_mask(const DistillInput& input) const;
};

/// "tap 'latent' [B, 8, T, 16]"
std::string shape_text(const std::string& tap, const nn::TapInfo& info);

/// Throws ConfigError for unknown taps, and for lists that are empty or of unequal lengths.
std::vector<TapPair> pair_taps(const TapOptions& options, const DistillContext& context);

/// Throws ConfigError: with one utterance a batch there is nothing to compare it with.
void require_batch(const DistillContext& context);

/// A term that compares taps pair by pair: the mean over the pairs, so that its weight does not
/// grow with their number.
class PairedTerm : public DistillTerm {
 public:
  explicit PairedTerm(std::vector<TapPair> pairs) : pairs_(std::move(pairs)) {}
  std::vector<std::string> student_taps() const override;
  std::vector<std::string> teacher_taps() const override;

 protected:
  at::Tensor distance(const DistillInput& input) override;
  /// A scalar for pair `index`.
  virtual at::Tensor compare(size_t index, const DistillInput& input) = 0;
  std::vector<TapPair> pairs_;
};

/// One whose student side goes through an adapter, `adapter` or, of several, `adapter_0` ….
class AdaptedTerm : public PairedTerm {
 public:
  AdaptedTerm(std::vector<TapPair> pairs, const AdapterOptions& options);

 protected:
  at::Tensor compare(size_t index, const DistillInput& input) final;
  /// Both [B, C_T, T, F]; `mask` [B, T] of their dtype.
  virtual at::Tensor compare(const at::Tensor& student, const at::Tensor& teacher,
                             const at::Tensor& mask) = 0;

 private:
  std::vector<std::shared_ptr<Adapter>> adapters_;
};

}  // namespace limbeck::objective
