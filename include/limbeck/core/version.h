#pragma once

#include <string>

namespace limbeck {

/// "limbeck 0.1.0, LibTorch 2.15.0, git 1a2b3c4d5e"
std::string version_text();
std::string git_revision();

}  // namespace limbeck
