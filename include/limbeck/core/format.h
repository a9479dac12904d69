#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace limbeck {

namespace detail {

/// A value for `format`, and what kind of conversion takes it.
struct FormatArgument {
  enum class Kind { integer, unsigned_integer, real, text };

  template <class Value>
  static constexpr Kind kind_of() {
    if constexpr (std::is_integral_v<Value>) {
      return std::is_unsigned_v<Value> ? Kind::unsigned_integer : Kind::integer;
    } else if constexpr (std::is_floating_point_v<Value>) {
      return Kind::real;
    } else {
      static_assert(std::is_convertible_v<const Value&, std::string_view> ||
                        std::is_same_v<Value, std::filesystem::path>,
                    "format takes numbers, texts and paths");
      return Kind::text;
    }
  }

  template <class Value>
  FormatArgument(const Value& value) : kind(kind_of<Value>()) {  // NOLINT: meant to be implicit
    if constexpr (std::is_integral_v<Value>) {
      integer = static_cast<long long>(value);
    } else if constexpr (std::is_floating_point_v<Value>) {
      real = static_cast<double>(value);
    } else if constexpr (std::is_same_v<Value, std::filesystem::path>) {
      text = value.native();
    } else {
      text = std::string_view(value);
    }
  }

  Kind kind;
  long long integer = 0;
  double real = 0;
  std::string_view text;
};

/// One "%-8.3f" of a pattern.
struct Conversion {
  size_t begin = 0, end = 0;  ///< in the pattern
  int stars = 0;              ///< widths and precisions that come as arguments of their own
  char letter = 0;            ///< 0: there is none any more
};

constexpr Conversion next_conversion(std::string_view pattern, size_t from) {
  Conversion found;
  found.begin = pattern.find('%', from);
  if (found.begin == std::string_view::npos) return found;
  found.end = found.begin + 1;
  while (found.end < pattern.size() &&
         std::string_view("-+ #0123456789.*").find(pattern[found.end]) != std::string_view::npos) {
    found.stars += pattern[found.end++] == '*';
  }
  if (found.end < pattern.size()) found.letter = pattern[found.end++];
  return found;
}

constexpr bool takes(char letter, FormatArgument::Kind kind) {
  const bool is_integer =
      kind == FormatArgument::Kind::integer || kind == FormatArgument::Kind::unsigned_integer;
  switch (letter) {
    case 'd':
    case 'x':
      return is_integer;
    case 'e':
    case 'f':
    case 'g':
      return kind == FormatArgument::Kind::real;
    case 's':
      return kind == FormatArgument::Kind::text;
    default:
      return false;
  }
}

/// Never defined: a pattern that leads here does not compile.
void pattern_does_not_fit_its_arguments();

/// A pattern whose conversions fit `Arguments`; looked at by the compiler.
template <class... Arguments>
struct Pattern {
  consteval Pattern(const char* pattern) : text(pattern) {  // NOLINT: meant to be implicit
    constexpr FormatArgument::Kind kinds[] = {FormatArgument::kind_of<Arguments>()...,
                                              FormatArgument::Kind::text};
    size_t used = 0;
    for (Conversion c = next_conversion(text, 0); c.letter != 0; c = next_conversion(text, c.end)) {
      if (c.letter == '%') continue;
      for (int star = 0; star < c.stars; ++star) {
        if (used >= sizeof...(Arguments) || !takes('d', kinds[used++])) {
          pattern_does_not_fit_its_arguments();
        }
      }
      if (used >= sizeof...(Arguments) || !takes(c.letter, kinds[used++])) {
        pattern_does_not_fit_its_arguments();
      }
    }
    if (used != sizeof...(Arguments)) pattern_does_not_fit_its_arguments();
  }

  std::string_view text;
};

std::string format_arguments(std::string_view pattern,
                             const std::vector<FormatArgument>& arguments);
void print_text(const std::string& text);

struct Format {
  template <class... Arguments>
  std::string operator()(Pattern<std::decay_t<Arguments>...> pattern,
                         const Arguments&... arguments) const {
    return format_arguments(pattern.text, {FormatArgument(arguments)...});
  }
};

struct Print {
  template <class... Arguments>
  void operator()(Pattern<std::decay_t<Arguments>...> pattern,
                  const Arguments&... arguments) const {
    print_text(format_arguments(pattern.text, {FormatArgument(arguments)...}));
  }
};

}  // namespace detail

/// `printf` into a string, with three kinds of conversions, whatever a type's size: %d and %x take
/// integers, %f, %e and %g floating-point numbers, %s texts and paths. A pattern that does not fit
/// its arguments does not compile. An object, so that argument-dependent lookup leaves std::format
/// alone. (GCC 12 has no std::format, and LibTorch ships an fmt that clashes with the
/// distribution's.)
inline constexpr detail::Format format;

/// The same to standard output. Throws DataError if it cannot be written.
inline constexpr detail::Print print;

std::string join(const std::vector<std::string>& parts, std::string_view separator);

/// At most `limit` of the names, one a line, then how many there are more.
std::string listed(const std::vector<std::string>& names, size_t limit = 20);

/// The reason in a message "path: reason".
std::string without_path(const std::string& message, const std::string& path);

/// Shortest decimal text that reads back to the same double; always '.' whatever the locale.
std::string shortest(double value);

/// "1 h 02 min", "3 min 05 s" or "12 s".
std::string duration_text(double seconds);

/// The candidate nearest to `word` by edit distance, or "" if none is near enough to be meant.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace limbeck
