// Splitting of utterances whose delay changes inside (01 1.13).

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <optional>

#include "metric/pesq_delay.h"

namespace limbeck::metric::pesq {
namespace {

constexpr int kMinSpeechWindows = 200;
constexpr std::size_t kMaxCandidates = 40;
constexpr std::size_t kMaxUtterances = 50;

/// A place where an utterance may be split and what both sides say about it.
struct Candidate {
  int window = 0;
  int left_coarse = 0;
  int right_coarse = 0;
  DelayEstimate left;
  DelayEstimate right;
  bool left_done = false;
  bool right_done = false;
};

/// Histogram of frame delays that grows until the next candidate is reached (01 1.13 step 5).
class DelayHistogram {
 public:
  DelayHistogram(DelayFinder& finder, const FloatBuffer& window)
      : finder_(finder), window_(window), histogram_(window.size()) {}

  void start_forward(int first_window, int seed) {
    clear(seed);
    reference_start_ = first_window * finder_.constants().window;
    if (reference_start_ + seed < 0) reference_start_ = -seed;
  }

  void start_backward(int last_window, int seed) {
    clear(seed);
    const int size = finder_.constants().align_size;
    reference_start_ = last_window * finder_.constants().window - size;
    const int last_start = finder_.degraded().nominal_length - size;
    if (reference_start_ + seed > last_start) reference_start_ = last_start - seed;
  }

  void advance_forward_to(int window) {
    const int size = finder_.constants().align_size;
    const int last_degraded = finder_.degraded().nominal_length - size;
    const int last_reference = window * finder_.constants().window - size;
    while (reference_start_ + seed_ <= last_degraded && reference_start_ <= last_reference) {
      add_frame();
      reference_start_ += size / 4;
    }
  }

  void advance_backward_to(int window) {
    const int size = finder_.constants().align_size;
    const int first_reference = window * finder_.constants().window;
    while (reference_start_ + seed_ >= 0 && reference_start_ >= first_reference) {
      add_frame();
      reference_start_ -= size / 4;
    }
  }

  DelayEstimate estimate() const {
    const HistogramPeak peak = histogram_peak(histogram_);
    return {seed_ + peak.lag, total_ > 0 ? peak.value / total_ : 0.0f};
  }

 private:
  void clear(int seed) {
    seed_ = seed;
    total_ = 0;
    std::fill(histogram_.begin(), histogram_.end(), 0.0f);
  }

  // Each prominent lag counts with a triangle around it (01 1.13 step 6).
  void add_frame() {
    const auto [correlation, peak] =
        finder_.correlate_frames(reference_start_, reference_start_ + seed_, window_);
    const int size = static_cast<int>(correlation.size());
    const int radius = size / 64;
    const float unit = peak.weight / static_cast<float>(radius);
    const auto above = [&, values = correlation.data(), level = peak.level](std::int64_t from) {
      return static_cast<int>(alignment_kernels().find_above(values, level, from, size));
    };
    for (int p = above(0); p < size; p = above(p + 1)) {
      for (int k = 1 - radius; k < radius; ++k) {
        histogram_[static_cast<std::size_t>((p + k + size) % size)] +=
            unit * static_cast<float>(radius - std::abs(k));
      }
      total_ += peak.weight;
    }
  }

  DelayFinder& finder_;
  const FloatBuffer& window_;
  FloatBuffer histogram_;
  float total_ = 0;
  int seed_ = 0;
  int reference_start_ = 0;
};

/// One attempt to split one utterance.
class Splitter {
 public:
  Splitter(DelayFinder& finder, const Utterance& utterance)
      : finder_(finder), utterance_(utterance), window_(finder.hann()) {}

  /// The best place, or nothing if no place improves the confidence.
  std::optional<Candidate> best_split() {
    if (!place_candidates()) return std::nullopt;
    estimate_coarse_delays();
    DelayHistogram histogram(finder_, window_);
    estimate_left_sides(histogram);
    estimate_right_sides(histogram);
    const Candidate* best = nullptr;
    float best_sum = 0;
    for (const Candidate& candidate : candidates()) {
      const float sum = candidate.left.confidence + candidate.right.confidence;
      if (std::abs(candidate.left.delay - candidate.right.delay) >= finder_.constants().window &&
          candidate.left.confidence > utterance_.confidence &&
          candidate.right.confidence > utterance_.confidence && sum > best_sum) {
        best = &candidate;
        best_sum = sum;
      }
    }
    return best != nullptr ? std::optional(*best) : std::nullopt;
  }

 private:
  std::span<Candidate> candidates() { return std::span(candidates_).first(count_); }

  // Steps 1 to 3.
  bool place_candidates() {
    const std::vector<float>& energy = finder_.reference().activity.energy;
    int start = utterance_.start;
    int end = utterance_.end;
    // Boundaries that clamping has moved outside of the signal hold no speech to split.
    if (start < 0 || end < 0 || std::max(start, end) >= static_cast<int>(energy.size())) {
      return false;
    }
    while (start < end && energy[static_cast<std::size_t>(start)] <= 0) ++start;
    while (end > utterance_.start && energy[static_cast<std::size_t>(end)] <= 0) --end;
    ++end;
    const int length = end - start;
    if (length < kMinSpeechWindows) return false;
    const int grid = finder_.constants().align_size / (4 * finder_.constants().window);
    const int step = static_cast<int>((0.801 * length + 40 * grid - 1) / (40 * grid)) * grid;
    const int pad = std::max(length / 10, kMarginWindows);
    for (int window = start + pad; window <= end - pad && count_ < kMaxCandidates; window += step) {
      candidates_[count_++].window = window;
    }
    return count_ > 0;
  }

  // Step 4. The reference program keeps these correlations and the window of the fine passes in
  // one memory area; where a long correlation reaches the window it replaces its values, and the
  // scores depend on that (01 1.13.1).
  void estimate_coarse_delays() {
    const std::size_t window_offset = 3 * window_.size() + 6;
    const auto overwrite_window = [&] {
      const std::span<const float> values = finder_.last_correlation();
      if (values.size() <= window_offset) return;
      const std::size_t reach = std::min(values.size() - window_offset, window_.size());
      std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(window_offset), reach,
                  window_.begin());
    };
    for (Candidate& c : candidates()) {
      c.left_coarse = finder_.coarse_delay(utterance_.start, c.window, utterance_.coarse_delay);
      overwrite_window();
      c.right_coarse = finder_.coarse_delay(c.window, utterance_.end, utterance_.coarse_delay);
      overwrite_window();
    }
  }

  // Step 5: one pass serves all candidates with the same coarse delay.
  void estimate_left_sides(DelayHistogram& histogram) {
    for (std::size_t i = 0; i < count_; ++i) {
      if (candidates_[i].left_done) continue;
      const int seed = candidates_[i].left_coarse;
      histogram.start_forward(utterance_.start, seed);
      for (std::size_t j = i; j < count_; ++j) {
        Candidate& c = candidates_[j];
        if (c.left_coarse != seed) continue;
        histogram.advance_forward_to(c.window);
        c.left = histogram.estimate();
        c.left_done = true;
      }
    }
  }

  // Step 7: from the end, for the candidates whose left side is better than the whole.
  void estimate_right_sides(DelayHistogram& histogram) {
    for (std::size_t i = count_; i-- > 0;) {
      if (!wants_right_side(candidates_[i])) continue;
      const int seed = candidates_[i].right_coarse;
      histogram.start_backward(utterance_.end, seed);
      for (std::size_t j = i + 1; j-- > 0;) {
        Candidate& c = candidates_[j];
        if (c.right_coarse != seed || !wants_right_side(c)) continue;
        histogram.advance_backward_to(c.window);
        c.right = histogram.estimate();
        c.right_done = true;
      }
    }
  }

  bool wants_right_side(const Candidate& c) const {
    return !c.right_done && c.left.confidence > utterance_.confidence;
  }

  DelayFinder& finder_;
  const Utterance& utterance_;
  FloatBuffer window_;
  std::array<Candidate, kMaxCandidates> candidates_{};
  std::size_t count_ = 0;
};

// Steps 9 and 10.
void apply_split(const Candidate& split, const Utterance& whole, Utterance& left, Utterance& right,
                 const DelayFinder& finder) {
  const RateConstants& c = finder.constants();
  const int degraded_nominal = finder.degraded().nominal_length;
  const int change = split.right.delay - split.left.delay;
  const int half = change < 0 ? 0 : change / (2 * c.window);
  left = {whole.start, split.window + half, split.left_coarse, split.left.delay,
          split.left.confidence};
  right = {split.window - half, whole.end, split.right_coarse, split.right.delay,
           split.right.confidence};
  if ((left.start - kMarginWindows) * c.window + left.delay < 0) {
    left.start = kMarginWindows + (c.window - 1 - left.delay) / c.window;
  }
  if (right.end * c.window + right.delay > degraded_nominal - c.margin) {
    right.end = (degraded_nominal - right.delay) / c.window - kMarginWindows;
  }
}

}  // namespace

void split_utterances(DelayFinder& finder, std::vector<Utterance>& utterances) {
  for (std::size_t u = 0; u < utterances.size() && utterances.size() < kMaxUtterances;) {
    const Utterance whole = utterances[u];
    const std::optional<Candidate> split = Splitter(finder, whole).best_split();
    if (!split) {
      ++u;
      continue;
    }
    // The left half is examined again (step 11).
    utterances.insert(utterances.begin() + static_cast<std::ptrdiff_t>(u) + 1, Utterance{});
    apply_split(*split, whole, utterances[u], utterances[u + 1], finder);
  }
}

}  // namespace limbeck::metric::pesq
