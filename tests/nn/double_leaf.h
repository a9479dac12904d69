#pragma once

#include <torch/types.h>

namespace limbeck::test {

/// What a kernel's input is in the reference computation: the same values in double, contiguous,
/// with a gradient of their own. An undefined tensor stays so.
inline at::Tensor double_leaf(const at::Tensor& t) {
  return t.defined() ? t.detach().to(torch::kDouble).contiguous().requires_grad_() : t;
}

}  // namespace limbeck::test
