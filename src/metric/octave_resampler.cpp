#include "metric/octave_resampler.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <map>
#include <mutex>
#include <numbers>
#include <numeric>
#include <utility>

#include "metric/levels/filters.h"

namespace limbeck::metric {
namespace {

constexpr std::size_t kLanes = 16;

int floor_div(long long a, int b) { return static_cast<int>(a >= 0 ? a / b : -((-a + b - 1) / b)); }

// Octave's `resample`: ideal low-pass at the lower of both Nyquist frequencies, Kaiser window.
std::vector<double> octave_filter(int up, int down) {
  constexpr double kRejectionDb = 60.0;
  const double cutoff = 1.0 / (2.0 * std::max(up, down));
  const double roll_off = cutoff / 10.0;
  const double half = std::ceil((kRejectionDb - 8.0) / (28.714 * roll_off));
  const double beta = 0.1102 * (kRejectionDb - 8.7);
  std::vector<double> filter;
  double sum = 0;
  for (double t = -half; t <= half; t += 1.0) {
    const double x = 2.0 * cutoff * t * std::numbers::pi;
    const double sinc = t == 0 ? 1.0 : std::sin(x) / x;
    const double position = t / half;
    const double window =
        std::cyl_bessel_i(0.0, beta * std::sqrt(std::max(0.0, 1.0 - position * position))) /
        std::cyl_bessel_i(0.0, beta);
    filter.push_back(sinc * window);
    sum += filter.back();
  }
  for (double& tap : filter) tap *= up / sum;
  return filter;
}

}  // namespace

OctaveResampler::OctaveResampler(int from_hz, int to_hz)
    : up_(to_hz / std::gcd(from_hz, to_hz)), down_(from_hz / std::gcd(from_hz, to_hz)) {
  const std::vector<double> filter = octave_filter(up_, down_);
  half_length_ = static_cast<int>(filter.size() / 2);
  const std::size_t longest = filter.size() / static_cast<std::size_t>(up_) + 1;
  phase_taps_ = (longest + kLanes - 1) / kLanes * kLanes;
  phases_.assign(phase_taps_ * static_cast<std::size_t>(up_), 0.0f);
  first_.resize(static_cast<std::size_t>(up_));
  // Output m lies at m * down of the common rate, input k at k * up.
  for (int phase = 0; phase < up_; ++phase) {
    const long long centre = static_cast<long long>(phase) * down_;
    const int first = floor_div(centre - half_length_ + up_ - 1, up_);
    first_[static_cast<std::size_t>(phase)] = first;
    for (std::size_t j = 0; j < phase_taps_; ++j) {
      const long long tap = centre - (first + static_cast<long long>(j)) * up_ + half_length_;
      if (tap < 0 || tap >= static_cast<long long>(filter.size())) continue;
      phases_[static_cast<std::size_t>(phase) * phase_taps_ + j] =
          static_cast<float>(filter[static_cast<std::size_t>(tap)]);
    }
  }
}

FloatBuffer OctaveResampler::resample(std::span<const float> signal) const {
  const std::size_t left = static_cast<std::size_t>(half_length_ / up_) + 1;
  FloatBuffer padded(left + signal.size() + 2 * phase_taps_ + left, 0.0f);
  std::copy(signal.begin(), signal.end(), padded.begin() + static_cast<std::ptrdiff_t>(left));
  const auto up = static_cast<std::size_t>(up_);
  const auto down = static_cast<std::size_t>(down_);
  FloatBuffer result((signal.size() * up + down - 1) / down);
  const Polyphase filter{phases_.data(), first_.data(), up_, down_,
                         static_cast<std::int64_t>(phase_taps_)};
  filter_kernels().resample(filter, padded.data() + left, result.data(), std::ssize(result));
  return result;
}

std::shared_ptr<const OctaveResampler> shared_octave_resampler(int from_hz, int to_hz) {
  static std::mutex mutex;
  static std::map<std::pair<int, int>, std::shared_ptr<const OctaveResampler>> resamplers;
  const std::lock_guard lock(mutex);
  auto& resampler = resamplers[{from_hz, to_hz}];
  if (resampler == nullptr) resampler = std::make_shared<const OctaveResampler>(from_hz, to_hz);
  return resampler;
}

}  // namespace limbeck::metric
