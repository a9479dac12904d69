#pragma once

#include <span>

#include "limbeck/metric/metric.h"

namespace limbeck::metric {

struct SegmentalSnrOptions : config::Component<SegmentalSnrOptions> {
  double minimum_db = -10;
  double maximum_db = 35;

  void describe(config::Visitor& v) override;
};

/// Segmental signal-to-noise ratio in dB (Hansen, Pellom, ICSLP 1998; `comp_snr.m` in Loizou,
/// "Speech Enhancement", 2nd ed., 2013): mean over Hann-windowed frames of 30 ms every 7.5 ms, each
/// clamped to [-10, 35] dB or what the options say. Depends on the level of the estimate.
///
/// Throws DataError: lengths differ, not finite, too short for one frame, rate below 1 kHz,
/// clean silent (the MATLAB code returns -10 for that).
double segmental_snr(std::span<const float> clean, std::span<const float> estimate, int rate_hz,
                     const SegmentalSnrOptions& options = {});

/// The same, computed once for all that ask the pair for it.
double segmental_snr(ScoredPair& pair, const SegmentalSnrOptions& options = {});

}  // namespace limbeck::metric
