#include "limbeck/nn/device.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>
#include <sched.h>
#include <torch/types.h>
#include <torch/version.h>

#include <algorithm>
#include <cstdlib>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"

namespace limbeck::nn {
namespace {

/// As the driver calls it, which is there where LibTorch sees a GPU; "" if it does not answer.
std::string name_of_gpu(int index) {
  void* driver = ::dlopen("libcuda.so.1", RTLD_LAZY);
  if (driver == nullptr) return "";
  const auto init = reinterpret_cast<int (*)(unsigned)>(::dlsym(driver, "cuInit"));
  const auto get = reinterpret_cast<int (*)(int*, int)>(::dlsym(driver, "cuDeviceGet"));
  const auto name_of =
      reinterpret_cast<int (*)(char*, int, int)>(::dlsym(driver, "cuDeviceGetName"));
  int device = 0;
  char name[256] = "";
  if (!init || !get || !name_of || init(0) != 0 || get(&device, index) != 0) return "";
  return name_of(name, sizeof name, device) == 0 ? name : "";
}

}  // namespace

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

std::vector<std::string> gpus(const std::string& name) {
  const at::Device device = select_device(name);
  if (device.is_cpu()) return {};
  if (name != "auto" && name != "cuda") return {device.str()};
  std::vector<std::string> names;
  const auto count = static_cast<int>(at::detail::getCUDAHooks().deviceCount());
  for (int i = 0; i < count; ++i) names.push_back(format("cuda:%d", i));
  return names;
}

void set_gpu_math(const GpuMath& math) {
  auto& context = at::globalContext();
  context.setAllowTF32CuDNN(math.tf32);
  context.setAllowTF32CuBLAS(math.tf32);
  context.setBenchmarkCuDNN(false);
  context.setDeterministicCuDNN(true);
  context.setDeterministicAlgorithms(math.deterministic, /*warn_only=*/false);
  // cuBLAS reads it when it is first used; without it LibTorch refuses products in this mode.
  if (math.deterministic) ::setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);
}

at::Device use_device(const std::string& name, const GpuMath& math) {
  const at::Device device = select_device(name);
  if (device.is_cpu()) return device;
  set_gpu_math(math);
  // Pinned memory, and whatever else names no device, belongs to the current one.
  c10::impl::VirtualGuardImpl(device.type()).setDevice(device);
  return device;
}

std::string device_model(const at::Device& device) {
  std::string model = c10::DeviceTypeName(device.type(), /*lower_case=*/true);
  if (!device.is_cuda()) return model;
  const std::string name = name_of_gpu(device.index());
  return name.empty() ? model : model + " " + name;
}

at::TensorOptions host_memory(const at::Device& device) {
  return at::TensorOptions(at::kFloat).pinned_memory(!device.is_cpu());
}

std::optional<int64_t> peak_memory_bytes([[maybe_unused]] const at::Device& device) {
#if TORCH_VERSION_MAJOR > 2 || TORCH_VERSION_MINOR >= 9
  if (device.is_cpu()) return std::nullopt;
  const auto stats = c10::getDeviceAllocator(device.type())->getDeviceStats(device.index());
  return stats.allocated_bytes[static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE)]
      .peak;
#else
  return std::nullopt;
#endif
}

void throw_out_of_memory(const at::Device& device, const std::string& batch) {
  throw ConfigError(
      format("out of memory on %s with %s; a smaller one takes less", device.str(), batch));
}

void throw_out_of_memory(const at::Device& device) {
  throw DataError("out of memory on " + device.str());
}

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
