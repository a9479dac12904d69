#include "objective/losses/si_sdr_loss.h"

#include <torch/types.h>

#include <cmath>

namespace limbeck::objective {

at::Tensor SiSdrLoss::forward(const LossInput& input) {
  constexpr double kSilence = 1e-10;  // energy of a silent item
  const bool padded = input.mask.defined();
  const auto estimate = padded ? input.estimate * input.mask : input.estimate;  // [B, L]
  const auto clean = padded ? input.clean * input.mask : input.clean;
  const auto clean_energy = clean.square().sum(-1, true);                                  // [B, 1]
  const auto scale = (estimate * clean).sum(-1, true) / clean_energy.clamp_min(kSilence);  // [B, 1]
  const auto target = scale * clean;
  const auto target_energy = target.square().sum(-1);                   // [B]
  const auto distortion_energy = (estimate - target).square().sum(-1);  // [B]
  const auto ratio_db = (10 / std::log(10.0)) *
                        ((target_energy + kSilence).log() - (distortion_energy + kSilence).log());
  const auto sounding = (clean_energy.squeeze(-1) > kSilence).to(ratio_db.dtype());
  return -(ratio_db * sounding).sum() / sounding.sum().clamp_min(1);
}

}  // namespace limbeck::objective
