#include "limbeck/objective/loss.h"

#include "objective/precision.h"

namespace limbeck::objective {

at::Tensor Loss::forward(const LossInput& input) {
  const NoAutocast guard;
  return compute(
      {full_precision(input.estimate), full_precision(input.clean), full_precision(input.mask)});
}

}  // namespace limbeck::objective
