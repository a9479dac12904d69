#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "limbeck/core/png.h"

namespace limbeck {

using Colour = std::array<uint8_t, 3>;

/// Colour of a value from 0 to 1: "magma" of matplotlib (CC0), dark to light, interpolated between
/// nine of its colours.
Colour magma(double value);

/// Levels at which a spectrogram is darkest and lightest; a full-scale sine has 0 dB.
inline constexpr double kDarkestDb = -100;
inline constexpr double kLightestDb = -20;

/// Time from left to right, 0 Hz to half the rate from bottom to top, levels in dB as colours. Hann
/// windows of about 32 ms, 5 ms apart (more, where that would give over 1600 columns).
Picture spectrogram(std::span<const float> samples, int rate_hz);

}  // namespace limbeck
