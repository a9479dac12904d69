#pragma once

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

#include "data/support.h"

namespace limbeck::test {

/// A folder that a test shares with the process in which it dies: that is this test run afresh up
/// to EXPECT_EXIT, and finds the folder in the environment.
class SharedDir {
 public:
  SharedDir() {
    if (std::getenv(kVariable) == nullptr) {
      dir_.emplace();
      ::setenv(kVariable, dir_->path().c_str(), 1);
    }
    path_ = std::getenv(kVariable);
  }
  ~SharedDir() { ::unsetenv(kVariable); }
  SharedDir(const SharedDir&) = delete;
  SharedDir& operator=(const SharedDir&) = delete;
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  static constexpr const char* kVariable = "LIMBECK_TEST_SHARED_DIR";
  std::optional<TempDir> dir_;
  std::filesystem::path path_;
};

}  // namespace limbeck::test
