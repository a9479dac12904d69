#pragma once
// Frames shared by segmental SNR, LLR and WSS: 30 ms, 75 % overlap, Hann without zeros at its ends.

#include <cmath>
#include <cstddef>
#include <numbers>
#include <string>
#include <vector>

#include "limbeck/core/error.h"

namespace limbeck::metric {

struct SpeechFrames {
  std::size_t length = 0;  // samples
  std::size_t hop = 0;
  std::size_t count = 0;
  std::vector<double> window;

  SpeechFrames(std::size_t samples, int rate_hz, const std::string& metric) {
    if (rate_hz < 1000) {
      throw DataError(metric + ": the rate must be at least 1000 Hz, not " +
                      std::to_string(rate_hz));
    }
    length = static_cast<std::size_t>(std::lround(0.030 * rate_hz));
    hop = length / 4;
    // The MATLAB code leaves out the last frame: samples / hop - length / hop, rounded down.
    count = samples < length ? 0 : (samples - length) / hop;
    if (count == 0) {
      throw DataError(metric + ": " + std::to_string(samples) +
                      " samples are too few for a frame of 30 ms");
    }
    window.resize(length);
    for (std::size_t n = 0; n < length; ++n) {
      const double phase =
          2.0 * std::numbers::pi * static_cast<double>(n + 1) / static_cast<double>(length + 1);
      window[n] = 0.5 * (1.0 - std::cos(phase));
    }
  }
};

}  // namespace limbeck::metric
