// Utterances and their boundaries (01 1.11, 1.12).

#include <algorithm>

#include "metric/pesq_delay.h"

namespace limbeck::metric::pesq {
namespace {

constexpr int kMinUtteranceWindows = 50;
constexpr std::size_t kMaxUtterances = 50;

// Runs of speech in the reference that the degraded signal can hold, as start and end (01 1.11).
std::vector<Utterance> find_utterances(const DelayFinder& finder, int coarse_delay) {
  const int window = finder.constants().window;
  const std::vector<float>& energy = finder.reference().activity.energy;
  const int lower = kMinUtteranceWindows - coarse_delay / window;
  const int upper =
      (finder.degraded().nominal_length - coarse_delay) / window - kMinUtteranceWindows;
  std::vector<Utterance> utterances;
  const int count = static_cast<int>(energy.size());
  int begin = -1;
  for (int v = 0; v < count; ++v) {
    const bool speech = energy[static_cast<std::size_t>(v)] > 0;
    if (speech && begin < 0) begin = v;
    if (begin < 0 || (speech && v < count - 1)) continue;
    if (v - begin >= kMinUtteranceWindows && begin < upper && v > lower &&
        utterances.size() < kMaxUtterances) {
      utterances.push_back({begin, v, 0, 0, 0.0f});
    }
    begin = -1;
  }
  return utterances;
}

void merge_boundaries(std::vector<Utterance>& utterances, int window_count) {
  utterances.front().start = kMarginWindows;
  utterances.back().end = window_count - kMarginWindows;
  for (std::size_t u = 1; u < utterances.size(); ++u) {
    const int middle = (utterances[u].start + utterances[u - 1].end) / 2;
    utterances[u - 1].end = middle;
    utterances[u].start = middle;
  }
}

// Keeps the utterances inside the degraded signal and in order there (01 1.12 steps 3 to 5).
void clamp_boundaries(std::vector<Utterance>& utterances, int degraded_nominal,
                      const RateConstants& c) {
  const int window = c.window;
  Utterance& first = utterances.front();
  if (first.start * window + first.delay < c.margin) {
    first.start = kMarginWindows + (window - 1 - first.delay) / window;
  }
  Utterance& last = utterances.back();
  if (last.end * window + last.delay > degraded_nominal - c.margin) {
    last.end = (degraded_nominal - last.delay) / window - kMarginWindows;
  }
  for (std::size_t u = 1; u < utterances.size(); ++u) {
    Utterance& left = utterances[u - 1];
    Utterance& right = utterances[u];
    const int a = right.start * window + right.delay;
    const int b = left.end * window + left.delay;
    if (a < b) {
      const int middle = (a + b) / 2;
      right.start = (window - 1 + middle - right.delay) / window;
      left.end = (middle - left.delay) / window;
    }
  }
}

}  // namespace

std::vector<Utterance> align(const FilteredSignal& reference, const FilteredSignal& degraded,
                             const RateConstants& constants) {
  DelayFinder finder(reference, degraded, constants);
  const auto window_count = static_cast<int>(reference.activity.energy.size());
  const int whole_delay = finder.coarse_delay();
  std::vector<Utterance> utterances = find_utterances(finder, whole_delay);
  if (utterances.empty()) return utterances;
  for (Utterance& utterance : utterances) {
    const int first = std::max(utterance.start - kMarginWindows, 0);
    const int last = std::min(utterance.end + kMarginWindows, window_count - 1);
    utterance.coarse_delay = finder.coarse_delay(first, last, whole_delay);
    const DelayEstimate fine = finder.fine_delay(first, last, utterance.coarse_delay);
    utterance.delay = fine.delay;
    utterance.confidence = fine.confidence;
  }
  merge_boundaries(utterances, window_count);
  clamp_boundaries(utterances, degraded.nominal_length, constants);
  split_utterances(finder, utterances);
  return utterances;
}

}  // namespace limbeck::metric::pesq
