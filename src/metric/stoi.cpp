#include "metric/stoi.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

#include "limbeck/audio/real_fft.h"
#include "limbeck/core/error.h"
#include "metric/octave_resampler.h"
#include "metric/signal_checks.h"

namespace limbeck::metric {
namespace {

constexpr int kRateHz = 10000;
constexpr std::size_t kFrame = 256;
constexpr std::size_t kHop = kFrame / 2;
constexpr std::size_t kFftSize = 512;
constexpr std::size_t kBands = 15;
constexpr double kLowestCentreHz = 150.0;
constexpr std::size_t kSegment = 30;  // N of eq. (3): 384 ms
constexpr double kDynamicRangeDb = 40.0;
constexpr double kLowerSdrDb = -15.0;  // beta of eq. (3)
constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

/// Constants of the transform and its third-octave bands.
struct Analysis {
  std::array<float, kFrame> window;
  std::array<std::size_t, kBands> first_bin;
  std::array<std::size_t, kBands> last_bin;  // exclusive

  Analysis() {
    for (std::size_t n = 0; n < kFrame; ++n) {  // Hann without the zeros at its ends
      const double phase = 2.0 * std::numbers::pi * static_cast<double>(n + 1) / (kFrame + 1);
      window[n] = static_cast<float>(0.5 - 0.5 * std::cos(phase));
    }
    for (std::size_t band = 0; band < kBands; ++band) {
      const auto k = static_cast<double>(band);
      first_bin[band] = nearest_bin(kLowestCentreHz * std::pow(2.0, (2.0 * k - 1.0) / 6.0));
      last_bin[band] = nearest_bin(kLowestCentreHz * std::pow(2.0, (2.0 * k + 1.0) / 6.0));
    }
  }

  static std::size_t nearest_bin(double hz) {
    return static_cast<std::size_t>(std::lround(hz * kFftSize / kRateHz));
  }
};

const Analysis& analysis() {
  static const Analysis instance;
  return instance;
}

// Energy of each frame of the clean signal; frames start before length - kFrame, as in pystoi.
std::vector<double> frame_energies_db(const FloatBuffer& signal) {
  std::vector<double> energies;
  for (std::size_t start = 0; start + kFrame < signal.size(); start += kHop) {
    double sum = 0;
    for (std::size_t block = 0; block < kFrame; block += 64) {
      std::array<float, 8> lanes{};
      for (std::size_t n = 0; n < 64; ++n) {
        const float x = signal[start + block + n] * analysis().window[block + n];
        lanes[n % 8] += x * x;
      }
      for (const float lane : lanes) sum += lane;
    }
    energies.push_back(20.0 * std::log10(std::sqrt(sum) + kEpsilon));
  }
  return energies;
}

// Overlap-adds the windowed frames that are kept, one after the other.
FloatBuffer join_frames(const FloatBuffer& signal, const std::vector<std::size_t>& kept) {
  FloatBuffer joined(kept.empty() ? 0 : (kept.size() - 1) * kHop + kFrame, 0.0f);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    const float* from = signal.data() + kept[i] * kHop;
    float* to = joined.data() + i * kHop;
    for (std::size_t n = 0; n < kFrame; ++n) to[n] += from[n] * analysis().window[n];
  }
  return joined;
}

using BandFrame = std::array<float, kBands>;

// Magnitudes of the third-octave bands of each frame, eq. (1).
std::vector<BandFrame> band_magnitudes(const FloatBuffer& signal, std::size_t frames) {
  const RealFft& fft = shared_real_fft(kFftSize);
  FloatBuffer spectrum(kFftSize);
  FloatBuffer scratch(kFftSize);
  std::vector<BandFrame> magnitudes(frames);
  for (std::size_t frame = 0; frame < frames; ++frame) {
    const float* from = signal.data() + frame * kHop;
    for (std::size_t n = 0; n < kFrame; ++n) spectrum[n] = from[n] * analysis().window[n];
    std::fill(spectrum.begin() + kFrame, spectrum.end(), 0.0f);
    fft.forward(spectrum.data(), spectrum.data(), scratch.data());
    power_spectrum(spectrum.data(), scratch.data(), kFftSize);
    for (std::size_t band = 0; band < kBands; ++band) {
      float power = 0;
      for (std::size_t k = analysis().first_bin[band]; k < analysis().last_bin[band]; ++k) {
        power += scratch[k];
      }
      magnitudes[frame][band] = std::sqrt(power);
    }
  }
  return magnitudes;
}

/// 384 ms of one signal, bands by frames; rows are contiguous in time.
using Row = std::array<double, kSegment>;
using Segment = std::array<Row, kBands>;

void load_segment(const std::vector<BandFrame>& magnitudes, std::size_t first, Segment& segment) {
  for (std::size_t n = 0; n < kSegment; ++n) {
    for (std::size_t band = 0; band < kBands; ++band) {
      segment[band][n] = magnitudes[first + n][band];
    }
  }
}

double squared_norm(const Row& row) {
  std::array<double, 6> lanes{};
  for (std::size_t n = 0; n < kSegment; ++n) lanes[n % 6] += row[n] * row[n];
  return lanes[0] + lanes[1] + lanes[2] + lanes[3] + lanes[4] + lanes[5];
}

void subtract_mean(Row& row) {
  std::array<double, 6> lanes{};
  for (std::size_t n = 0; n < kSegment; ++n) lanes[n % 6] += row[n];
  const double mean = (lanes[0] + lanes[1] + lanes[2] + lanes[3] + lanes[4] + lanes[5]) / kSegment;
  for (double& value : row) value -= mean;
}

// Correlation of a band of the clean signal with the scaled and clipped estimate, eq. (3) to (5).
double intermediate_intelligibility(Row clean, Row estimate) {
  const double scale =
      std::sqrt(squared_norm(clean)) / (std::sqrt(squared_norm(estimate)) + kEpsilon);
  const double clip = 1.0 + std::pow(10.0, -kLowerSdrDb / 20.0);
  for (std::size_t n = 0; n < kSegment; ++n) {
    estimate[n] = std::min(estimate[n] * scale, clean[n] * clip);
  }
  subtract_mean(clean);
  subtract_mean(estimate);
  double product = 0;
  for (std::size_t n = 0; n < kSegment; ++n) product += clean[n] * estimate[n];
  return product / ((std::sqrt(squared_norm(clean)) + kEpsilon) *
                    (std::sqrt(squared_norm(estimate)) + kEpsilon));
}

// Zero mean and unit norm over time for each band, then over the bands for each frame: ESTOI
// eq. (3), (4). Rows and columns that hold nothing beyond rounding become zero; a stretch with one
// frame of sound, for example, has equal rows, so that nothing is left of its columns.
void normalize_rows_and_columns(Segment& segment) {
  constexpr double kRounding = 1e-24;  // relative, squared
  for (Row& row : segment) {
    const double floor = kRounding * squared_norm(row);
    subtract_mean(row);
    const double power = squared_norm(row);
    const double scale = power > floor ? 1.0 / std::sqrt(power) : 0.0;
    for (double& value : row) value *= scale;
  }
  Row mean{};
  for (const Row& row : segment) {
    for (std::size_t n = 0; n < kSegment; ++n) mean[n] += row[n];
  }
  for (double& value : mean) value /= kBands;
  Row power{};
  for (Row& row : segment) {
    for (std::size_t n = 0; n < kSegment; ++n) {
      row[n] -= mean[n];
      power[n] += row[n] * row[n];
    }
  }
  for (double& value : power) value = value > kRounding ? 1.0 / std::sqrt(value) : 0.0;
  for (Row& row : segment) {
    for (std::size_t n = 0; n < kSegment; ++n) row[n] *= power[n];
  }
}

StoiScores average_segments(const std::vector<BandFrame>& clean,
                            const std::vector<BandFrame>& estimate) {
  Segment x;
  Segment y;
  double stoi = 0;
  double estoi = 0;
  const std::size_t segments = clean.size() - kSegment + 1;
  for (std::size_t first = 0; first < segments; ++first) {
    load_segment(clean, first, x);
    load_segment(estimate, first, y);
    for (std::size_t band = 0; band < kBands; ++band) {
      stoi += intermediate_intelligibility(x[band], y[band]);
    }
    normalize_rows_and_columns(x);
    normalize_rows_and_columns(y);
    for (std::size_t band = 0; band < kBands; ++band) {
      for (std::size_t n = 0; n < kSegment; ++n) estoi += x[band][n] * y[band][n];
    }
  }
  const auto count = static_cast<double>(segments);
  return {stoi / (count * kBands), estoi / (count * kSegment)};
}

FloatBuffer at_10_khz(std::span<const float> signal, int rate_hz) {
  if (rate_hz == kRateHz) return FloatBuffer(signal.begin(), signal.end());
  return shared_octave_resampler(rate_hz, kRateHz)->resample(signal);
}

}  // namespace

StoiScores stoi_scores(std::span<const float> clean, std::span<const float> estimate, int rate_hz) {
  if (rate_hz < 1000 || rate_hz > 768000) {
    throw DataError("STOI: the rate must lie between 1 and 768 kHz, not " +
                    std::to_string(rate_hz) + " Hz");
  }
  require_equal_length(clean, estimate, "STOI");
  require_finite(clean, estimate, "STOI");
  require_sound(clean, "STOI", "clean");
  require_sound(estimate, "STOI", "estimated");
  const FloatBuffer x = at_10_khz(clean, rate_hz);
  const FloatBuffer y = at_10_khz(estimate, rate_hz);

  const std::vector<double> energies = frame_energies_db(x);
  if (energies.empty()) throw DataError("STOI: the signals are shorter than one frame of 25.6 ms");
  const double loudest = *std::max_element(energies.begin(), energies.end());
  std::vector<std::size_t> kept;
  for (std::size_t frame = 0; frame < energies.size(); ++frame) {
    if (loudest - kDynamicRangeDb - energies[frame] < 0) kept.push_back(frame);
  }
  if (kept.size() < kSegment + 1) {
    throw DataError("STOI: " + std::to_string(kept.size()) +
                    " frames of the clean signal are not silent, 31 are needed (0.4 s)");
  }
  const std::size_t frames = kept.size() - 1;
  return average_segments(band_magnitudes(join_frames(x, kept), frames),
                          band_magnitudes(join_frames(y, kept), frames));
}

const StoiScores& stoi_scores(ScoredPair& pair) {
  return pair.shared<StoiScores>(
      [&] { return stoi_scores(pair.clean(), pair.estimate(), pair.rate_hz()); });
}

void add_stoi(MetricRegistry& registry) {
  registry.add<config::NoOptions>(
      "stoi", "short-time objective intelligibility", [](const config::NoOptions&) {
        return std::make_unique<Metric>(
            Metric{.title = "STOI", .decimals = 4, .version = 1, .score = [](ScoredPair& pair) {
                     return stoi_scores(pair).stoi;
                   }});
      });
  registry.add<config::NoOptions>(
      "estoi", "extended short-time objective intelligibility", [](const config::NoOptions&) {
        return std::make_unique<Metric>(
            Metric{.title = "ESTOI", .decimals = 4, .version = 1, .score = [](ScoredPair& pair) {
                     return stoi_scores(pair).estoi;
                   }});
      });
}

}  // namespace limbeck::metric
