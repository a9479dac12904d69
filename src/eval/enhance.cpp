#include "eval/enhance.h"

#include <torch/types.h>

#include <algorithm>
#include <map>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/nn/device.h"

namespace limbeck {

std::vector<std::vector<float>> estimates_of(const nn::Enhancer& enhancer,
                                             const std::vector<std::vector<float>>& noisy,
                                             int rate_hz) {
  if (rate_hz != enhancer.rate_hz()) {
    throw DataError(
        format("the recording has %d Hz, but the model works at %d Hz; limbeck-evaluate --resample "
               "brings it there",
               rate_hz, enhancer.rate_hz()));
  }
  size_t longest = 0;
  for (const auto& samples : noisy) longest = std::max(longest, samples.size());
  auto input = torch::zeros({static_cast<int64_t>(noisy.size()), static_cast<int64_t>(longest)});
  for (size_t i = 0; i < noisy.size(); ++i) {
    std::copy(noisy[i].begin(), noisy[i].end(), input.data_ptr<float>() + i * longest);
  }
  const auto enhance = [&] { return enhancer(input).contiguous(); };  // [B, L]
  const at::Device device = enhancer.device();
  const auto output =
      noisy.size() == 1
          ? nn::within_memory(device, enhance)
          : nn::within_memory(device, format("batch_size: %d", noisy.size()), enhance);
  std::vector<std::vector<float>> estimates;
  for (size_t i = 0; i < noisy.size(); ++i) {
    const float* first = output.const_data_ptr<float>() + i * longest;
    estimates.emplace_back(first, first + noisy[i].size());
  }
  return estimates;
}

std::vector<std::vector<size_t>> batches_for(const nn::Enhancer& enhancer,
                                             const std::vector<int64_t>& samples, int64_t size) {
  std::map<int64_t, std::vector<size_t>, std::greater<>> by_frames;
  for (size_t i = 0; i < samples.size(); ++i) {
    by_frames[enhancer.model().tap_frames(samples[i])].push_back(i);
  }
  const size_t limit = enhancer.device().is_cpu() ? 1 : static_cast<size_t>(size);
  std::vector<std::vector<size_t>> batches;
  for (const auto& [frames, items] : by_frames) {
    for (size_t first = 0; first < items.size(); first += limit) {
      const size_t last = std::min(first + limit, items.size());
      batches.emplace_back(items.begin() + static_cast<std::ptrdiff_t>(first),
                           items.begin() + static_cast<std::ptrdiff_t>(last));
    }
  }
  return batches;
}

}  // namespace limbeck
