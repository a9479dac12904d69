#include "limbeck/nn/streaming_denoiser.h"

#include <torch/types.h>

#include <algorithm>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "nn/denoising_autoencoder.h"

namespace limbeck::nn {
namespace {

DenoisingAutoencoder& streamable(DenoisingModel& model) {
  auto* autoencoder = dynamic_cast<DenoisingAutoencoder*>(&model);
  if (autoencoder == nullptr) throw ConfigError("this kind of network cannot stream");
  const int64_t lookahead = autoencoder->options().lookahead_frames;
  if (lookahead > 0) {
    throw ConfigError(
        format("a network that looks %d frames ahead cannot stream; "
               "lookahead_frames: 0 can",
               lookahead));
  }
  return *autoencoder;
}

}  // namespace

StreamingDenoiser::StreamingDenoiser(std::shared_ptr<DenoisingModel> model)
    : owner_(std::move(model)),
      model_(streamable(*owner_)),
      state_(std::make_unique<StreamState>()) {
  owner_->eval();
  owner_->fuse();
  reset();
}

StreamingDenoiser::~StreamingDenoiser() = default;

void StreamingDenoiser::reset() {
  const int64_t overlap = delay_samples();
  state_->clear();
  pending_ = torch::empty({0});
  history_ = torch::zeros({overlap});
  tail_ = torch::zeros({overlap});
  received_ = 0;
  emitted_ = -overlap;
}

int64_t StreamingDenoiser::delay_samples() const {
  return model_.options().stft.window_samples - model_.options().stft.hop_samples;
}

at::Tensor StreamingDenoiser::process(const at::Tensor& samples) {
  TORCH_CHECK(samples.dim() == 1, "StreamingDenoiser: expected [n], got ", samples.sizes());
  at::NoGradGuard no_grad;
  const int64_t window = model_.options().stft.window_samples;
  const int64_t hop = model_.options().stft.hop_samples;
  received_ += samples.size(0);
  const auto all = at::cat({pending_, samples});
  const int64_t frames = all.size(0) / hop;
  pending_ = all.narrow(0, frames * hop, all.size(0) - frames * hop).clone();
  if (frames == 0) return torch::empty({0});

  const auto covered = at::cat({history_, all.narrow(0, 0, frames * hop)});
  history_ = covered.narrow(0, frames * hop, window - hop).clone();
  const auto spectrum = model_.stft()->analyse(covered.unfold(0, window, hop).unsqueeze(0));
  const auto pieces = model_.stft()
                          ->synthesise(model_.enhance_frames(spectrum, *state_))
                          .squeeze(0);  // [T, window]
  auto sum = at::cat({tail_, torch::zeros({frames * hop})});
  for (int64_t t = 0; t < frames; ++t) sum.narrow(0, t * hop, window).add_(pieces[t]);
  tail_ = sum.narrow(0, frames * hop, window - hop).clone();
  const int64_t before = std::clamp<int64_t>(-emitted_, 0, frames * hop);
  emitted_ += frames * hop;
  return sum.narrow(0, before, frames * hop - before);
}

at::Tensor StreamingDenoiser::flush() {
  const int64_t received = received_;
  const int64_t missing = received - std::max<int64_t>(emitted_, 0);
  const int64_t hop = model_.options().stft.hop_samples;
  // Zeros until the frames that touch the last sample are complete.
  const int64_t zeros = (hop - pending_.size(0) % hop) % hop + delay_samples();
  const auto rest = process(torch::zeros({zeros})).narrow(0, 0, missing).clone();
  reset();
  return rest;
}

}  // namespace limbeck::nn
