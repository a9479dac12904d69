#include "limbeck/objective/distill.h"

#include <c10/core/impl/LocalDispatchKeySet.h>

namespace limbeck::objective {

at::Tensor DistillTerm::forward(const DistillInput& input) {
  const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
  return distance(input);
}

}  // namespace limbeck::objective
