#include "limbeck/core/version.h"

#include "git_revision.h"

namespace limbeck {

std::string git_revision() { return LIMBECK_GIT_REVISION; }

std::string compiler_text() {
#ifdef __clang__
  return std::string("Clang ") + __clang_version__;
#else
  return std::string("GCC ") + __VERSION__;
#endif
}

std::string version_text() {
  return std::string("limbeck ") + LIMBECK_VERSION + ", LibTorch " + LIMBECK_LIBTORCH_VERSION +
         ", git " + git_revision();
}

}  // namespace limbeck
