#pragma once

#include <cstdint>
#include <string>

#include "limbeck/core/format.h"

namespace limbeck {

/// Samples by which the sides of a pair may differ in length: 16 ms, as systems differ that drop or
/// fill the last frame. Then the longer one is cut, wherever pairs are listed, trained on or
/// scored; a pair of greater difference is none.
inline int64_t largest_length_difference(int rate_hz) { return int64_t{rate_hz} * 16 / 1000; }

/// What to say where `cut` of `all` pairs are; "" for none.
inline std::string cut_text(size_t cut, size_t all) {
  if (cut == 0) return "";
  return format("of %d of %d pairs, one side is longer by 16 ms at most, and is cut", cut, all);
}

}  // namespace limbeck
