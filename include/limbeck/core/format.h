#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace limbeck {

/// `printf` into a string. (LibTorch ships an fmt of its own that clashes with the distribution's,
/// and GCC 12 has no std::format.)
[[gnu::format(printf, 1, 2)]] std::string format(const char* pattern, ...);

std::string join(const std::vector<std::string>& parts, std::string_view separator);

/// Shortest decimal text that reads back to the same double; always '.' whatever the locale.
std::string shortest(double value);

/// "1 h 02 min", "3 min 05 s" or "12 s".
std::string duration_text(double seconds);

/// The candidate nearest to `word` by edit distance, or "" if none is near enough to be meant.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace limbeck
