#pragma once

#include "limbeck/nn/stft.h"

// Legend: B batch, T frame, F bin, L sample.

namespace limbeck::objective {

/// How compressed spectra are taken and compared.
struct SpectralDistanceOptions {
  double power = 0.3;           ///< p below
  double complex_weight = 0.3;  ///< β below
  StftOptions stft;
  void describe(config::Visitor& v);
};

/// A power-compressed spectrum.
struct CompressedSpectra {
  at::Tensor complex;    ///< [B, T, F, 2]
  at::Tensor magnitude;  ///< [B, T, F]
};

/// |S|^p with and without the phase of S; `signal` [B, L]. A floor of −120 dB keeps the slope
/// finite.
CompressedSpectra compress(const Stft& stft, const at::Tensor& signal, double power);

/// (1 − β) (|A|^p − |B|^p)² + β |A − B|² of compressed spectra: [B, T, F].
at::Tensor spectral_distance(const CompressedSpectra& a, const CompressedSpectra& b,
                             double complex_weight);

/// [B, T], 1 where any sample of the frame holds signal, as it would if the item stood alone.
at::Tensor signal_frames(const at::Tensor& sample_mask, const StftOptions& stft, int64_t frames);

}  // namespace limbeck::objective
