#include "limbeck/nn/streaming_denoiser.h"

#include <torch/types.h>

#include <algorithm>
#include <optional>

#include "limbeck/core/error.h"
#include "nn/denoising_autoencoder.h"

namespace limbeck::nn {
namespace {

constexpr int64_t kFramesOfZeros = 64;  // at once, behind a signal

DenoisingAutoencoder& streamable(DenoisingModel& model) {
  auto* autoencoder = dynamic_cast<DenoisingAutoencoder*>(&model);
  if (autoencoder == nullptr) throw ConfigError("this kind of network cannot stream");
  return *autoencoder;
}

}  // namespace

StreamingDenoiser::StreamingDenoiser(std::shared_ptr<DenoisingModel> model, int64_t channels,
                                     bool link)
    : owner_(std::move(model)),
      model_(streamable(*owner_)),
      channels_(channels),
      link_(link && channels > 1),
      lookahead_frames_(total_cost(model_.layer_costs()).future),
      state_(std::make_unique<StreamState>()) {
  // Streams of other threads may be running.
  if (owner_->is_training()) owner_->eval();
  reset();
}

StreamingDenoiser::StreamingDenoiser(std::shared_ptr<DenoisingModel> model)
    : StreamingDenoiser(std::move(model), 1) {
  flat_ = true;
}

StreamingDenoiser::~StreamingDenoiser() = default;

void StreamingDenoiser::reset() {
  const auto& stft = model_.options().stft;
  const int64_t overlap = stft.window_samples - stft.hop_samples;
  state_->clear();
  input_ = torch::zeros({channels_, overlap}, owner_->parameters().front().device());
  tail_ = input_;
  frames_ = 0;
  received_ = 0;
  emitted_ = -overlap;
}

int64_t StreamingDenoiser::delay_samples() const {
  return model_.latency_samples() - model_.options().stft.hop_samples;
}

at::Tensor StreamingDenoiser::process(const at::Tensor& samples) {
  TORCH_CHECK(flat_ ? samples.dim() == 1 : samples.dim() == 2 && samples.size(0) == channels_,
              "StreamingDenoiser: of ", channels_, " channels got ", samples.sizes());
  const auto done = advance(flat_ ? samples.unsqueeze(0) : samples);
  // Memory of its own, which nothing that is kept shares.
  const auto output = torch::empty(done.sizes()).copy_(done);
  return flat_ ? output.squeeze(0) : output;
}

at::Tensor StreamingDenoiser::advance(const at::Tensor& samples) {
  // Frame by frame, most of the time goes into LibTorch's way to its operators, which on a CPU is
  // shorter so. Nothing that is made here meets autograd, which a mode that is off would turn on.
  std::optional<c10::InferenceMode> inference;
  if (input_.is_cpu()) inference.emplace();
  const at::NoGradGuard no_grad;
  const auto& stft = model_.options().stft;
  const int64_t window = stft.window_samples, hop = stft.hop_samples;
  received_ += samples.size(1);
  input_ = at::cat({input_, samples.to(input_.options())}, 1);
  const int64_t frames = (input_.size(1) - (window - hop)) / hop;
  const bool too_few = frames_ == 0 && frames <= lookahead_frames_ && !state_->ending();
  if (frames == 0 || too_few) return at::empty({channels_, 0}, input_.options());

  const auto spectrum = model_.stft()->analyse(input_.unfold(1, window, hop));  // [C, T, F]
  input_ = input_.narrow(1, frames * hop, input_.size(1) - frames * hop).clone();
  frames_ += frames;
  return add_frames(model_.stft()->synthesise(model_.enhance_frames(spectrum, *state_, link_)));
}

/// The samples [C, m] that are complete with what the next frames [C, T, window] add to them.
at::Tensor StreamingDenoiser::add_frames(const at::Tensor& frames) {
  const int64_t hop = model_.options().stft.hop_samples;
  const int64_t count = frames.size(1), complete = count * hop, overlap = tail_.size(1);
  const auto sum = at::constant_pad_nd(tail_, {0, complete});
  for (int64_t first = overlap; first >= 0; first -= hop) {
    sum.narrow(1, first, complete).unflatten(1, {count, hop}).add_(frames.narrow(2, first, hop));
  }
  tail_ = sum.narrow(1, complete, overlap).clone();
  const int64_t before = std::clamp<int64_t>(-emitted_, 0, complete);
  emitted_ += complete;
  return sum.narrow(1, before, complete - before);
}

at::Tensor StreamingDenoiser::flush() {
  const int64_t hop = model_.options().stft.hop_samples;
  const int64_t missing = received_ - std::max<int64_t>(emitted_, 0);
  // Zeros until the frames that touch the last sample are complete.
  const int64_t overlap = tail_.size(1), pending = input_.size(1) - overlap;
  const auto zeros = torch::zeros({channels_, (hop - pending % hop) % hop + overlap});
  const auto pieces = zeros.split(kFramesOfZeros * hop, 1);
  std::vector<at::Tensor> rest;
  for (const at::Tensor& piece : pieces) {
    if (rest.size() + 1 == pieces.size()) state_->end();
    rest.push_back(process(flat_ ? piece.squeeze(0) : piece));
  }
  reset();
  return at::cat(rest, -1).narrow(-1, 0, missing).clone();
}

}  // namespace limbeck::nn
