// LLR and WSS of the composite measures.

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <vector>

#include "limbeck/audio/aligned_buffer.h"
#include "limbeck/audio/real_fft.h"
#include "limbeck/core/error.h"
#include "metric/composite.h"
#include "metric/signal_checks.h"
#include "metric/speech_frames.h"

namespace limbeck::metric {
namespace {

/// What `comp_llr.m` and `comp_wss.m` add to every sample of both signals (`eps`), so that a frame
/// of digital silence is a faint constant.
constexpr double kOffset = std::numeric_limits<double>::epsilon();

constexpr std::size_t kMaxOrder = 16;

// Neither measure has a limit of its own; these lie beyond what rounding lets it reach: a filter of
// order 16 amplifies by no more than 4^16, and no frame is predicted below 1e-16 of its energy; the
// bands of samples up to 1e6 span 300 dB, of which slopes are squared.
constexpr double kWorstLlr = 60;
constexpr double kWorstWss = 4e5;

template <class Real>
using Lags = std::array<Real, kMaxOrder + 1>;

template <class Real>
Lags<Real> autocorrelation(std::span<const Real> frame, std::size_t order) {
  Lags<Real> lags{};
  for (std::size_t k = 0; k <= order; ++k) {
    std::array<Real, 8> lanes{};
    const std::size_t count = frame.size() - k;
    std::size_t n = 0;
    for (; n + lanes.size() <= count; n += lanes.size()) {
      for (std::size_t j = 0; j < lanes.size(); ++j) lanes[j] += frame[n + j] * frame[n + j + k];
    }
    for (; n < count; ++n) lags[k] += frame[n] * frame[n + k];
    for (const Real lane : lanes) lags[k] += lane;
  }
  return lags;
}

// Levinson-Durbin recursion: coefficients of the prediction error filter, the first one 1.
template <class Real>
Lags<Real> error_filter(const Lags<Real>& lags, std::size_t order) {
  Lags<Real> a{};
  Lags<Real> past{};
  Real error = lags[0];
  for (std::size_t i = 0; i < order; ++i) {
    past = a;
    Real sum = 0;
    for (std::size_t j = 0; j < i; ++j) sum += past[j] * lags[i - j];
    const Real reflection = (lags[i + 1] - sum) / error;
    a[i] = reflection;
    for (std::size_t j = 0; j < i; ++j) a[j] = past[j] - reflection * past[i - 1 - j];
    error *= 1 - reflection * reflection;
  }
  Lags<Real> filter{};
  filter[0] = 1;
  for (std::size_t i = 0; i < order; ++i) filter[i + 1] = -a[i];
  return filter;
}

// Energy of a signal with these autocorrelations behind the filter: a R a'.
template <class Real>
Real filtered_energy(const Lags<Real>& filter, const Lags<Real>& lags, std::size_t order) {
  Real energy = 0;
  for (std::size_t i = 0; i <= order; ++i) {
    for (std::size_t j = 0; j <= order; ++j) {
      energy += filter[i] * filter[j] * lags[i > j ? i - j : j - i];
    }
  }
  return energy;
}

/// A frame and how well it is predicted.
struct Prediction {
  Lags<double> lags;
  Lags<double> filter;
  double error;  ///< energy behind its own filter

  template <class Real>
  static Prediction of(std::span<const Real> frame, std::size_t order) {
    const Lags<Real> lags = autocorrelation(frame, order);
    const Lags<Real> filter = error_filter(lags, order);
    Prediction prediction;
    std::copy(lags.begin(), lags.end(), prediction.lags.begin());
    std::copy(filter.begin(), filter.end(), prediction.filter.begin());
    prediction.error = static_cast<double>(filtered_energy(filter, lags, order));
    return prediction;
  }
};

/// Of digital silence. The window alone is predicted up to 2e-11 of its energy, which the rounding
/// of double precision would change by a few percent, and its filter by more (so it does in
/// MATLAB).
Prediction predicted_silence(const std::vector<double>& window, std::size_t order) {
  std::vector<long double> frame(window.begin(), window.end());
  for (long double& x : frame) x *= kOffset;
  return Prediction::of(std::span<const long double>(frame), order);
}

// Infinite where a frame is predictable beyond double precision: the reference gets no number there
// and sorts such frames last.
double log_likelihood_ratio(const Prediction& clean, const Prediction& estimate,
                            std::size_t order) {
  const double ratio = filtered_energy(estimate.filter, clean.lags, order) / clean.error;
  return ratio > 0 ? std::log(ratio) : std::numeric_limits<double>::infinity();
}

constexpr std::size_t kCriticalBands = 25;
constexpr std::array<double, kCriticalBands> kCentreHz{
    50.0,    120.0,   190.0,   260.0,   330.0,   400.0,   470.0,   540.0,   617.372,
    703.378, 798.717, 904.128, 1020.38, 1148.30, 1288.72, 1442.54, 1610.70, 1794.16,
    1993.93, 2211.08, 2446.71, 2701.97, 2978.04, 3276.17, 3597.63};
constexpr std::array<double, kCriticalBands> kBandwidthHz{
    70.0,    70.0,    70.0,    70.0,    70.0,    70.0,    70.0,    77.3724, 86.0056,
    95.3398, 105.411, 116.256, 127.914, 140.423, 153.823, 168.154, 183.457, 199.776,
    217.153, 235.631, 255.255, 276.072, 298.126, 321.465, 346.136};

/// Gaussian filters of the critical bands; only the bins within 30 dB of the centre.
struct CriticalBand {
  std::size_t first_bin = 0;
  std::vector<double> weights;
};

std::vector<CriticalBand> critical_bands(int rate_hz, std::size_t fft_size) {
  const double bins_per_hz = static_cast<double>(fft_size) / rate_hz;
  const double smallest = std::exp(-30.0 / (2.0 * 2.303));
  std::vector<CriticalBand> bands(kCriticalBands);
  for (std::size_t b = 0; b < kCriticalBands; ++b) {
    const double centre = std::floor(kCentreHz[b] * bins_per_hz);
    const double width = kBandwidthHz[b] * bins_per_hz;
    const double norm = std::log(kBandwidthHz[0]) - std::log(kBandwidthHz[b]);
    for (std::size_t bin = 0; bin < fft_size / 2; ++bin) {
      const double distance = (static_cast<double>(bin) - centre) / width;
      const double weight = std::exp(-11.0 * distance * distance + norm);
      if (weight <= smallest) continue;
      if (bands[b].weights.empty()) bands[b].first_bin = bin;
      bands[b].weights.push_back(weight);
    }
  }
  return bands;
}

using BandArray = std::array<double, kCriticalBands>;

/// Spectrum of one signal at one time, in dB per critical band.
class BandEnergies {
 public:
  BandEnergies(int rate_hz, std::size_t frame_length)
      : fft_(shared_real_fft(fft_size_for(2 * frame_length))),
        bands_(critical_bands(rate_hz, fft_.size())),
        spectrum_(fft_.size()),
        scratch_(fft_.size()) {}

  BandArray compute(std::span<const double> frame) {
    std::fill(spectrum_.begin(), spectrum_.end(), 0.0f);
    for (std::size_t n = 0; n < frame.size(); ++n) spectrum_[n] = static_cast<float>(frame[n]);
    fft_.forward(spectrum_.data(), spectrum_.data(), scratch_.data());
    scratch_[0] = spectrum_[0] * spectrum_[0];
    for (std::size_t k = 1; k < fft_.size() / 2; ++k) {
      scratch_[k] =
          spectrum_[2 * k] * spectrum_[2 * k] + spectrum_[2 * k + 1] * spectrum_[2 * k + 1];
    }
    BandArray energies;
    for (std::size_t b = 0; b < kCriticalBands; ++b) {
      double sum = 0;
      const float* power = scratch_.data() + bands_[b].first_bin;
      for (std::size_t i = 0; i < bands_[b].weights.size(); ++i) {
        sum += power[i] * bands_[b].weights[i];
      }
      energies[b] = 10.0 * std::log10(std::max(sum, 1e-10));
    }
    return energies;
  }

 private:
  const RealFft& fft_;
  std::vector<CriticalBand> bands_;
  FloatBuffer spectrum_;
  FloatBuffer scratch_;
};

/// Slopes between bands and Klatt's weights: high near the largest and the nearest peak.
struct Slopes {
  std::array<double, kCriticalBands - 1> slope;
  std::array<double, kCriticalBands - 1> weight;
};

Slopes weighted_slopes(const BandArray& energy) {
  constexpr double kGlobal = 20.0;
  constexpr double kLocal = 1.0;
  constexpr std::size_t count = kCriticalBands - 1;
  Slopes result;
  for (std::size_t b = 0; b < count; ++b) result.slope[b] = energy[b + 1] - energy[b];
  const double largest = *std::max_element(energy.begin(), energy.end());
  for (std::size_t b = 0; b < count; ++b) {
    double peak = 0;
    std::size_t n = b;
    if (result.slope[b] > 0) {
      while (n < count && result.slope[n] > 0) ++n;
      peak = energy[n - 1];  // one before the peak, as in the MATLAB code
    } else {
      while (n > 0 && result.slope[n - 1] <= 0) --n;
      peak = energy[n];
    }
    result.weight[b] =
        kGlobal / (kGlobal + largest - energy[b]) * kLocal / (kLocal + peak - energy[b]);
  }
  return result;
}

double slope_distance(const BandArray& clean, const BandArray& estimate) {
  const Slopes c = weighted_slopes(clean);
  const Slopes e = weighted_slopes(estimate);
  double sum = 0;
  double weights = 0;
  for (std::size_t b = 0; b < c.slope.size(); ++b) {
    const double weight = (c.weight[b] + e.weight[b]) / 2.0;
    const double difference = c.slope[b] - e.slope[b];
    sum += weight * difference * difference;
    weights += weight;
  }
  return sum / weights;
}

double mean_of_lowest_95_percent(std::vector<double>& values) {
  // Halves are rounded to even: the reference values come from Python's round().
  const auto count = static_cast<std::size_t>(
      std::max(1.0, std::nearbyint(0.95 * static_cast<double>(values.size()))));
  std::sort(values.begin(), values.end());
  return std::accumulate(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(count), 0.0) /
         static_cast<double>(count);
}

double finite_llr(ScoredPair& pair) {
  const double llr = spectral_distances(pair).llr;
  if (!std::isfinite(llr)) {
    throw DataError("LLR: more than 5 % of the frames are predictable beyond double precision");
  }
  return llr;
}

}  // namespace

SpectralDistances spectral_distances(std::span<const float> clean, std::span<const float> estimate,
                                     int rate_hz) {
  if (rate_hz < 8000) {
    throw DataError("composite: the rate must be at least 8000 Hz, not " + std::to_string(rate_hz));
  }
  require_equal_length(clean, estimate, "composite");
  require_finite(clean, estimate, "composite");
  require_not_silent(clean, "composite", "clean");
  require_not_silent(estimate, "composite", "estimated");
  const SpeechFrames frames(clean.size(), rate_hz, "composite");
  const std::size_t order = rate_hz < 10000 ? 10 : 16;
  const Prediction silence = predicted_silence(frames.window, order);
  const auto is_zero = [](float x) { return x == 0.0f; };
  BandEnergies energies(rate_hz, frames.length);
  std::array<std::vector<double>, 2> windowed{std::vector<double>(frames.length),
                                              std::vector<double>(frames.length)};
  std::vector<double> llr(frames.count);
  std::vector<double> wss(frames.count);
  for (std::size_t frame = 0; frame < frames.count; ++frame) {
    std::array<bool, 2> silent{};
    for (std::size_t side = 0; side < 2; ++side) {
      const auto samples =
          (side == 0 ? clean : estimate).subspan(frame * frames.hop, frames.length);
      silent[side] = std::all_of(samples.begin(), samples.end(), is_zero);
      for (std::size_t n = 0; n < frames.length; ++n) {
        windowed[side][n] = (samples[n] + kOffset) * frames.window[n];
      }
    }
    const auto predicted = [&](std::size_t side) {
      return silent[side] ? silence
                          : Prediction::of(std::span<const double>(windowed[side]), order);
    };
    const bool both = silent[0] && silent[1];
    llr[frame] = both ? 0.0 : log_likelihood_ratio(predicted(0), predicted(1), order);
    wss[frame] = slope_distance(energies.compute(windowed[0]), energies.compute(windowed[1]));
  }
  return {mean_of_lowest_95_percent(llr), mean_of_lowest_95_percent(wss)};
}

const SpectralDistances& spectral_distances(ScoredPair& pair) {
  return pair.shared<SpectralDistances>(
      [&] { return spectral_distances(pair.clean(), pair.estimate(), pair.rate_hz()); });
}

void add_spectral_distances(MetricRegistry& registry) {
  registry.add<config::NoOptions>(
      "llr", "log-likelihood ratio, lower is better", [](const config::NoOptions&) {
        return std::make_unique<Metric>(Metric{.title = "LLR",
                                               .decimals = 3,
                                               .higher_is_better = false,
                                               .worst = kWorstLlr,
                                               .version = 2,
                                               .score = finite_llr});
      });
  registry.add<config::NoOptions>(
      "wss", "weighted spectral slope distance, lower is better", [](const config::NoOptions&) {
        return std::make_unique<Metric>(
            Metric{.title = "WSS",
                   .higher_is_better = false,
                   .worst = kWorstWss,
                   .version = 1,
                   .score = [](ScoredPair& pair) { return spectral_distances(pair).wss; }});
      });
}

}  // namespace limbeck::metric
