#include "limbeck/nn/device.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <sched.h>

#include <algorithm>

#include "limbeck/core/error.h"

namespace limbeck::nn {

at::Device select_device(const std::string& name) {
  const bool has_cuda = at::globalContext().hasCUDA();
  if (name == "auto") return has_cuda ? at::Device(at::kCUDA, 0) : at::Device(at::kCPU);
  if (name == "cpu") return at::kCPU;
  const bool is_cuda =
      name == "cuda" ||
      (name.starts_with("cuda:") && name.size() > 5 &&
       name.find_first_not_of("0123456789", 5) == std::string::npos && name.size() < 9);
  if (!is_cuda) throw ConfigError("device: '" + name + "' is not one of auto, cpu, cuda, cuda:i");
  if (!has_cuda)
    throw ConfigError("device: '" + name + "' asked for, but LibTorch sees no CUDA GPU here");
  const int index = name == "cuda" ? 0 : std::stoi(name.substr(5));
  if (index >= static_cast<int>(at::detail::getCUDAHooks().deviceCount())) {
    throw ConfigError("device: there is no " + name);
  }
  return {at::kCUDA, static_cast<c10::DeviceIndex>(index)};
}

bool is_cpu(const std::string& name) { return select_device(name).is_cpu(); }

int available_cores() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  ::sched_getaffinity(0, sizeof allowed, &allowed);
  return std::max(CPU_COUNT(&allowed), 1);
}

int set_threads(int64_t threads) {
  const int count = threads > 0 ? static_cast<int>(threads) : available_cores();
  at::set_num_threads(count);
  return count;
}

}  // namespace limbeck::nn
