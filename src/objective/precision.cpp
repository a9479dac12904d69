#include "objective/precision.h"

#include <torch/types.h>

namespace limbeck::objective {

at::Tensor full_precision(const at::Tensor& x) {
  return !x.defined() || x.scalar_type() == torch::kDouble ? x : x.to(torch::kFloat);
}

}  // namespace limbeck::objective
