#include "train/clip.h"

#include <torch/types.h>

namespace limbeck {

at::Tensor joint_norm(const std::vector<at::Tensor>& gradients) {
  return at::linalg_vector_norm(at::stack(at::_foreach_norm(gradients, 2)), 2);
}

}  // namespace limbeck
