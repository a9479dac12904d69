#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "limbeck/nn/kernel_use.h"

namespace limbeck {

/// [{"operation": "gru", "by": "kernel", "calls": 4, "no_kernel_since": ""}, ...]
nlohmann::json kernels_json(const nn::KernelUse& use);

/// What ran where, of each of several passes by name; a single one needs none.
std::string kernels_text(const std::vector<std::pair<std::string, nn::KernelUse>>& passes);

}  // namespace limbeck
