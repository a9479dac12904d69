#pragma once

#include <cstddef>

#include "limbeck/config/node.h"

namespace limbeck::config {

/// What a configuration may hold: a hundred times what any of ours does. Trees are copied, merged
/// and read by functions that recurse.
constexpr size_t kMaxDepth = 64;
constexpr size_t kMaxNodes = 100'000;
constexpr size_t kMaxFiles = 1000;
constexpr size_t kMaxBytes = 4 << 20;
constexpr size_t kMaxKeyBytes = 200;  // YAML takes 1024, escapes written out

/// Values of a tree, itself included; a long text counts as several.
size_t nodes_in(const Node& node);
/// Levels of a tree, itself included.
size_t depth_of(const Node& node);

}  // namespace limbeck::config
