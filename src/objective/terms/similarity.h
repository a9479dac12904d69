#pragma once

#include "objective/terms/paired_term.h"

namespace limbeck::objective {

struct SimilarityOptions : config::Component<SimilarityOptions> {
  TapOptions taps;
  void describe(config::Visitor& v) override { taps.describe(v); }
};

/// Similarity-preserving distillation (Tung and Mori, arXiv 1907.09682, equations 1 to 4):
/// 1/B² ‖G_S − sg(G_T)‖²_F, G = f fᵀ with rows of unit L2 norm, f [B, C·T·F]. Which utterances of
/// the batch resemble one another; neither channels nor grids need agree.
class Similarity : public PairedTerm {
 public:
  Similarity(const SimilarityOptions& options, const DistillContext& context)
      : PairedTerm(pair_taps(options.taps, context)) {
    require_batch(context);
  }

 protected:
  at::Tensor compare(size_t index, const DistillInput& input) override;
};

struct FrameSimilarityOptions : config::Component<FrameSimilarityOptions> {
  TapOptions taps;
  std::string reduction = "sum";
  void describe(config::Visitor& v) override;
};

/// The same per frame (CLSKD equations 6 and 7): see frame_similarity_distance. The teacher's
/// frames move to the student's; channels and bins need not agree.
class FrameSimilarity : public PairedTerm {
 public:
  FrameSimilarity(const FrameSimilarityOptions& options, const DistillContext& context)
      : PairedTerm(pair_taps(options.taps, context)), mean_(options.reduction == "mean") {
    require_batch(context);
  }

 protected:
  at::Tensor compare(size_t index, const DistillInput& input) override;

 private:
  bool mean_;
};

struct SelfSimilarityOptions : config::Component<SelfSimilarityOptions> {
  TapOptions taps;
  std::string axis = "time";
  void describe(config::Visitor& v) override;
};

/// Gram matrices inside one utterance (the loss of two-step distillation, Nathoo et al., arXiv
/// 2309.08144): cosines between all pairs of frames (axis time, vectors of C·F) or of bins (axis
/// frequency, vectors of C·T); mean over an utterance's valid pairs of the squared difference, then
/// over utterances. The teacher's frames move to the student's, and for axis frequency its bins.
class SelfSimilarity : public PairedTerm {
 public:
  SelfSimilarity(const SelfSimilarityOptions& options, const DistillContext& context)
      : PairedTerm(pair_taps(options.taps, context)), by_frame_(options.axis == "time") {}

 protected:
  at::Tensor compare(size_t index, const DistillInput& input) override;

 private:
  bool by_frame_;
};

}  // namespace limbeck::objective
