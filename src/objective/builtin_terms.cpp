#include "limbeck/objective/distill.h"

namespace limbeck::objective {

// Each is a file of terms/.
void add_attention(DistillTermRegistry&);
void add_clskd(DistillTermRegistry&);
void add_cosine(DistillTermRegistry&);
void add_fitnet(DistillTermRegistry&);
void add_frame_similarity(DistillTermRegistry&);
void add_output(DistillTermRegistry&);
void add_selective_output(DistillTermRegistry&);
void add_self_similarity(DistillTermRegistry&);
void add_similarity(DistillTermRegistry&);

const DistillTermRegistry& distill_terms() {
  static const DistillTermRegistry registry = [] {
    DistillTermRegistry all("distillation term");
    add_attention(all);
    add_clskd(all);
    add_cosine(all);
    add_fitnet(all);
    add_frame_similarity(all);
    add_output(all);
    add_selective_output(all);
    add_self_similarity(all);
    add_similarity(all);
    return all;
  }();
  return registry;
}

}  // namespace limbeck::objective
