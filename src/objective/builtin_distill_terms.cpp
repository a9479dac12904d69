#include "objective/cosine.h"

namespace limbeck::objective {

const DistillTermRegistry& distill_terms() {
  static const DistillTermRegistry registry = [] {
    DistillTermRegistry r("distillation term");
    r.add<CosineOptions>(
        "cosine", "cosine distance between latents",
        [](const CosineOptions& o, const DistillContext& context) -> std::unique_ptr<DistillTerm> {
          return std::make_unique<Cosine>(o, context.student, context.teacher);
        });
    return r;
  }();
  return registry;
}

}  // namespace limbeck::objective
