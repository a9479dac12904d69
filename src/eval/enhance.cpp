#include "eval/enhance.h"

#include <ATen/Parallel.h>
#include <torch/types.h>

#include <algorithm>
#include <map>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/nn/device.h"

namespace limbeck {

Enhancer::Enhancer(const std::filesystem::path& model_file, const std::string& device,
                   nn::Kernels kernels)
    : model_(nn::read_model(model_file)), device_(nn::use_device(device)) {
  model_->to(device_);
  model_->set_kernels(kernels);
}

std::vector<std::vector<float>> Enhancer::operator()(const std::vector<std::vector<float>>& noisy,
                                                     int rate_hz) const {
  if (rate_hz != model_->rate_hz()) {
    throw DataError(
        format("the recording has %d Hz, but the model works at %d Hz; limbeck-evaluate --resample "
               "brings it there",
               rate_hz, model_->rate_hz()));
  }
  size_t longest = 0;
  for (const auto& samples : noisy) longest = std::max(longest, samples.size());
  auto input = torch::zeros({static_cast<int64_t>(noisy.size()), static_cast<int64_t>(longest)});
  for (size_t i = 0; i < noisy.size(); ++i) {
    std::copy(noisy[i].begin(), noisy[i].end(), input.data_ptr<float>() + i * longest);
  }
  at::NoGradGuard no_grad;  // is the calling thread's own
  std::unique_lock lock(gpu_, std::defer_lock);
  device_.is_cpu() ? at::set_num_threads(1) : lock.lock();
  const auto output = nn::within_memory(device_, format("batch_size: %d", noisy.size()), [&] {
    return model_->forward(input.to(device_), {}).estimate.cpu().contiguous();  // [B, L]
  });
  std::vector<std::vector<float>> estimates;
  for (size_t i = 0; i < noisy.size(); ++i) {
    const float* first = output.const_data_ptr<float>() + i * longest;
    estimates.emplace_back(first, first + noisy[i].size());
  }
  return estimates;
}

std::vector<std::vector<size_t>> Enhancer::batches(const std::vector<int64_t>& samples,
                                                   int64_t size) const {
  std::map<int64_t, std::vector<size_t>, std::greater<>> by_frames;
  for (size_t i = 0; i < samples.size(); ++i) {
    by_frames[model_->tap_frames(samples[i])].push_back(i);
  }
  const size_t limit = device_.is_cpu() ? 1 : static_cast<size_t>(size);
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
