// Level normalization and input filters of PESQ (01 1.3 to 1.6, 06 6.3).

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <mutex>

#include "limbeck/audio/real_fft.h"
#include "limbeck/core/error.h"
#include "metric/levels/pesq_alignment.h"
#include "metric/pesq_model.h"

namespace limbeck::metric::pesq {
namespace {

// Mean power to which the 300-3500 Hz band of each signal is brought: 79 dB SPL (01 1.3).
constexpr double kTargetPower = 1e7;

double curve_db(std::span<const CurvePoint> curve, double hz) {
  // Beyond the ends the nearest segment is extrapolated (01 1.3.1).
  std::size_t right = 1;
  while (right + 1 < curve.size() && hz >= curve[right].hz) ++right;
  const CurvePoint& a = curve[right - 1];
  const CurvePoint& b = curve[right];
  const double a_hz = a.hz;
  const double a_db = a.db;
  return a_db + (hz - a_hz) * (b.db - a_db) / (b.hz - a_hz);
}

std::vector<float> curve_gains(std::span<const CurvePoint> curve, int rate_hz, std::size_t size) {
  const double db_at_1khz = curve_db(curve, 1000.0);
  std::vector<float> gains(size / 2 + 1);
  for (std::size_t k = 0; k < gains.size(); ++k) {
    const double hz = static_cast<double>(k) * rate_hz / static_cast<double>(size);
    gains[k] = static_cast<float>(std::pow(10.0, (curve_db(curve, hz) - db_at_1khz) / 20.0));
  }
  return gains;
}

enum class Curve { alignment, irs_receive };

// Gains for each bin of a transform; constant once computed, so kept and shared like FFT plans.
std::span<const float> shared_gains(Curve curve, int rate_hz, std::size_t size) {
  struct Slot {
    std::once_flag once;
    std::vector<float> gains;
  };
  static std::array<Slot, 32 * 4> slots;
  const auto log2_size = static_cast<std::size_t>(std::bit_width(size) - 1);
  const std::size_t kind = (curve == Curve::alignment ? 0U : 1U) + (rate_hz == 8000 ? 0U : 2U);
  Slot& slot = slots[log2_size * 4 + kind];
  std::call_once(slot.once, [&] {
    const auto points = curve == Curve::alignment ? alignment_curve() : irs_receive_curve();
    slot.gains = curve_gains(points, rate_hz, size);
  });
  return slot.gains;
}

// y = inverse FFT of (spectrum * gains * factor), with the 1/R of the inverse (01 1.3.1).
FloatBuffer filtered_region(const FloatBuffer& spectrum, std::span<const float> gains,
                            float factor) {
  const std::size_t size = spectrum.size();
  const RealFft& fft = shared_real_fft(size);
  FloatBuffer region(size);
  FloatBuffer scratch(size);
  const float scale = factor / static_cast<float>(size);
  for (std::size_t k = 1; k < size / 2; ++k) {
    region[2 * k] = spectrum[2 * k] * gains[k] * scale;
    region[2 * k + 1] = spectrum[2 * k + 1] * gains[k] * scale;
  }
  region[0] = spectrum[0] * gains[0] * scale;
  region[1] = spectrum[1] * gains[size / 2] * scale;
  fft.inverse(region.data(), region.data(), scratch.data());
  return region;
}

double sum_of_squares(std::span<const float> values) {
  // Partial sums in float are exact enough over 64 values, and vectorize.
  double total = 0;
  std::size_t i = 0;
  for (; i + 64 <= values.size(); i += 64) {
    std::array<float, 8> partial{};
    for (std::size_t j = 0; j < 64; j += 8) {
      for (std::size_t lane = 0; lane < 8; ++lane) {
        partial[lane] += values[i + j + lane] * values[i + j + lane];
      }
    }
    for (const float p : partial) total += p;
  }
  for (; i < values.size(); ++i) total += static_cast<double>(values[i]) * values[i];
  return total;
}

void remove_dc(FloatBuffer& samples, int nominal_length, const RateConstants& c) {
  // The mean divides by the whole nominal length although it sums the inner part (01 1.5).
  const int first = c.margin;
  const int last = nominal_length - c.margin;
  const auto all = alignment_kernels().sum_below(
      samples.data() + first, std::numeric_limits<float>::infinity(), last - first);
  const auto mean = static_cast<float>(all.sum / nominal_length);
  for (int i = first; i < last; ++i) samples[static_cast<std::size_t>(i)] -= mean;
  for (int k = 0; k < c.window; ++k) {
    const float ramp = (0.5f + static_cast<float>(k)) / static_cast<float>(c.window);
    samples[static_cast<std::size_t>(first + k)] *= ramp;
    samples[static_cast<std::size_t>(last - 1 - k)] *= ramp;
  }
}

}  // namespace

LevelledSignal normalize_level(std::span<const float> signal, const RateConstants& c,
                               int longest_nominal, const char* role) {
  LevelledSignal result;
  const std::size_t region = signal.size() + static_cast<std::size_t>(c.padding);
  const std::size_t size = fft_size_for(region);
  result.nominal_length = static_cast<int>(signal.size()) + 2 * c.margin;
  result.spectrum.assign(size, 0.0f);
  std::copy(signal.begin(), signal.end(), result.spectrum.begin());
  {
    FloatBuffer scratch(size);
    shared_real_fft(size).forward(result.spectrum.data(), result.spectrum.data(), scratch.data());
  }
  const FloatBuffer band =
      filtered_region(result.spectrum, shared_gains(Curve::alignment, c.rate_hz, size), 1.0f);
  const double power =
      sum_of_squares(std::span(band).first(region)) / (longest_nominal - 2 * c.margin + c.padding);
  result.scale = static_cast<float>(std::sqrt(kTargetPower / power));
  if (!(power > 0) || !std::isfinite(result.scale)) {
    throw DataError(std::string("PESQ: the ") + role + " signal is silent");
  }
  result.samples.assign(static_cast<std::size_t>(result.nominal_length + c.padding), 0.0f);
  for (std::size_t i = 0; i < signal.size(); ++i) {
    result.samples[static_cast<std::size_t>(c.margin) + i] = signal[i] * result.scale;
  }
  return result;
}

FloatBuffer apply_handset_filter(const LevelledSignal& signal, const RateConstants& c) {
  const std::size_t size = signal.spectrum.size();
  const FloatBuffer region = filtered_region(
      signal.spectrum, shared_gains(Curve::irs_receive, c.rate_hz, size), signal.scale);
  FloatBuffer model(signal.samples.size(), 0.0f);
  const auto count = static_cast<std::ptrdiff_t>(signal.nominal_length - 2 * c.margin + c.padding);
  std::copy(region.begin(), region.begin() + count, model.begin() + c.margin);
  return model;
}

FloatBuffer apply_headphone_filter(const LevelledSignal& signal, const RateConstants& c) {
  FloatBuffer model = signal.samples;
  const std::span<float> inner =
      std::span(model).subspan(static_cast<std::size_t>(c.margin),
                               static_cast<std::size_t>(signal.nominal_length - 2 * c.margin));
  for (std::size_t k = 0; k < 16; ++k) {  // edge ramps (06 6.3)
    const float ramp = static_cast<float>(k + 1) / 16.0f;
    inner[k] *= ramp;
    inner[inner.size() - 1 - k] *= ramp;
  }
  const Biquad q = kWidebandFilter;
  float w1 = 0;
  float w2 = 0;
  for (float& x : inner) {
    const float w = x - q.a2 * w2 - q.a1 * w1;  // in this order it waits for w1 the least
    x = q.b0 * w + q.b1 * w1 + q.b2 * w2;
    w2 = w1;
    w1 = w;
  }
  return model;
}

void make_working_copies(std::span<FilteredSignal* const> signals, const RateConstants& c) {
  constexpr std::size_t kTogether = 4;
  std::size_t longest = 0;
  for (FilteredSignal* signal : signals) {
    signal->working = signal->model;
    remove_dc(signal->working, signal->nominal_length, c);
    longest = std::max(longest, signal->working.size());
  }
  FloatBuffer silence(signals.size() < kTogether ? longest : 0, 0.0f);
  std::array<float*, kTogether> samples;
  samples.fill(silence.data());
  for (std::size_t i = 0; i < signals.size(); ++i) {
    signals[i]->working.resize(longest, 0.0f);
    samples[i] = signals[i]->working.data();
  }
  filter_kernels().cascade(c.cascade.data(), static_cast<std::int64_t>(c.cascade.size()),
                           samples.data(), static_cast<std::int64_t>(longest));
  for (FilteredSignal* signal : signals) signal->working.resize(signal->model.size());
}

}  // namespace limbeck::metric::pesq
