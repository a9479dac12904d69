#include "metric/signal_checks.h"

#include <algorithm>
#include <cmath>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"

namespace limbeck::metric {
namespace {

// Squares and transforms in single precision overflow far above this.
constexpr float kLargestSample = 1e6f;

void require_finite_signal(std::span<const float> signal, const std::string& metric,
                           const char* role) {
  for (std::size_t i = 0; i < signal.size(); ++i) {
    if (std::abs(signal[i]) <= kLargestSample) continue;  // false for NaN
    throw DataError(
        metric + ": sample " + std::to_string(i) + " of the " + role + " signal is " +
        (std::isfinite(signal[i]) ? "beyond 1e6 times full scale" : "not a finite number"));
  }
}

}  // namespace

void require_finite(std::span<const float> clean, std::span<const float> estimate,
                    const std::string& metric) {
  require_finite_signal(clean, metric, "clean");
  require_finite_signal(estimate, metric, "estimated");
}

void require_equal_length(std::span<const float> clean, std::span<const float> estimate,
                          const std::string& metric) {
  if (clean.size() == estimate.size()) return;
  throw DataError(metric + ": the clean signal has " + std::to_string(clean.size()) +
                  " samples, the estimated one " + std::to_string(estimate.size()));
}

void require_not_silent(std::span<const float> signal, const std::string& metric,
                        const std::string& role) {
  if (std::any_of(signal.begin(), signal.end(), [](float x) { return x != 0.0f; })) return;
  throw DataError(metric + ": the " + role + " signal is silent (all samples are zero)");
}

void require_sound(std::span<const float> signal, const std::string& metric,
                   const std::string& role) {
  require_not_silent(signal, metric, role);
  const float first = signal.front();
  if (std::any_of(signal.begin(), signal.end(), [&](float x) { return x != first; })) return;
  throw DataError(metric + ": the " + role + " signal is constant (all samples are " +
                  shortest(first) + ")");
}

}  // namespace limbeck::metric
