// From frames to the raw score of PESQ: compensation, disturbance, realignment of bad intervals,
// aggregation (03 3.1, 3.5, 04 4.2 to 4.8, 05).

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "metric/pesq_perceptual.h"

namespace limbeck::metric::pesq {
namespace {

constexpr float kBadFrameDisturbance = 30.0f;
constexpr int kMinBadFrames = 5;
constexpr std::size_t kMaxBadIntervals = 1000;

/// Frames in which the delay may be wrong, and the correction found for them.
struct BadInterval {
  int first_frame = 0;
  int last_frame = 0;  // exclusive
  int first_sample = 0;
  int last_sample = 0;  // exclusive
  int delay = 0;
};

class DisturbanceModel {
 public:
  DisturbanceModel(const FilteredSignal& reference, const FilteredSignal& degraded,
                   std::span<const Utterance> utterances, const RateConstants& constants)
      : c_(constants),
        utterances_(utterances),
        nominal_(std::max(reference.nominal_length, degraded.nominal_length)),
        total_(static_cast<std::size_t>(nominal_ + constants.padding)),
        reference_(extended(reference.model)),
        degraded_(extended(degraded.model)),
        listener_(constants),
        pitch_power_(constants) {}

  double raw_score() {
    find_frame_range();
    compute_band_powers();
    compensate_frequency_response();
    compute_disturbances();
    clear_skipped_frames();
    if (has_bad_frames_) realign_bad_intervals();
    normalize_by_power();
    return 4.5 - 0.1 * aggregate(&FrameDisturbance::symmetric) -
           0.0309 * aggregate(&FrameDisturbance::asymmetric);
  }

 private:
  FloatBuffer extended(const FloatBuffer& model) const {
    FloatBuffer copy(model);
    copy.resize(total_, 0.0f);
    return copy;
  }

  // 03 3.1: leading and trailing digital silence of the reference does not count.
  void find_frame_range() {
    const auto level = [&](int first) {
      float sum = 0;
      for (int i = 0; i < 5; ++i) sum += std::abs(reference_[static_cast<std::size_t>(first + i)]);
      return sum;
    };
    const int last = nominal_ - c_.margin + c_.padding - 5;
    int skip_start = 0;
    while (skip_start < nominal_ / 2 && level(c_.margin + skip_start) < 500.0f) ++skip_start;
    int skip_end = 0;
    while (skip_end < nominal_ / 2 && level(last - skip_end) < 500.0f) ++skip_end;
    frame_start_ = skip_start / c_.hop;
    frame_stop_ = (nominal_ - 2 * c_.margin + c_.padding - skip_end) / c_.hop - 1;
  }

  void compute_band_powers() {
    const auto count = static_cast<std::size_t>(frame_stop_ + 1);
    reference_power_.resize(count);
    degraded_power_.resize(count);
    for (int frame = 0; frame <= frame_stop_; ++frame) {
      const auto f = static_cast<std::size_t>(frame);
      const int start = c_.margin + frame * c_.hop;
      pitch_power_.compute(reference_.data() + start, reference_power_[f]);
      const int degraded_start = start + delay_at(utterances_, start, c_.window);
      if (degraded_start > 0 && degraded_start + c_.frame < nominal_ + c_.padding) {
        pitch_power_.compute(degraded_.data() + degraded_start, degraded_power_[f]);
      } else {
        degraded_power_[f].fill(0.0f);
      }
    }
  }

  // 03 3.5: a constant filter between the signals disturbs little; the reference follows it.
  void compensate_frequency_response() {
    const std::size_t bands = c_.bands.size();
    std::array<double, kBandStride> reference_sum{};
    std::array<double, kBandStride> degraded_sum{};
    for (std::size_t f = 0; f < reference_power_.size(); ++f) {
      if (listener_.audible_power(reference_power_[f], 100.0f) < 1e7) continue;
      for (std::size_t b = 0; b < bands; ++b) {
        const float floor = 100.0f * c_.bands[b].threshold;
        if (reference_power_[f][b] > floor) reference_sum[b] += reference_power_[f][b];
        if (degraded_power_[f][b] > floor) degraded_sum[b] += degraded_power_[f][b];
      }
    }
    const int frames = (nominal_ - 2 * c_.margin + c_.padding) / c_.hop - 1;
    BandRow factor;
    factor.fill(1.0f);
    for (std::size_t b = 0; b < bands; ++b) {
      const auto x = static_cast<float>((degraded_sum[b] / frames + 1000.0) /
                                        (reference_sum[b] / frames + 1000.0));
      factor[b] = std::clamp(x, 0.01f, 100.0f);
    }
    for (BandRow& row : reference_power_) {
      for (std::size_t b = 0; b < kBandStride; ++b) row[b] *= factor[b];
    }
  }

  void compute_disturbances() {
    disturbance_.resize(reference_power_.size());
    audible_.resize(reference_power_.size());
    LocalGain gain;
    for (std::size_t f = 0; f < disturbance_.size(); ++f) {
      audible_[f] = listener_.audible_power(reference_power_[f], 1.0f);
      gain.apply(listener_, audible_[f], f == 0, degraded_power_[f]);
      disturbance_[f] = listener_.disturbance(reference_power_[f], degraded_power_[f]);
      has_bad_frames_ = has_bad_frames_ || disturbance_[f].symmetric > kBadFrameDisturbance;
    }
  }

  // 01 1.14: where the delay falls, frames of the reference have no counterpart.
  void clear_skipped_frames() {
    for (std::size_t u = 1; u < utterances_.size(); ++u) {
      const Utterance& before = utterances_[u - 1];
      const Utterance& after = utterances_[u];
      const int jump = after.delay - before.delay;
      if (jump >= -c_.hop) continue;
      const int start = (after.start - kMarginWindows) * c_.window;
      const int end = (before.end - kMarginWindows) * c_.window;
      const int first =
          std::max(0, std::min((start + after.delay) / c_.hop, (end + before.delay) / c_.hop));
      const int last = (start + std::abs(jump)) / c_.hop + 1;
      for (int f = first; f <= std::min(last, frame_stop_ - 1); ++f) {
        disturbance_[static_cast<std::size_t>(f)] = {};
      }
    }
  }

  // 04 4.5.1
  std::vector<BadInterval> find_bad_intervals() const {
    const auto count = static_cast<std::size_t>(frame_stop_ + 1);
    std::vector<char> bad(count, 0);
    for (std::size_t f = 1; f < count; ++f) {
      bad[f] = disturbance_[f].symmetric > kBadFrameDisturbance ? 1 : 0;
    }
    std::vector<char> joined(count, 0);  // gaps of up to four frames belong to the interval
    // The description includes frame_stop - 2; the scores of the `pesq` package exclude it.
    for (std::size_t f = 2; f + 3 < count; ++f) {
      const char left = std::max({bad[f - 2], bad[f - 1], bad[f]});
      const char right = std::max({bad[f], bad[f + 1], bad[f + 2]});
      joined[f] = std::min(left, right);
    }
    std::vector<BadInterval> intervals;
    for (std::size_t f = 0; f < count;) {
      if (joined[f] == 0) {
        ++f;
        continue;
      }
      const auto first = static_cast<int>(f);
      while (f < count && joined[f] != 0) ++f;
      const auto last = static_cast<int>(f);
      if (last - first < kMinBadFrames || intervals.size() >= kMaxBadIntervals) continue;
      intervals.push_back({first, std::min(last, frame_stop_), first * c_.hop + c_.margin,
                           last * c_.hop + c_.frame + c_.margin, 0});
    }
    return intervals;
  }

  // 04 4.5.2: the degraded signal with all delays taken out.
  FloatBuffer aligned_degraded() const {
    FloatBuffer aligned(total_, 0.0f);
    const int last = nominal_ + c_.padding - c_.margin;
    for (int i = c_.margin; i < last;) {
      const int delay = delay_at(utterances_, i, c_.window);
      int end = last;
      for (const Utterance& u : utterances_) {
        if (u.start * c_.window > i) end = std::min(end, u.start * c_.window);
      }
      for (; i < end; ++i) {
        aligned[static_cast<std::size_t>(i)] =
            degraded_[static_cast<std::size_t>(std::clamp(i + delay, c_.margin, last - 1))];
      }
    }
    return aligned;
  }

  // 04 4.5.3: lag of the best correlation of the magnitudes, 0 if that is weak.
  int find_interval_delay(const BadInterval& interval, const FloatBuffer& aligned) const {
    const int range = 4 * c_.frame;
    const int length = interval.last_sample - interval.first_sample;
    const int segment = 2 * range + length;
    const std::size_t size = fft_size_for(2 * static_cast<std::size_t>(segment));
    const RealFft& fft = shared_real_fft(size);
    FloatBuffer a(size, 0.0f);
    FloatBuffer b(size, 0.0f);
    FloatBuffer scratch(size);
    double a_power = 0;
    double b_power = 0;
    for (int i = 0; i < length; ++i) {
      const int from = std::min(interval.first_sample + i, nominal_ + c_.padding - 1);
      const float value = std::abs(reference_[static_cast<std::size_t>(from)]);
      a[static_cast<std::size_t>(range + i)] = value;
      a_power += static_cast<double>(value) * value;
    }
    const int last = nominal_ + c_.padding - c_.margin - 1;
    for (int i = 0; i < segment; ++i) {
      const int from = std::clamp(interval.first_sample - range + i, c_.margin, last);
      const float value = std::abs(aligned[static_cast<std::size_t>(from)]);
      b[static_cast<std::size_t>(i)] = value;
      b_power += static_cast<double>(value) * value;
    }
    const auto n = static_cast<double>(size);
    if (a_power / n <= 1e-6 || b_power / n <= 1e-6) return 0;
    fft.forward(a.data(), a.data(), scratch.data());
    fft.forward(b.data(), b.data(), scratch.data());
    multiply_conjugate(a.data(), b.data(), a.data(), size);
    fft.inverse(a.data(), a.data(), scratch.data());
    const double scale = 1.0 / (n * std::sqrt(a_power * b_power));
    double best = 0;
    int best_lag = 0;
    for (int lag = -range; lag < range; ++lag) {
      const std::size_t index =
          lag < 0 ? size - static_cast<std::size_t>(-lag) : static_cast<std::size_t>(lag);
      const double value = std::abs(a[index]) * scale;
      if (value > best) {
        best = value;
        best_lag = lag;
      }
    }
    return best < 0.5 ? 0 : best_lag;
  }

  // 04 4.5.4: a frame keeps the smaller of its old and its new disturbance.
  void realign_bad_intervals() {
    std::vector<BadInterval> intervals = find_bad_intervals();
    if (intervals.empty()) return;
    const FloatBuffer aligned = aligned_degraded();
    FloatBuffer realigned = aligned;
    for (BadInterval& interval : intervals) {
      interval.delay = find_interval_delay(interval, aligned);
      const int last = std::min(interval.last_sample, nominal_ + c_.padding);
      for (int i = interval.first_sample; i < last; ++i) {
        const int from = std::clamp(i + interval.delay, 0, nominal_ - 1);
        realigned[static_cast<std::size_t>(i)] = aligned[static_cast<std::size_t>(from)];
      }
    }
    BandRow power;
    for (const BadInterval& interval : intervals) {
      LocalGain gain;
      for (int frame = interval.first_frame; frame < interval.last_frame; ++frame) {
        const auto f = static_cast<std::size_t>(frame);
        pitch_power_.compute(realigned.data() + c_.margin + frame * c_.hop, power);
        gain.apply(listener_, audible_[f], frame == 0, power);
        const FrameDisturbance d = listener_.disturbance(reference_power_[f], power);
        disturbance_[f].symmetric = std::min(disturbance_[f].symmetric, d.symmetric);
        disturbance_[f].asymmetric = std::min(disturbance_[f].asymmetric, d.asymmetric);
      }
    }
  }

  // 04 4.6: loud frames may differ more.
  void normalize_by_power() {
    for (std::size_t f = 0; f < disturbance_.size(); ++f) {
      const auto h = static_cast<float>(std::pow((audible_[f] + 1e5) / 1e7, 0.04));
      disturbance_[f].symmetric = std::min(disturbance_[f].symmetric / h, 45.0f);
      disturbance_[f].asymmetric = std::min(disturbance_[f].asymmetric / h, 45.0f);
    }
  }

  // 04 4.7: in long signals the end counts more.
  double time_weight(int frame) const {
    if (frame_stop_ + 1 <= 1000) return 1.0;
    const int n = (nominal_ - 2 * c_.margin) / c_.hop - 1;
    const double f = std::min((n - 1000) / 5500.0, 0.5);
    return (1.0 - f) + f * frame / n;
  }

  // 04 4.8: p = 6 within syllables of 20 frames, p = 2 over time.
  double aggregate(float FrameDisturbance::* kind) const {
    double sum = 0;
    double weights = 0;
    for (int start = frame_start_; start <= frame_stop_; start += 10) {
      double syllable = 0;
      for (int f = start; f < start + 20 && f <= frame_stop_; ++f) {
        const double d = disturbance_[static_cast<std::size_t>(f)].*kind;
        syllable += d * d * d * d * d * d;
      }
      const double weight = time_weight(start - frame_start_);
      // ((mean)^(1/6) * weight)^2
      sum += std::cbrt(syllable / 20.0) * weight * weight;
      weights += weight * weight;
    }
    return weights > 0 ? std::sqrt(sum / weights) : 0.0;
  }

  const RateConstants& c_;
  std::span<const Utterance> utterances_;
  int nominal_;  // of the longer signal
  std::size_t total_;
  FloatBuffer reference_;
  FloatBuffer degraded_;
  Listener listener_;
  PitchPower pitch_power_;
  int frame_start_ = 0;
  int frame_stop_ = 0;
  std::vector<BandRow> reference_power_;
  std::vector<BandRow> degraded_power_;
  std::vector<double> audible_;  // power of the reference frame
  std::vector<FrameDisturbance> disturbance_;
  bool has_bad_frames_ = false;
};

}  // namespace

double perceptual_score(const FilteredSignal& reference, const FilteredSignal& degraded,
                        std::span<const Utterance> utterances, const RateConstants& constants) {
  return DisturbanceModel(reference, degraded, utterances, constants).raw_score();
}

}  // namespace limbeck::metric::pesq
