#pragma once

#include <span>

#include "limbeck/metric/metric.h"

namespace limbeck::metric {

struct StoiScores {
  double stoi = 0;
  double estoi = 0;
};

/// Short-time objective intelligibility (Taal, Hendriks, Heusdens, Jensen, IEEE TASLP 2011) and
/// its extended form (Jensen, Taal, IEEE TASLP 2016), as pystoi 0.4.1 computes them: resampling
/// to 10 kHz like Octave's `resample`, frames more than 40 dB below the loudest clean one removed.
///
/// Both signals have the same length and rate; neither score depends on their levels.
///
/// Throws DataError (in brackets what pystoi does): lengths differ (exception); too short for one
/// frame at 10 kHz, 256 samples (AxisError); fewer than 30 frames left without the silent ones,
/// about 0.4 s (warning, returns 1e-5); clean or estimate silent (0 for STOI, a random number
/// near 0 for ESTOI) or constant (speech against a constant got 0.5, two constants 1); not finite
/// (warning, 1e-5, or a number). Where 30 frames hold nothing in a band, or the bands differ in
/// nothing, ESTOI counts 0; pystoi adds random noise of machine epsilon and counts what comes out,
/// of mean 0 (after 0.4 s of digital silence in the estimate its own scores differ by up to 0.002
/// from call to call).
StoiScores stoi_scores(std::span<const float> clean, std::span<const float> estimate, int rate_hz);

/// The same, computed once for all that ask the pair for it.
const StoiScores& stoi_scores(ScoredPair& pair);

}  // namespace limbeck::metric
