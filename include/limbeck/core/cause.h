#pragma once

#include <exception>
#include <filesystem>
#include <string>

#include "limbeck/core/error.h"

namespace limbeck {

/// Whether memory ran out, on the host or on a GPU, whoever says so.
bool is_out_of_memory(const std::exception& error);

/// What went wrong, for people: "out of memory" where that is it, and without the backtrace that
/// LibTorch hangs on to its messages.
std::string cause_of(const std::exception& error);

/// Calls `body`, whose lack of memory becomes DataError naming the file.
template <class Body>
auto within_memory(const std::filesystem::path& file, const Body& body) {
  try {
    return body();
  } catch (const std::exception& error) {
    if (!is_out_of_memory(error)) throw;
    throw DataError(file.string() + ": takes more memory than there is");
  }
}

}  // namespace limbeck
