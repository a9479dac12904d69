#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

#include "limbeck/corpus/synthetic.h"

namespace limbeck {

/// Second-order resonator with gain 1 at 0 Hz (Klatt 1980, eq. 1).
class Resonator {
 public:
  void tune(double hz, double bandwidth_hz) {
    const double step = std::numbers::pi / kSyntheticRateHz;
    c_ = -std::exp(-2 * step * bandwidth_hz);
    b_ = 2 * std::exp(-step * bandwidth_hz) * std::cos(2 * step * hz);
    a_ = 1 - b_ - c_;
  }
  double operator()(double x) {
    const double y = a_ * x + b_ * y1_ + c_ * y2_;
    y2_ = y1_;
    y1_ = y;
    return y;
  }

 private:
  double a_ = 1, b_ = 0, c_ = 0, y1_ = 0, y2_ = 0;
};

/// One-pole low-pass, gain 1 at 0 Hz; `high` is what it takes away.
class OnePole {
 public:
  explicit OnePole(double corner_hz) { tune(corner_hz); }
  void tune(double corner_hz) {
    keep_ = std::exp(-2 * std::numbers::pi * corner_hz / kSyntheticRateHz);
  }
  double operator()(double x) { return y_ = x + keep_ * (y_ - x); }
  double high(double x) { return x - (*this)(x); }

 private:
  double keep_ = 0;
  double y_ = 0;
};

/// Samples that last `seconds`.
inline int64_t samples_of(double seconds) { return std::llround(seconds * kSyntheticRateHz); }

}  // namespace limbeck
