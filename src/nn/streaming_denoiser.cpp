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
  input_.assign(static_cast<size_t>(overlap), 0);
  tail_ = input_;
  received_ = 0;
  emitted_ = -overlap;
}

int64_t StreamingDenoiser::delay_samples() const {
  return model_.options().stft.window_samples - model_.options().stft.hop_samples;
}

at::Tensor StreamingDenoiser::process(const at::Tensor& samples) {
  TORCH_CHECK(samples.dim() == 1, "StreamingDenoiser: expected [n], got ", samples.sizes());
  const int64_t window = model_.options().stft.window_samples;
  const int64_t hop = model_.options().stft.hop_samples;
  received_ += samples.size(0);
  const auto row = samples.to(torch::kFloat).contiguous();
  input_.insert(input_.end(), row.const_data_ptr<float>(),
                row.const_data_ptr<float>() + row.size(0));
  const int64_t frames = (static_cast<int64_t>(input_.size()) - delay_samples()) / hop;
  const int64_t complete = frames * hop;
  if (frames == 0) return torch::empty({0});

  const at::Tensor pieces = enhance(frames);
  input_.erase(input_.begin(), input_.begin() + complete);
  const float* piece = pieces.const_data_ptr<float>();
  tail_.resize(static_cast<size_t>(complete + window - hop), 0);
  for (int64_t t = 0; t < frames; ++t, piece += window) {
    float* sum = tail_.data() + t * hop;
    for (int64_t n = 0; n < window; ++n) sum[n] += piece[n];
  }
  const int64_t before = std::clamp<int64_t>(-emitted_, 0, complete);
  emitted_ += complete;
  auto output = torch::empty({complete - before});
  std::copy(tail_.begin() + before, tail_.begin() + complete, output.data_ptr<float>());
  tail_.erase(tail_.begin(), tail_.begin() + complete);
  return output;
}

/// What the next frames of the input add to the output, [1, T, window].
at::Tensor StreamingDenoiser::enhance(int64_t frames) {
  // Frame by frame, most of the time goes into LibTorch's way to its operators, which is shorter
  // so. Nothing that is made here meets autograd.
  const c10::InferenceMode inference;
  const auto& stft = model_.stft();
  const int64_t window = stft->options().window_samples, hop = stft->options().hop_samples;
  const auto covered =
      at::from_blob(input_.data(), {1, frames, window}, {frames * hop, hop, 1}, torch::kFloat);
  return stft->synthesise(model_.enhance_frames(stft->analyse(covered), *state_)).contiguous();
}

at::Tensor StreamingDenoiser::flush() {
  const int64_t received = received_;
  const int64_t missing = received - std::max<int64_t>(emitted_, 0);
  const int64_t hop = model_.options().stft.hop_samples;
  // Zeros until the frames that touch the last sample are complete.
  const auto pending = static_cast<int64_t>(input_.size()) - delay_samples();
  const int64_t zeros = (hop - pending % hop) % hop + delay_samples();
  const auto rest = process(torch::zeros({zeros})).narrow(0, 0, missing).clone();
  reset();
  return rest;
}

}  // namespace limbeck::nn
