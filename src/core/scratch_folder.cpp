#include "limbeck/core/scratch_folder.h"

#include <stdlib.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "limbeck/core/error.h"
#include "limbeck/core/files.h"

namespace limbeck {

ScratchFolder::ScratchFolder() {
  const auto base = on_disk([] { return std::filesystem::temp_directory_path(); });
  std::string pattern = (base / "limbeck-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) {
    throw DataError(pattern + ": cannot be made: " + std::strerror(errno));
  }
  path_ = pattern;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace limbeck
