#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace limbeck::test {

/// What happens at one of the calls by which a process opens, reads, writes, flushes, renames or
/// removes something on the disk.
enum class Fault {
  none,       ///< calls are only counted
  kill,       ///< SIGKILL before the call
  fail,       ///< the call does nothing and fails
  interrupt,  ///< SIGINT before the call
};

struct Injection {
  Fault fault = Fault::none;
  int64_t at = -1;           ///< which call, from 0
  int error = 0;             ///< of Fault::fail
  int64_t count = 1;         ///< so many calls from there on
  bool writes_only = false;  ///< reading goes on, as on a disk that is full or read-only
};

/// From now on, calls of this process about what lies below `folder` are counted, one by one, and
/// `injection` happens to one of them; with no folder, that is over. The executable's own open(),
/// rename() and so on, which this comes with, stand before those of the C library for all libraries
/// that it uses.
void inject(const std::filesystem::path& folder, const Injection& injection);

/// The calls so far, as "rename /tmp/run/best.json".
const std::vector<std::string>& injected_calls();

}  // namespace limbeck::test
