#pragma once

#include "limbeck/objective/loss.h"

namespace limbeck::objective {

struct SiSdrLossOptions : config::Component<SiSdrLossOptions> {
  void describe(config::Visitor&) override {}
};

/// Negative scale-invariant signal-to-distortion ratio in dB, without mean removal (Le Roux et al.,
/// arXiv 1811.02508, equation 5). Items whose clean signal is silent have none and take no part.
class SiSdrLoss : public Loss {
 public:
  at::Tensor forward(const LossInput& input) override;
};

}  // namespace limbeck::objective
