#pragma once

#include <span>

#include "limbeck/metric/metric.h"

namespace limbeck::metric {

/// Log-likelihood ratio and weighted spectral slope distance, means of the lowest 95 % of the
/// frames, as `comp_llr.m` and `comp_wss.m` inside the original `composite.m`.
struct SpectralDistances {
  double llr = 0;
  double wss = 0;
};

/// Predicted ratings, clipped to [1, 5].
struct CompositeScores {
  double signal = 0;      // CSIG
  double background = 0;  // CBAK
  double overall = 0;     // COVL
};

/// LLR: Quackenbush, Barnwell, Clements, "Objective Measures of Speech Quality", 1988; WSS: Klatt,
/// ICASSP 1982. As in the MATLAB code, both signals get an offset of 2.2e-16 first, so that digital
/// silence is a faint constant: a frame with it in one signal only has an LLR of about 25 (clean)
/// or 3 to 6 (estimate), one with it in both 0. The level counts in WSS: energies
/// below 1e-10 at full scale 1 are cut. `llr` is infinite where more than 5 % of the frames are
/// predictable beyond double precision, never NaN.
///
/// Throws DataError: lengths differ, not finite, too short for one frame of 30 ms, clean or
/// estimate silent (the MATLAB code gives numbers without meaning), rate below 8 kHz.
SpectralDistances spectral_distances(std::span<const float> clean, std::span<const float> estimate,
                                     int rate_hz);

/// The same, computed once for all that ask the pair for it.
const SpectralDistances& spectral_distances(ScoredPair& pair);

/// Regressions of Hu and Loizou, "Evaluation of objective quality measures for speech
/// enhancement", IEEE TASLP 2008, with the coefficients of `composite.m`. `pesq` is the P.862.2
/// MOS-LQO for wideband speech.
CompositeScores composite_scores(const SpectralDistances& distances, double segmental_snr_db,
                                 double pesq);

}  // namespace limbeck::metric
