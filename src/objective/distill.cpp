#include "limbeck/objective/distill.h"

#include "objective/precision.h"

namespace limbeck::objective {

at::Tensor DistillTerm::forward(const DistillInput& input) {
  const NoAutocast guard;
  return distance(input);
}

}  // namespace limbeck::objective
