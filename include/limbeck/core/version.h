#pragma once

#include <string>

namespace limbeck {

/// "limbeck 0.1.0, LibTorch 2.15.0, git 1a2b3c4d5e"
std::string version_text();
/// Of the source tree when this was built, with "-dirty" at its end where files differed from it;
/// "unknown" where there was no git.
std::string git_revision();
/// "GCC 12.2.0"
std::string compiler_text();

}  // namespace limbeck
