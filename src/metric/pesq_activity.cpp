// Voice activity detection of PESQ (01 1.8).

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>

#include "metric/levels/pesq_alignment.h"
#include "metric/pesq_model.h"

namespace limbeck::metric::pesq {
namespace {

constexpr int kMinSpeechWindows = 4;  // shorter runs are clicks
constexpr int kMaxGapWindows = 50;    // 200 ms: shorter pauses belong to the speech
constexpr int kThresholdIterations = 12;

struct Levels {
  float threshold = 0;
  double speech = 0;
  double noise = 1;
};

double mean_below(const std::vector<float>& energy, float threshold, std::int64_t& count) {
  const auto below = alignment_kernels().sum_below(energy.data(), threshold, std::ssize(energy));
  count = below.count;
  return count > 0 ? below.sum / static_cast<double>(count) : 0.0;
}

double mean_above(const std::vector<float>& energy, float threshold, std::int64_t& count) {
  double sum = 0;
  count = 0;
  for (const float e : energy) {
    if (!(e > threshold)) continue;
    sum += e;
    ++count;
  }
  return count > 0 ? sum / static_cast<double>(count) : 0.0;
}

// Steps 4 and 5: the threshold settles two deviations above the mean of what lies below it.
Levels find_levels(const std::vector<float>& energy, float initial_threshold) {
  Levels levels{initial_threshold};
  std::int64_t count = 0;
  for (int iteration = 0; iteration < kThresholdIterations; ++iteration) {
    const double mean = mean_below(energy, levels.threshold, count);
    double deviation = alignment_kernels().deviation_below(energy.data(), levels.threshold, mean,
                                                           std::ssize(energy));
    if (count > 0) deviation = std::sqrt(deviation / static_cast<double>(count));
    levels.threshold = static_cast<float>(1.001 * (mean + 2.0 * deviation));
  }
  levels.speech = mean_above(energy, levels.threshold, count);
  if (count == 0) levels.threshold = -1.0f;
  levels.noise = mean_below(energy, levels.threshold, count);
  if (count == 0) levels.noise = 1.0;
  return levels;
}

// Calls visit(begin, end) for each maximal run of positive values.
template <typename Visit>
void for_each_run(std::vector<float>& energy, Visit visit) {
  const std::size_t count = energy.size();
  for (std::size_t v = 0; v < count;) {
    if (energy[v] <= 0) {
      ++v;
      continue;
    }
    const std::size_t begin = v;
    while (v < count && energy[v] > 0) ++v;
    visit(begin, v);
  }
}

void negate(std::vector<float>& energy, std::size_t begin, std::size_t end) {
  for (std::size_t v = begin; v < end; ++v) energy[v] = -energy[v];
}

// Steps 8 to 10: positive values are speech, negative ones are not.
void clean_runs(std::vector<float>& energy, const Levels& levels, float floor) {
  for_each_run(energy, [&](std::size_t begin, std::size_t end) {
    if (end - begin <= kMinSpeechWindows) negate(energy, begin, end);
  });
  if (levels.speech >= 1000.0 * levels.noise) {
    for_each_run(energy, [&](std::size_t begin, std::size_t end) {
      double sum = 0;
      for (std::size_t v = begin; v < end; ++v) sum += energy[v];
      if (sum < 3.0 * levels.threshold * static_cast<double>(end - begin)) {
        negate(energy, begin, end);
      }
    });
  }
  std::size_t previous_end = 0;
  for_each_run(energy, [&](std::size_t begin, std::size_t end) {
    if (previous_end > 0 && begin - previous_end <= kMaxGapWindows) {
      std::fill(energy.begin() + static_cast<std::ptrdiff_t>(previous_end),
                energy.begin() + static_cast<std::ptrdiff_t>(begin), floor);
    }
    previous_end = end;
  });
}

// Step 12: speech fades in and out over two windows.
void smooth_edges(std::vector<float>& energy) {
  const std::size_t count = energy.size();
  for (std::size_t v = 3; v + 2 < count; ++v) {
    if (energy[v] > 0 && energy[v - 2] <= 0) {
      energy[v - 2] = energy[v] * 0.1f;
      energy[v - 1] = energy[v] * 0.3f;
      ++v;
    }
    if (energy[v] <= 0 && energy[v - 1] > 0) {
      energy[v] = energy[v - 1] * 0.3f;
      energy[v + 1] = energy[v - 1] * 0.1f;
      v += 3;
    }
  }
}

}  // namespace

VoiceActivity detect_voice_activity(const FilteredSignal& signal, const RateConstants& c) {
  VoiceActivity activity;
  std::vector<float>& energy = activity.energy;
  const int windows = signal.nominal_length / c.window;
  energy.resize(static_cast<std::size_t>(windows));
  const float* samples = signal.working.data();
  double total = 0;
  for (float& e : energy) {
    const double sum = alignment_kernels().sum_of_squares(samples, c.window);
    samples += c.window;
    e = static_cast<float>(sum / c.window);
    total += e;
  }
  float floor = *std::max_element(energy.begin(), energy.end());
  floor = floor > 0 ? floor * 1e-4f : 1.0f;
  for (float& e : energy) e = std::max(e, floor);

  const Levels levels = find_levels(energy, static_cast<float>(total / windows));
  for (float& e : energy) {
    if (e <= levels.threshold) e = -e;
  }
  energy.front() = -floor;
  energy.back() = -floor;
  clean_runs(energy, levels, floor);
  if (std::none_of(energy.begin(), energy.end(), [](float e) { return e > 0; })) {
    for (float& e : energy) e = std::abs(e);
    energy.front() = -floor;
    energy.back() = -floor;
  }
  smooth_edges(energy);
  const float threshold = levels.threshold > 0 ? levels.threshold : floor;
  activity.log_energy.resize(energy.size());
  for (std::size_t v = 0; v < energy.size(); ++v) {
    energy[v] = std::max(energy[v], 0.0f);
    activity.log_energy[v] = energy[v] <= threshold ? 0.0f : std::log(energy[v] / threshold);
  }
  return activity;
}

}  // namespace limbeck::metric::pesq
