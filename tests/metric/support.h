#pragma once
// Signals and files for the metric tests.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <map>
#include <numbers>
#include <string>
#include <vector>

#include "data/support.h"
#include "limbeck/audio/io.h"
#include "limbeck/core/csv.h"

namespace limbeck::metric::test {

/// Small generator with the same values everywhere (Numerical Recipes, 64-bit LCG).
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed * 2862933555777941757ULL + 3037000493ULL) {}
  /// Uniform in [0, 1).
  double uniform() {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<double>(state_ >> 11) * 0x1p-53;
  }
  int below(int limit) { return static_cast<int>(uniform() * limit); }
  float noise() { return static_cast<float>(uniform() + uniform() + uniform() - 1.5); }

 private:
  std::uint64_t state_;
};

inline std::vector<float> white_noise(std::size_t length, float level, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> signal(length);
  for (float& x : signal) x = level * random.noise();
  return signal;
}

/// Harmonics with moving pitch and syllables of 0.3 s with pauses: enough like speech to score.
inline std::vector<float> synthetic_speech(double seconds, int rate_hz, std::uint64_t seed = 1) {
  Random random(seed);
  std::vector<float> signal(static_cast<std::size_t>(seconds * rate_hz));
  double phase = 0;
  for (std::size_t i = 0; i < signal.size(); ++i) {
    const double t = static_cast<double>(i) / rate_hz;
    phase += 2.0 * std::numbers::pi * (130.0 + 40.0 * std::sin(2.3 * t)) / rate_hz;
    const double envelope = std::max(0.0, std::sin(2.0 * std::numbers::pi * t / 0.6));
    double value = 0;
    for (int k = 1; k <= 20; ++k) {
      value += std::sin(k * phase) * std::exp(-0.15 * k) * (1.0 + std::sin(1.7 * t + k));
    }
    signal[i] = static_cast<float>(envelope * 0.05 * value) + 1e-4f * random.noise();
  }
  return signal;
}

inline std::vector<float> mixed(const std::vector<float>& clean, float noise_level,
                                std::uint64_t seed = 2) {
  std::vector<float> result = white_noise(clean.size(), noise_level, seed);
  for (std::size_t i = 0; i < result.size(); ++i) result[i] += clean[i];
  return result;
}

inline std::vector<float> scaled(std::vector<float> signal, float gain) {
  for (float& x : signal) x *= gain;
  return signal;
}

inline std::vector<float> delayed(const std::vector<float>& signal, std::size_t samples) {
  std::vector<float> result(samples, 0.0f);
  result.insert(result.end(), signal.begin(), signal.end() - static_cast<std::ptrdiff_t>(samples));
  return result;
}

/// The folder with recordings and reference values, empty if this machine lacks it.
inline std::filesystem::path shared_data() { return ::limbeck::test::shared_data().value_or(""); }

inline std::vector<float> read_audio(const std::filesystem::path& path) {
  return ::limbeck::read_audio(path).samples;
}

using CsvRow = std::map<std::string, std::string>;

inline std::vector<CsvRow> read_csv(const std::filesystem::path& path) {
  const Csv csv = ::limbeck::read_csv(path);
  std::vector<CsvRow> rows;
  for (const auto& fields : csv.rows) {
    CsvRow& row = rows.emplace_back();
    for (std::size_t i = 0; i < fields.size(); ++i) row[csv.header[i]] = fields[i];
  }
  return rows;
}

}  // namespace limbeck::metric::test
