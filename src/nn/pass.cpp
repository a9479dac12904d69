#include "nn/pass.h"

#include <torch/types.h>

#include <numeric>

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

at::Tensor ValidFrames::cut(const at::Tensor& x) const { return x.masked_fill(padding_, 0); }

}  // namespace limbeck::nn
