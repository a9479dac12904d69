#pragma once

#include <string>

#include "limbeck/config/node.h"

namespace limbeck::config {

/// A length is in steps or in epochs: under `steps` or `epochs`, `warmup_steps` or `warmup_epochs`.
/// The key of the pair under which it is not to be, where `value` gives it under `key`; empty for
/// other keys, and for 0, which says that the other one gives it.
std::string rival_key(const std::string& key, const Node& value);

}  // namespace limbeck::config
