#include "core/plot_axis.h"

#include <algorithm>
#include <cmath>

#include "limbeck/core/format.h"
#include "limbeck/core/plot.h"

namespace limbeck {
namespace {

// Interquartile ranges beyond the quartiles.
constexpr double kFarAway = 50;
constexpr double kFarAwayInLogarithms = 15;

double quantile(const std::vector<double>& sorted, double share) {
  return sorted[static_cast<size_t>(share * static_cast<double>(sorted.size() - 1))];
}

}  // namespace

void PlotRange::add(double value) {
  low = std::min(low, value);
  high = std::max(high, value);
}

PlotRange PlotRange::widened(double share) const {
  if (!(low <= high)) return {0, 1};
  const double room = size() > 0 ? share * size() : std::max(0.1 * std::abs(low), 1e-9);
  return {low - room, high + room};
}

PlotRange range_of(std::vector<double> values, bool logarithms) {
  PlotRange range;
  if (values.empty()) return range;
  std::sort(values.begin(), values.end());
  const double low = quantile(values, 0.25), high = quantile(values, 0.75);
  const double far = logarithms ? kFarAwayInLogarithms : kFarAway;
  const double reach = high > low ? far * (high - low) : std::numeric_limits<double>::infinity();
  for (const double v : values) {
    if (v >= low - reach && v <= high + reach) range.add(v);
  }
  return range;
}

std::vector<PlotTick> ticks_of(const PlotRange& range, double most) {
  const double step = tick_step(range.size(), most);
  const double reach = std::max(std::abs(range.low), std::abs(range.high));
  const double unit = reach >= 1e6 && step >= 1e5 ? 1e6 : reach >= 1e4 && step >= 1e3 ? 1e3 : 1;
  const char* suffix = unit == 1e6 ? "M" : unit == 1e3 ? "k" : "";
  std::vector<PlotTick> ticks;
  for (auto i = std::ceil(range.low / step); i * step <= range.high * (1 + 1e-12); ++i) {
    ticks.push_back({i * step, i == 0 ? "0" : format("%.12g%s", i * step / unit, suffix)});
  }
  return ticks;
}

std::vector<PlotTick> log_ticks_of(const PlotRange& range) {
  std::vector<PlotTick> ticks;
  if (range.size() < 1) {
    ticks = ticks_of({std::pow(10, range.low), std::pow(10, range.high)}, 6);
    for (PlotTick& tick : ticks) tick.value = std::log10(tick.value);
    return ticks;
  }
  const std::vector<double> factors =
      range.size() > 3 ? std::vector<double>{1} : std::vector<double>{1, 2, 5};
  const double step = std::max(1.0, tick_step(range.size(), 9));
  for (double decade = std::floor(range.low); decade <= range.high; decade += step) {
    for (const double factor : factors) {
      const double value = decade + std::log10(factor);
      if (!range.holds(value)) continue;
      const bool is_plain = decade > -5 && decade < 4;
      const bool has_suffix = decade >= 4 && decade < 9;
      const double unit = decade < 6 ? 3 : 6;
      ticks.push_back({value, is_plain     ? format("%.6g", factor * std::pow(10, decade))
                              : has_suffix ? format("%.6g%s", factor * std::pow(10, decade - unit),
                                                    unit == 3 ? "k" : "M")
                                           : format("%.0fe%.0f", factor, decade)});
    }
  }
  return ticks;
}

double tick_step(double range, double most) {
  double step = std::pow(10, std::floor(std::log10(range / most)));
  for (const double factor : {2.0, 2.5, 2.0, 2.0}) {
    if (range / step <= most) break;
    step *= factor;
  }
  return step;
}

}  // namespace limbeck
