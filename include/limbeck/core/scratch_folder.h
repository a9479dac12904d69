#pragma once

#include <filesystem>

namespace limbeck {

/// A fresh folder below the system's one for temporary files, which goes with the object.
class ScratchFolder {
 public:
  /// Throws DataError.
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace limbeck
