#pragma once

#include "limbeck/nn/model.h"

namespace limbeck::test {

/// A model that has taps' grids but no network: all that distillation terms look at.
class FakeModel : public nn::DenoisingModel {
 public:
  explicit FakeModel(nn::TapInfo latent, int64_t rate_hz = 16000)
      : latent_(std::move(latent)), rate_hz_(rate_hz) {}
  nn::Denoised forward(const at::Tensor&, const std::vector<std::string>&,
                       const std::vector<int64_t>&) override {
    return {};
  }
  std::vector<std::string> tap_names() const override { return {"latent"}; }
  nn::TapInfo tap_info(const std::string&) const override { return latent_; }
  int64_t tap_frames(int64_t samples) const override { return samples; }
  int64_t rate_hz() const override { return rate_hz_; }
  std::vector<nn::LayerCost> layer_costs() const override { return {}; }
  double frames_per_second() const override { return 62.5; }
  int64_t latency_samples() const override { return 0; }
  nn::ModelConfig config() const override { return {}; }

 private:
  nn::TapInfo latent_;
  int64_t rate_hz_;
};

/// `bins` equal bands up to 8 kHz, frames of a transform at 16 kHz.
inline nn::TapInfo grid(int64_t channels, int64_t bins, int64_t hop = 256, int64_t window = 512) {
  nn::TapInfo info;
  info.channels = channels;
  for (int64_t i = 0; i <= bins; ++i) {
    info.band_edges_hz.push_back(8000.0 * static_cast<double>(i) / static_cast<double>(bins));
  }
  info.hop_seconds = static_cast<double>(hop) / 16000;
  info.first_centre_seconds =
      (static_cast<double>(hop) - 0.5 * static_cast<double>(window)) / 16000;
  return info;
}

}  // namespace limbeck::test
