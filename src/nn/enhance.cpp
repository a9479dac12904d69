#include "limbeck/nn/enhance.h"

#include <ATen/Parallel.h>
#include <torch/types.h>

#include <algorithm>

namespace limbeck::nn {
namespace {

constexpr int64_t kSecondsAtOnce = 4;  // of a stream; more fall out of the caches

/// Samples of one channel whose pass holds about `bytes`: the widest layer with what it reads and
/// what goes around it, and the frames of the transform, which are no longer than the latency, as
/// samples, windowed, spectrum and products.
int64_t samples_within(int64_t bytes, const DenoisingModel& model) {
  int64_t widest = 0;
  for (const LayerCost& layer : model.layer_costs()) widest = std::max(widest, layer.activations);
  const auto numbers = static_cast<double>(4 * widest + 12 * model.latency_samples());
  const double frames = static_cast<double>(bytes) / (sizeof(float) * numbers);
  const double seconds = frames / model.frames_per_second();
  return std::max<int64_t>(1, static_cast<int64_t>(seconds * static_cast<double>(model.rate_hz())));
}

}  // namespace

EnhanceStream::EnhanceStream(const Enhancer& enhancer, int64_t channels, bool link)
    : enhancer_(enhancer),
      denoiser_(enhancer.model_, channels, link),
      samples_at_once_(std::min(kSecondsAtOnce * enhancer.rate_hz(),
                                std::max<int64_t>(1, enhancer.samples_at_once_ / channels))) {}

at::Tensor EnhanceStream::process(const at::Tensor& samples) {
  std::vector<at::Tensor> done;
  for (const at::Tensor& piece : samples.split(samples_at_once_, 1)) {
    done.push_back(enhancer_.in_turn([&] { return denoiser_.process(piece); }));
  }
  return done.size() == 1 ? done.front() : at::cat(done, 1);
}

at::Tensor EnhanceStream::flush() {
  return enhancer_.in_turn([&] { return denoiser_.flush(); });
}

Enhancer::Enhancer(std::shared_ptr<DenoisingModel> model, at::Device device, Kernels kernels,
                   int64_t bytes_at_once)
    : model_(std::move(model)),
      device_(device),
      samples_at_once_(samples_within(bytes_at_once, *model_)) {
  model_->to(device_);
  model_->set_kernels(kernels);
  model_->eval();
}

std::unique_ptr<EnhanceStream> Enhancer::stream(int64_t channels, bool link) const {
  return std::make_unique<EnhanceStream>(*this, channels, link);
}

at::Tensor Enhancer::operator()(const at::Tensor& noisy) const {
  TORCH_CHECK(noisy.dim() == 2, "Enhancer: expected [B, L], got ", noisy.sizes());
  if (noisy.size(1) > std::min(kPieceSeconds * rate_hz(), samples_at_once_)) {
    EnhanceStream stream(*this, noisy.size(0), false);
    const auto first = stream.process(noisy);
    return at::cat({first, stream.flush()}, 1);
  }
  return in_turn([&] { return model_->forward(noisy.to(device_), {}).estimate.cpu(); });
}

at::Tensor Enhancer::in_turn(const std::function<at::Tensor()>& body) const {
  at::NoGradGuard no_grad;  // is the calling thread's own
  std::unique_lock lock(gpu_, std::defer_lock);
  device_.is_cpu() ? at::set_num_threads(1) : lock.lock();
  return body();
}

}  // namespace limbeck::nn
