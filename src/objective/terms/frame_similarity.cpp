#include "objective/terms/gram.h"
#include "objective/terms/paired_term.h"

namespace limbeck::objective {
namespace {

struct FrameSimilarityOptions : config::Component<FrameSimilarityOptions> {
  TapOptions taps;
  std::string reduction = "sum";
  void describe(config::Visitor& v) override {
    taps.describe(v);
    v.value("reduction", reduction, "over frames: the sum, as published, or the mean",
            config::one_of({"sum", "mean"}));
  }
};

/// `similarity` frame by frame (CLSKD equations 6 and 7): see frame_similarity_distance. The
/// teacher's frames move to the student's; channels and bins need not agree.
class FrameSimilarity : public PairedTerm {
 public:
  FrameSimilarity(const FrameSimilarityOptions& options, const DistillContext& context)
      : PairedTerm(pair_taps(options.taps, context)), mean_(options.reduction == "mean") {
    require_batch(context);
  }

 private:
  at::Tensor compare(size_t index, const DistillInput& input) override {
    TapPair& pair = pairs_[index];
    const auto s = pair.student_feature(input);
    return frame_similarity_distance(s, pair.teacher_on_student_frames(input),
                                     input.frame_mask.to(s.dtype()), mean_);
  }

  bool mean_;
};

}  // namespace

void add_frame_similarity(DistillTermRegistry& registry) {
  registry.add<FrameSimilarity, FrameSimilarityOptions>(
      "frame_similarity", "which utterances of the batch are alike, frame by frame");
}

}  // namespace limbeck::objective
