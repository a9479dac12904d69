#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/impl/LocalDispatchKeySet.h>

namespace limbeck::objective {

/// float32 or double: sums over thousands of values are not taken in half precision. An undefined
/// tensor stays so.
at::Tensor full_precision(const at::Tensor& x);

/// While it lives, autocast does not reach this thread's operators.
struct NoAutocast {
  c10::impl::ExcludeDispatchKeyGuard guard{c10::autocast_dispatch_keyset};
};

}  // namespace limbeck::objective
