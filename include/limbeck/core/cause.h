#pragma once

#include <exception>
#include <string>

namespace limbeck {

/// What went wrong, for people: "out of memory" where that is it, and without the backtrace that
/// LibTorch hangs on to its messages.
std::string cause_of(const std::exception& error);

}  // namespace limbeck
