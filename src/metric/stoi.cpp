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
#include "metric/levels/stoi_segment.h"
#include "metric/octave_resampler.h"
#include "metric/signal_checks.h"

namespace limbeck::metric {
namespace {

constexpr int kRateHz = 10000;
constexpr std::size_t kFrame = 256;
constexpr std::size_t kHop = kFrame / 2;
constexpr std::size_t kFftSize = 512;
constexpr std::size_t kBands = kStoiBands;
constexpr double kLowestCentreHz = 150.0;
constexpr std::size_t kSegment = kStoiSegment;
constexpr double kDynamicRangeDb = 40.0;
constexpr double kWorst = -1;  // both measures are means of correlations
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

using BandFrame = std::array<float, kStoiStride>;

// Magnitudes of the third-octave bands of each frame, eq. (1).
std::vector<BandFrame> band_magnitudes(const FloatBuffer& signal, std::size_t frames) {
  const RealFft& fft = shared_real_fft(kFftSize);
  FloatBuffer spectrum(kFftSize);
  FloatBuffer scratch(kFftSize);
  std::vector<BandFrame> magnitudes(frames, BandFrame{});
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

StoiScores average_segments(const std::vector<BandFrame>& clean,
                            const std::vector<BandFrame>& estimate) {
  double stoi = 0;
  double estoi = 0;
  const std::size_t segments = clean.size() - kSegment + 1;
  for (std::size_t first = 0; first < segments; ++first) {
    const SegmentSums sums = stoi_kernels().correlate(clean[first].data(), estimate[first].data());
    stoi += sums.stoi;
    estoi += sums.estoi;
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
            Metric{.title = "STOI",
                   .decimals = 4,
                   .worst = kWorst,
                   .version = 1,
                   .score = [](ScoredPair& pair) { return stoi_scores(pair).stoi; }});
      });
  registry.add<config::NoOptions>(
      "estoi", "extended short-time objective intelligibility", [](const config::NoOptions&) {
        return std::make_unique<Metric>(
            Metric{.title = "ESTOI",
                   .decimals = 4,
                   .worst = kWorst,
                   .version = 1,
                   .score = [](ScoredPair& pair) { return stoi_scores(pair).estoi; }});
      });
}

}  // namespace limbeck::metric
