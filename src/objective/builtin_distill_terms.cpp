#include "objective/terms/attention.h"
#include "objective/terms/clskd.h"
#include "objective/terms/cosine.h"
#include "objective/terms/fitnet.h"
#include "objective/terms/output.h"
#include "objective/terms/selective_output.h"
#include "objective/terms/similarity.h"

namespace limbeck::objective {
namespace {

template <class Term, class Options>
void add(DistillTermRegistry& r, const std::string& name, const std::string& help) {
  r.add<Options>(
      name, help,
      [](const Options& o, const DistillContext& context) -> std::unique_ptr<DistillTerm> {
        return std::make_unique<Term>(o, context);
      });
}

}  // namespace

const DistillTermRegistry& distill_terms() {
  static const DistillTermRegistry registry = [] {
    DistillTermRegistry r("distillation term");
    add<Attention, AttentionOptions>(r, "attention", "maps of energy over time and frequency");
    add<Clskd, ClskdOptions>(r, "clskd", "frame_similarity over fused layers of the student");
    add<Cosine, CosineOptions>(r, "cosine", "cosine distance between latents");
    add<FitNet, FitNetOptions>(r, "fitnet", "squared difference of features");
    add<FrameSimilarity, FrameSimilarityOptions>(
        r, "frame_similarity", "which utterances of the batch are alike, frame by frame");
    add<Output, OutputOptions>(r, "output", "the teacher's estimate as the target");
    add<SelectiveOutput, SelectiveOutputOptions>(
        r, "selective_output", "the teacher's estimate where it is the better one");
    add<SelfSimilarity, SelfSimilarityOptions>(r, "self_similarity",
                                               "which frames or bins of an utterance are alike");
    add<Similarity, SimilarityOptions>(r, "similarity", "which utterances of the batch are alike");
    return r;
  }();
  return registry;
}

}  // namespace limbeck::objective
