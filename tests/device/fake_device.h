#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace limbeck::test {

/// A device that stands in for a GPU: a PrivateUse1 backend whose kernels are those of the CPU, on
/// tensors in the same order of memory. What it holds is out of the host's reach, as its pointers
/// lead nowhere; operations that mix its tensors with the host's are refused, but for copies and
/// scalars; and whatever would make the host wait for a GPU is noted.
at::Device fake_device();

/// What the host waited for since this was asked before: values that it read, and what it sent
/// from memory that is not pinned, or without leave to go on meanwhile.
std::vector<std::string> take_waits();

/// While it lives, the device has room for so many bytes more.
class MemoryLimit {
 public:
  explicit MemoryLimit(int64_t bytes);
  ~MemoryLimit();
  MemoryLimit(const MemoryLimit&) = delete;
  MemoryLimit& operator=(const MemoryLimit&) = delete;
};

}  // namespace limbeck::test
