#include "limbeck/core/utf8.h"

#include <algorithm>
#include <cstdint>

#include "limbeck/core/format.h"

namespace limbeck {
namespace {

std::string escaped(char byte) {
  return format("\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(byte)));
}

/// −1 for what is no hexadecimal digit of ours.
int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// The byte that \xe9 at the beginning stands for, or −1.
int escaped_byte(std::string_view text) {
  if (text.size() < 4 || !text.starts_with("\\x")) return -1;
  const int high = digit_of(text[2]), low = digit_of(text[3]);
  return high < 0 || low < 0 ? -1 : 16 * high + low;
}

/// C0, DEL, and C1 (U+0080 to U+009F), which a terminal obeys, too.
bool is_control(std::string_view character) {
  const char c = character[0];
  if (character.size() == 2) return c == '\xC2' && static_cast<unsigned char>(character[1]) < 0xA0;
  return (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7F;
}

}  // namespace

size_t utf8_length(std::string_view text) {
  if (text.empty()) return 0;
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  uint32_t code = first & (0x7Fu >> length);
  for (const char c : text.substr(1, length - 1)) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0) != 0x80) return 0;
    code = code << 6 | (byte & 0x3Fu);
  }
  const bool is_overlong = length == 3 ? code < 0x800 : length == 4 && code < 0x10000;
  const bool is_surrogate = code >= 0xD800 && code < 0xE000;
  return is_overlong || is_surrogate || code > 0x10FFFF ? 0 : length;
}

std::string escape_bytes(std::string_view name) {
  std::string text;
  for (size_t i = 0; i < name.size();) {
    const size_t length = utf8_length(name.substr(i));
    if (length == 0 || escaped_byte(name.substr(i)) >= 0) {
      text += escaped(name[i++]);
    } else {
      text += name.substr(i, length);
      i += length;
    }
  }
  return text;
}

std::string unescape_bytes(std::string_view text) {
  std::string name;
  for (size_t i = 0; i < text.size();) {
    const int byte = escaped_byte(text.substr(i));
    name += byte < 0 ? text[i] : static_cast<char>(byte);
    i += byte < 0 ? 1 : 4;
  }
  return name;
}

std::string displayable(std::string_view text) {
  std::string shown;
  for (size_t i = 0; i < text.size();) {
    const size_t length = utf8_length(text.substr(i));
    if (length == 0) {
      shown += "\xEF\xBF\xBD";
    } else if (is_control(text.substr(i, length))) {
      for (const char byte : text.substr(i, length)) shown += escaped(byte);
    } else {
      shown += text.substr(i, length);
    }
    i += std::max<size_t>(length, 1);
  }
  return shown;
}

}  // namespace limbeck
