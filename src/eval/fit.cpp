#include "eval/fit.h"

#include <algorithm>
#include <cmath>

#include "limbeck/audio/aligned_buffer.h"
#include "limbeck/audio/io.h"
#include "limbeck/audio/real_fft.h"
#include "limbeck/audio/resample.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/data/pair_lengths.h"

namespace limbeck {
namespace {

/// Below this normalised correlation a lag is a matter of chance.
constexpr double kLeastCorrelation = 0.1;

double norm(const std::vector<float>& x) {
  double sum = 0;
  for (const float value : x) sum += static_cast<double>(value) * value;
  return std::sqrt(sum);
}

FloatBuffer spectrum_of(const std::vector<float>& x, double scale, const RealFft& transform,
                        FloatBuffer& scratch) {
  FloatBuffer spectrum(transform.size(), 0.0F);
  for (size_t i = 0; i < x.size(); ++i) spectrum[i] = static_cast<float>(x[i] / scale);
  transform.forward(spectrum.data(), spectrum.data(), scratch.data());
  return spectrum;
}

const RealFft& transform_for(size_t samples, const std::string& name) {
  try {
    return shared_real_fft(fft_size_for(samples));
  } catch (const DataError& e) {
    throw DataError(name + ": cannot be aligned: " + e.what());
  }
}

/// Samples by which `other` comes late: the largest absolute cross-correlation within 1 s.
int64_t best_lag(const Waveform& clean, const Waveform& other, const std::string& name) {
  const double clean_norm = norm(clean.samples);
  const double other_norm = norm(other.samples);
  if (!(clean_norm > 0 && other_norm > 0)) return 0;  // silence is for the metrics to name
  const auto& transform = transform_for(clean.samples.size() + other.samples.size(), name);
  FloatBuffer scratch(transform.size());
  auto product = spectrum_of(clean.samples, clean_norm, transform, scratch);
  const auto spectrum = spectrum_of(other.samples, other_norm, transform, scratch);
  multiply_conjugate(product.data(), spectrum.data(), product.data(), transform.size());
  transform.inverse(product.data(), product.data(), scratch.data());

  const auto size = static_cast<int64_t>(transform.size());
  const int64_t reach =
      std::min({int64_t{clean.rate_hz}, clean.size() - 1, other.size() - 1, size / 2 - 1});
  int64_t best = 0;
  const auto value = [&](int64_t lag) {
    return std::abs(product[static_cast<size_t>((lag + size) % size)]);
  };
  for (int64_t lag = -reach; lag <= reach; ++lag) {
    if (value(lag) > value(best)) best = lag;
  }
  const double correlation = value(best) / static_cast<double>(size);
  if (correlation < kLeastCorrelation) {
    throw DataError(
        format("%s: cannot be aligned: within 1 s the correlation with its clean side "
               "is %.3f at most",
               name, correlation));
  }
  return best;
}

}  // namespace

Waveform read_for_scoring(const AudioFile& file, const FitOptions& options) {
  Waveform wave = read_audio(file.path, {.channel = options.channel});
  if (!file.hash.empty()) require_hash(file, wave.samples);
  return options.resample_hz > 0 ? resample(wave, static_cast<int>(options.resample_hz)) : wave;
}

std::vector<int64_t> noisy_lengths(const std::vector<EvaluationItem>& items,
                                   const FitOptions& options) {
  std::vector<int64_t> lengths;
  for (const EvaluationItem& item : items) {
    const int64_t samples = item.samples + item.noisy.cut;  // which is read whole
    const bool resampled = options.resample_hz > 0 && item.rate_hz > 0;
    lengths.push_back(resampled ? (samples * options.resample_hz + item.rate_hz - 1) / item.rate_hz
                                : samples);
  }
  return lengths;
}

Overlap fit(const Waveform& clean, const Waveform& other, const std::string& name,
            const FitOptions& options) {
  if (other.rate_hz != clean.rate_hz) {
    throw DataError(
        format("%s: has %d Hz and its clean side %d Hz; limbeck-evaluate --resample brings all to "
               "one",
               name, other.rate_hz, clean.rate_hz));
  }
  const int64_t lag = options.align ? best_lag(clean, other, name) : 0;
  Overlap overlap;
  overlap.clean_start = static_cast<size_t>(std::max<int64_t>(-lag, 0));
  overlap.other_start = static_cast<size_t>(std::max<int64_t>(lag, 0));
  overlap.count = std::min(clean.samples.size() - overlap.clean_start,
                           other.samples.size() - overlap.other_start);
  const int64_t hop = largest_length_difference(clean.rate_hz);
  if (!options.align && std::abs(clean.size() - other.size()) > hop) {
    throw DataError(
        format("%s: has %d samples and its clean side %d, more than a hop of %d apart; "
               "limbeck-evaluate --align shifts and cuts",
               name, other.size(), clean.size(), hop));
  }
  return overlap;
}

}  // namespace limbeck
