#pragma once

#include <cstdint>
#include <vector>

namespace limbeck {

/// One channel of audio; full scale is ±1.
struct Waveform {
  std::vector<float> samples;
  int rate_hz = 0;

  int64_t size() const { return static_cast<int64_t>(samples.size()); }
  double seconds() const { return rate_hz > 0 ? static_cast<double>(samples.size()) / rate_hz : 0; }
};

}  // namespace limbeck
