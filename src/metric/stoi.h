#pragma once

#include <span>

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
/// near 0 for ESTOI); not finite (warning, 1e-5). A stretch of 30 frames in which one band holds
/// only zeros counts 0 for this band; pystoi's ESTOI replaces it by random noise, of mean 0.
StoiScores stoi_scores(std::span<const float> clean, std::span<const float> estimate, int rate_hz);

}  // namespace limbeck::metric
