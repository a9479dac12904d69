#include "limbeck/core/format.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <numeric>

#include "limbeck/core/error.h"

namespace limbeck {

namespace detail {
namespace {

/// One conversion of one value by the C library. `flags` is what stands between '%' and the letter,
/// without stars.
std::string convert(const std::string& flags, char letter, const FormatArgument& value) {
  const auto print = [&](const char* size, auto number) {
    const std::string pattern = "%" + flags + size + letter;
    std::string text(static_cast<size_t>(std::snprintf(nullptr, 0, pattern.c_str(), number)), '\0');
    std::snprintf(text.data(), text.size() + 1, pattern.c_str(), number);
    return text;
  };
  switch (value.kind) {
    case FormatArgument::Kind::integer:
      return print("ll", value.integer);
    case FormatArgument::Kind::unsigned_integer:
      if (letter == 'd') letter = 'u';
      return print("ll", static_cast<unsigned long long>(value.integer));
    case FormatArgument::Kind::real:
      return print("", value.real);
    case FormatArgument::Kind::text:
      break;
  }
  return flags.empty() ? std::string(value.text) : print("", std::string(value.text).c_str());
}

}  // namespace

std::string format_arguments(std::string_view pattern,
                             const std::vector<FormatArgument>& arguments) {
  std::string text;
  size_t done = 0;
  auto next = arguments.begin();
  for (Conversion c = next_conversion(pattern, 0); c.letter != 0;
       c = next_conversion(pattern, c.end)) {
    text += pattern.substr(done, c.begin - done);
    done = c.end;
    if (c.letter == '%') {
      text += '%';
      continue;
    }
    std::string flags;
    for (const char flag : pattern.substr(c.begin + 1, c.end - c.begin - 2)) {
      flags += flag == '*' ? std::to_string((next++)->integer) : std::string(1, flag);
    }
    text += convert(flags, c.letter, *next++);
  }
  return text += pattern.substr(done);
}

void print_text(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    throw DataError(std::string("standard output: cannot be written: ") + std::strerror(errno));
  }
}

}  // namespace detail

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string text;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) text += separator;
    text += parts[i];
  }
  return text;
}

std::string listed(const std::vector<std::string>& names, size_t limit) {
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), limit); ++i) text += "\n  " + names[i];
  if (names.size() > limit) text += format("\n  and %d more", names.size() - limit);
  return text;
}

std::string without_path(const std::string& message, const std::string& path) {
  return message.starts_with(path + ": ") ? message.substr(path.size() + 2) : message;
}

std::string shortest(double value) {
  char buffer[40];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  return {buffer, end};
}

std::string duration_text(double seconds) {
  const auto s = std::llround(std::max(seconds, 0.0));
  if (s >= 3600) return format("%d h %02d min", s / 3600, s % 3600 / 60);
  if (s >= 60) return format("%d min %02d s", s / 60, s % 60);
  return format("%d s", s);
}

namespace {

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substituted = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({substituted, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  std::string best;
  size_t best_distance = std::max<size_t>(word.size() / 3, 1) + 1;
  for (const auto& candidate : candidates) {
    const size_t distance = edit_distance(word, candidate);
    if (distance < best_distance && distance < candidate.size()) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

}  // namespace limbeck
