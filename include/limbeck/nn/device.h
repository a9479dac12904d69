#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include "limbeck/core/cause.h"

namespace limbeck::nn {

/// "auto" takes the first GPU if LibTorch sees one. Throws ConfigError for a device that is not
/// there.
at::Device select_device(const std::string& name);

bool is_cpu(const std::string& name);

/// The GPUs that a name leaves open, each by its own: "auto" and "cuda" all, "cuda:1" that one,
/// "cpu" none. Throws as select_device.
std::vector<std::string> gpus(const std::string& name);

/// What decides the last digits of what a GPU computes.
struct GpuMath {
  bool tf32 = false;           ///< multiply float32 with 10 bits of mantissa
  bool deterministic = false;  ///< no operation whose order of summation is left to chance
};

/// Sets LibTorch's switches of the process accordingly; cuDNN never chooses algorithms by timing.
void set_gpu_math(const GpuMath& math);

/// select_device for whoever computes there: a GPU becomes the current one, with its math set.
at::Device use_device(const std::string& name, const GpuMath& math = {});

/// What kind of device it is, as "cpu" or "cuda NVIDIA H100": others of the kind give the same
/// bits.
std::string device_model(const at::Device& device);

/// Options of float32 tensors on the host, from which a copy to `device` that is non-blocking lets
/// the host go on: pinned memory, which LibTorch keeps from being used anew until the copy is done.
at::TensorOptions host_memory(const at::Device& device);

/// Most bytes of a GPU that tensors took at once, in this process; none of a CPU, and before
/// LibTorch 2.9.
std::optional<int64_t> peak_memory_bytes(const at::Device& device);

/// Throws ConfigError; `batch` is the option that decides how much is needed, with its value.
[[noreturn]] void throw_out_of_memory(const at::Device& device, const std::string& batch);
/// Throws DataError, of a recording that the caller is to name.
[[noreturn]] void throw_out_of_memory(const at::Device& device);

/// Calls `body`, whose lack of memory becomes ConfigError.
template <class Body>
auto within_memory(const at::Device& device, const std::string& batch, const Body& body) {
  try {
    return body();
  } catch (const std::exception& error) {
    if (!is_out_of_memory(error)) throw;
    throw_out_of_memory(device, batch);
  }
}

/// The same for what works on one recording: DataError.
template <class Body>
auto within_memory(const at::Device& device, const Body& body) {
  try {
    return body();
  } catch (const std::exception& error) {
    if (!is_out_of_memory(error)) throw;
    throw_out_of_memory(device);
  }
}

/// Cores that this process may use.
int available_cores();

/// Sets LibTorch's threads; 0: available_cores(). Returns the number.
int set_threads(int64_t threads);

}  // namespace limbeck::nn
