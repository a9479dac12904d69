#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace limbeck {

/// Waits for bytes from a descriptor and reads what is there, at most `count` (> 0); 0 at the end.
/// Throws DataError that begins with `name`, and Interrupted (core/interrupt.h).
size_t read_some(int descriptor, const std::string& name, char* to, size_t count);

/// Writes all, waiting where a pipe is full; a pipe that nobody reads any more is an error like
/// others, whatever is to become of SIGPIPE. Throws as read_some.
void write_all(int descriptor, const std::string& name, std::string_view bytes);

}  // namespace limbeck
