// Coarse and fine delay estimation of PESQ (01 1.9, 1.10).

#include "metric/pesq_delay.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <numbers>

namespace limbeck::metric::pesq {

DelayFinder::DelayFinder(const FilteredSignal& reference, const FilteredSignal& degraded,
                         const RateConstants& constants)
    : reference_(reference),
      degraded_(degraded),
      constants_(constants),
      fft_(shared_real_fft(static_cast<std::size_t>(constants.align_size))),
      hann_(fft_.size()),
      frame_a_(fft_.size()),
      frame_b_(fft_.size()),
      scratch_(fft_.size()),
      histogram_(fft_.size()) {
  for (std::size_t n = 0; n < hann_.size(); ++n) {
    const double phase =
        2.0 * std::numbers::pi * static_cast<double>(n) / static_cast<double>(hann_.size());
    hann_[n] = static_cast<float>(0.5 * (1.0 - std::cos(phase)));
  }
}

int DelayFinder::coarse_delay() {
  return correlate_activity(reference_.activity.log_energy, degraded_.activity.log_energy);
}

int DelayFinder::coarse_delay(int first, int last, int seed) {
  const int degraded_count = static_cast<int>(degraded_.activity.log_energy.size());
  int degraded_first = first + seed / constants_.window;
  if (degraded_first < 0) {
    first = -seed / constants_.window;
    degraded_first = 0;
  }
  const int count = last - first;
  const int available = std::min(count, degraded_count - degraded_first);
  if (count <= 1 || available <= 1) {
    correlation_count_ = 0;
    return seed;
  }
  const std::span<const float> x = reference_.activity.log_energy;
  const std::span<const float> y = degraded_.activity.log_energy;
  return seed + correlate_activity(
                    x.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)),
                    y.subspan(static_cast<std::size_t>(degraded_first),
                              static_cast<std::size_t>(available)));
}

int DelayFinder::correlate_activity(std::span<const float> x, std::span<const float> y) {
  // Correlation as convolution with the reversed reference; twice the size avoids wrap-around.
  const std::size_t size = 2 * fft_size_for(std::max(x.size(), y.size()));
  const RealFft& fft = shared_real_fft(size);
  coarse_.assign(size, 0.0f);
  coarse_b_.assign(size, 0.0f);
  coarse_scratch_.resize(size);
  std::reverse_copy(x.begin(), x.end(), coarse_.begin());
  std::copy(y.begin(), y.end(), coarse_b_.begin());
  fft.forward(coarse_.data(), coarse_.data(), coarse_scratch_.data());
  fft.forward(coarse_b_.data(), coarse_b_.data(), coarse_scratch_.data());
  multiply_plain(coarse_.data(), coarse_b_.data(), coarse_.data(), size);
  fft.inverse(coarse_.data(), coarse_.data(), coarse_scratch_.data());
  correlation_count_ = x.size() + y.size() - 1;
  float best = 0;
  auto best_index = static_cast<int>(x.size()) - 1;
  for (std::size_t k = 0; k < correlation_count_; ++k) {
    coarse_[k] /= static_cast<float>(size);
    if (coarse_[k] > best) {
      best = coarse_[k];
      best_index = static_cast<int>(k);
    }
  }
  return (best_index - static_cast<int>(x.size()) + 1) * constants_.window;
}

FrameCorrelation DelayFinder::correlate_frames(int reference_start, int degraded_start,
                                               const FloatBuffer& window) {
  const float* a = reference_.working.data() + reference_start;
  const float* b = degraded_.working.data() + degraded_start;
  const std::size_t size = fft_.size();
  multiply_samples(a, window.data(), frame_a_.data(), size);
  multiply_samples(b, window.data(), frame_b_.data(), size);
  fft_.forward(frame_a_.data(), frame_a_.data(), scratch_.data());
  fft_.forward(frame_b_.data(), frame_b_.data(), scratch_.data());
  multiply_conjugate(frame_a_.data(), frame_b_.data(), frame_a_.data(), size);
  fft_.inverse(frame_a_.data(), frame_a_.data(), scratch_.data());
  const float largest =
      alignment_kernels().magnitudes(frame_a_.data(), static_cast<std::int64_t>(size));
  const float level = 0.99f * largest;
  return {frame_a_, {level, std::sqrt(std::sqrt(std::sqrt(level)))}};  // level^0.125
}

HistogramPeak histogram_peak(std::span<const float> histogram) {
  HistogramPeak peak;
  const auto size = static_cast<int>(histogram.size());
  const auto above = [&](std::int64_t from) {
    return alignment_kernels().find_above(histogram.data(), peak.value, from, size);
  };
  for (std::int64_t p = above(0); p < size; p = above(p + 1)) {
    peak = {histogram[static_cast<std::size_t>(p)], static_cast<int>(p)};
  }
  if (peak.lag >= size / 2) peak.lag -= size;
  return peak;
}

DelayEstimate DelayFinder::fine_delay(int first, int last, int seed) {
  const int size = constants_.align_size;
  int reference_start = first * constants_.window;
  int degraded_start = reference_start + seed;
  if (degraded_start < 0) {
    reference_start = -seed;
    degraded_start = 0;
  }
  std::fill(histogram_.begin(), histogram_.end(), 0.0f);
  float total = 0;
  while (degraded_start + size <= degraded_.nominal_length &&
         reference_start + size <= last * constants_.window) {
    const auto [correlation, peak] = correlate_frames(reference_start, degraded_start, hann_);
    const std::int64_t lags = alignment_kernels().count_above(correlation.data(), peak.level,
                                                              peak.weight, histogram_.data(), size);
    for (std::int64_t i = 0; i < lags; ++i) total += peak.weight;
    reference_start += size / 4;
    degraded_start += size / 4;
  }
  if (!(total > 0)) return {seed, 0.0f};

  // Step 5: triangular smoothing over neighbouring lags.
  const int radius = size / 64;
  std::vector<float> weights;
  FloatBuffer around;  // the histogram with its other end on both sides
  around.reserve(histogram_.size() + 2 * static_cast<std::size_t>(radius));
  around.insert(around.end(), histogram_.end() - (radius - 1), histogram_.end());
  around.insert(around.end(), histogram_.begin(), histogram_.end());
  around.insert(around.end(), histogram_.begin(), histogram_.begin() + (radius - 1));
  for (int k = 1 - radius; k < radius; ++k) {
    weights.push_back(1.0f - static_cast<float>(std::abs(k)) / static_cast<float>(radius));
  }
  FloatBuffer& smoothed = frame_b_;
  alignment_kernels().smooth(around.data(), weights.data(), std::ssize(weights), smoothed.data(),
                             size);
  for (float& value : smoothed) value /= total;
  const HistogramPeak peak = histogram_peak(smoothed);
  return {seed + peak.lag, peak.value};
}

}  // namespace limbeck::metric::pesq
