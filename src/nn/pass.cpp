#include "nn/pass.h"

#include <torch/types.h>

#include <numeric>

#include "nn/kernels.h"

namespace limbeck::nn {

at::Tensor behind(const std::vector<int64_t>& lengths, int64_t size, at::Device device) {
  const auto ends = torch::tensor(lengths, torch::kLong).to(device, true).unsqueeze(1);  // [B, 1]
  return at::arange(size, ends.options()).unsqueeze(0) >= ends;
}

ValidFrames::ValidFrames(std::vector<int64_t> counts, int64_t all, at::Device device)
    : counts_(std::move(counts)),
      padding_(behind(counts_, all, device).unsqueeze(1).unsqueeze(3)) {}

int64_t ValidFrames::total() const {
  return std::accumulate(counts_.begin(), counts_.end(), int64_t{0});
}

at::Tensor ValidFrames::cut(const at::Tensor& x) const {
  return at::where(padding_, at::Scalar(0), x);  // in the order of x, which masked_fill forgets
}

const char* Pass::no_kernel_for(const at::Tensor& x) const {
  if (kernels == Kernels::reference) return "run.kernels: reference";
  if (!channels_last) return "memory_format: contiguous";
  if (!x.is_cpu()) return "not on a CPU";
  if (x.scalar_type() != torch::kFloat) return "not float32";
  return has_kernel(x) ? nullptr : kFormatLost;
}

at::Tensor Pass::for_kernels(const at::Tensor& x) const {
  if (no_kernel_for(x) != kFormatLost) return x;
  by_libtorch("copy", kFormatLost);
  return x.contiguous(at::MemoryFormat::ChannelsLast);
}

}  // namespace limbeck::nn
