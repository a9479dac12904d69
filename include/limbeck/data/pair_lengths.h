#pragma once

#include <cstdint>

namespace limbeck {

/// Samples by which the sides of a pair may differ in length: 16 ms, as systems differ that drop or
/// fill the last frame. Then the longer one is cut, wherever pairs are listed, trained on or
/// scored; a pair of greater difference is none.
inline int64_t largest_length_difference(int rate_hz) { return int64_t{rate_hz} * 16 / 1000; }

}  // namespace limbeck
