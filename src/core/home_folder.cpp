#include "limbeck/core/home_folder.h"

#include <cstdlib>

namespace limbeck {

std::string in_home(const std::string& text) {
  const char* home = text.starts_with("~/") ? std::getenv("HOME") : nullptr;
  return home == nullptr || *home == '\0' ? text : home + text.substr(1);
}

}  // namespace limbeck
