#include <torch/types.h>

#include <cmath>

#include "limbeck/objective/loss.h"

namespace limbeck::objective {
namespace {

/// Negative scale-invariant signal-to-distortion ratio in dB, without mean removal (Le Roux et al.,
/// arXiv 1811.02508, equation 5). Items whose clean signal is silent have none and take no part.
class SiSdr : public Loss {
 public:
  explicit SiSdr(const config::NoOptions&) {}

 private:
  at::Tensor compute(const LossInput& input) override {
    constexpr double kSilence = 1e-10;  // energy of a silent item
    const bool padded = input.mask.defined();
    const auto estimate = padded ? input.estimate * input.mask : input.estimate;  // [B, L]
    const auto clean = padded ? input.clean * input.mask : input.clean;
    const auto clean_energy = clean.square().sum(-1, true);  // [B, 1]
    const auto scale =
        (estimate * clean).sum(-1, true) / clean_energy.clamp_min(kSilence);  // [B, 1]
    const auto target = scale * clean;
    const auto target_energy = target.square().sum(-1);                   // [B]
    const auto distortion_energy = (estimate - target).square().sum(-1);  // [B]
    const auto ratio_db = (10 / std::log(10.0)) *
                          ((target_energy + kSilence).log() - (distortion_energy + kSilence).log());
    const auto sounding = (clean_energy.squeeze(-1) > kSilence).to(ratio_db.dtype());
    return -(ratio_db * sounding).sum() / sounding.sum().clamp_min(1);
  }
};

}  // namespace

void add_si_sdr(LossRegistry& registry) {
  registry.add<SiSdr, config::NoOptions>("si_sdr", "negative SI-SDR in dB");
}

}  // namespace limbeck::objective
