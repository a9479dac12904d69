#pragma once

#include <string>
#include <string_view>

namespace limbeck {

/// Bytes of the character that `text` begins with; 0 where it begins with none, in UTF-8.
size_t utf8_length(std::string_view text);

/// A name as it can stand in JSON without loss: bytes that are no UTF-8 become \xe9 (and so that
/// no two names become one, what looks like that already has its backslash as \x5c). Others stay.
std::string escape_bytes(std::string_view name);
std::string unescape_bytes(std::string_view text);

/// For people to read: what is no UTF-8 becomes U+FFFD, control characters other than line breaks
/// and tabs \x1b, so that a file's name cannot steer a terminal.
std::string displayable(std::string_view text);

}  // namespace limbeck
