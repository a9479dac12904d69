#pragma once

#include <limits>
#include <string>
#include <vector>

namespace limbeck {

/// What an axis spans; empty until something is added.
struct PlotRange {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  void add(double value);
  bool holds(double value) const { return value >= low && value <= high; }
  double size() const { return high - low; }
  /// With room at both ends, and room at all.
  PlotRange widened(double share) const;
};

/// The range of finite values, or of their logarithms, without those that are far from all others.
PlotRange range_of(std::vector<double> values, bool logarithms);

struct PlotTick {
  double value;
  std::string text;
};

/// Round numbers, about `most` of them; in thousands or millions where the axis reaches far
/// ("250k").
std::vector<PlotTick> ticks_of(const PlotRange& range, double most);

/// The same for a range of decimal logarithms; the values are logarithms, too.
std::vector<PlotTick> log_ticks_of(const PlotRange& range);

}  // namespace limbeck
