#pragma once

#include <span>
#include <string>

namespace limbeck::metric {

/// Throws DataError, starting with the name of the metric, if a signal holds NaN, infinity or
/// samples beyond 1e6 (full scale is 1).
void require_finite(std::span<const float> clean, std::span<const float> estimate,
                    const std::string& metric);
/// Throws DataError if the lengths differ.
void require_equal_length(std::span<const float> clean, std::span<const float> estimate,
                          const std::string& metric);
/// Throws DataError if a signal holds nothing but zeros; the message names which.
void require_not_silent(std::span<const float> signal, const std::string& metric,
                        const std::string& role);
/// Throws DataError if all samples are equal, zero or not: there is nothing to hear, and what the
/// references make of a constant other than zero are the rounding errors of their filters.
void require_sound(std::span<const float> signal, const std::string& metric,
                   const std::string& role);

}  // namespace limbeck::metric
