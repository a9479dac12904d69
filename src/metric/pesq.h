#pragma once

#include <optional>
#include <span>

#include "limbeck/metric/metric.h"

namespace limbeck::metric {

enum class PesqMode { narrowband, wideband, both };

struct PesqScore {
  double raw = 0;      // P.862, about -0.5 to 4.5
  double mos_lqo = 0;  // P.862.1 (narrowband) or P.862.2 (wideband)
};

struct PesqScores {
  std::optional<PesqScore> narrowband;
  std::optional<PesqScore> wideband;
};

/// Perceptual evaluation of speech quality: ITU-T P.862 (2001), P.862.1, P.862.2, with the
/// behaviour of the reference program without Corrigendum 2, which is what the `pesq` package
/// computes and what published speech enhancement results use.
///
/// `clean` and `estimate`: samples at `rate_hz`, 8000 (narrowband only) or 16000. Their lengths may
/// differ; the score does not depend on their levels.
///
/// Throws DataError where the reference gives no score (in brackets what `pesq` 0.0.4 does):
/// shorter than 1/4 s (BufferTooShortError; ValueError if empty), clean silent or without an
/// utterance of 200 ms (NoUtterancesError), estimate silent (ValueError or NoUtterancesError), not
/// finite (NoUtterancesError or ValueError), wideband at 8 kHz or another rate (ValueError). Ours
/// alone: a constant signal, which `pesq` scores by its edges and rounding errors (two constants
/// got 3.3 to 4.64).
PesqScores pesq_scores(std::span<const float> clean, std::span<const float> estimate, int rate_hz,
                       PesqMode mode);

/// Of both models at 16 kHz, of the narrow-band one at 8 kHz; computed once for all that ask the
/// pair for them.
const PesqScores& pesq_scores(ScoredPair& pair);
/// MOS-LQO of P.862.2; throws DataError at another rate than 16 kHz.
double pesq_wideband(ScoredPair& pair);

}  // namespace limbeck::metric
