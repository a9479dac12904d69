#include "limbeck/nn/enhance.h"

#include <ATen/Parallel.h>
#include <torch/types.h>

namespace limbeck::nn {
namespace {

constexpr int64_t kSecondsAtOnce = 4;  // of a stream; more fall out of the caches

}  // namespace

EnhanceStream::EnhanceStream(const Enhancer& enhancer, int64_t channels, bool link)
    : enhancer_(enhancer), denoiser_(enhancer.model_, channels, link) {}

at::Tensor EnhanceStream::process(const at::Tensor& samples) {
  std::vector<at::Tensor> done;
  for (const at::Tensor& piece : samples.split(kSecondsAtOnce * enhancer_.rate_hz(), 1)) {
    done.push_back(enhancer_.in_turn([&] { return denoiser_.process(piece); }));
  }
  return done.size() == 1 ? done.front() : at::cat(done, 1);
}

at::Tensor EnhanceStream::flush() {
  return enhancer_.in_turn([&] { return denoiser_.flush(); });
}

Enhancer::Enhancer(std::shared_ptr<DenoisingModel> model, at::Device device, Kernels kernels)
    : model_(std::move(model)), device_(device) {
  model_->to(device_);
  model_->set_kernels(kernels);
  model_->eval();
}

std::unique_ptr<EnhanceStream> Enhancer::stream(int64_t channels, bool link) const {
  return std::make_unique<EnhanceStream>(*this, channels, link);
}

at::Tensor Enhancer::operator()(const at::Tensor& noisy) const {
  TORCH_CHECK(noisy.dim() == 2, "Enhancer: expected [B, L], got ", noisy.sizes());
  if (noisy.size(1) > kPieceSeconds * rate_hz()) {
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
