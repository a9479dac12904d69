#pragma once

#include <ATen/Context.h>

#include <string>

#include "device/fake_device.h"
#include "nn/support.h"

namespace limbeck::test {

enum class DeviceKind { fake, cuda };

inline std::string name_of(DeviceKind kind) { return kind == DeviceKind::fake ? "fake" : "cuda"; }

inline at::Device device_of(DeviceKind kind) {
  return kind == DeviceKind::fake ? fake_device() : at::Device(at::kCUDA, 0);
}

/// Ends a test for a device that is not there. The fake one gives way to a real one, as LibTorch
/// has pinned memory for one of them only.
#define LIMBECK_SKIP_WITHOUT(kind)                                                    \
  if (at::hasCUDA() != ((kind) == DeviceKind::cuda)) {                                \
    GTEST_SKIP() << (at::hasCUDA() ? "a CUDA GPU is there" : "there is no CUDA GPU"); \
  }

/// The fake device has the values of the CPU to the bit, a GPU within 1e-4.
inline bool same_on(DeviceKind kind, const at::Tensor& value, const at::Tensor& on_cpu) {
  return kind == DeviceKind::fake ? same_bits(value.cpu(), on_cpu)
                                  : relative_difference(value.cpu(), on_cpu) < 1e-4;
}

}  // namespace limbeck::test
