#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

namespace limbeck::nn {

/// "auto" takes the first GPU if LibTorch sees one. Throws ConfigError for a device that is not
/// there.
at::Device select_device(const std::string& name);

bool is_cpu(const std::string& name);

/// Cores that this process may use.
int available_cores();

/// Sets LibTorch's threads; 0: available_cores(). Returns the number.
int set_threads(int64_t threads);

}  // namespace limbeck::nn
