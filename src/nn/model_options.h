#pragma once

#include <cstdint>

#include "limbeck/config/schema.h"

namespace limbeck::nn {

/// Options of a network, as model files hold them: nobody knows who wrote these, so that what they
/// ask for is known before it is built.
struct ModelOptions : config::ComponentOptions {
  /// Numbers in the network's state (`state_of`).
  virtual int64_t values() const = 0;
};

/// That a network may have: 1 GiB of float32, a thousand times what denoisers have.
constexpr int64_t kMaxValues = int64_t{1} << 28;

}  // namespace limbeck::nn
