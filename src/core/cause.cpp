#include "limbeck/core/cause.h"

#include <algorithm>
#include <new>
#include <string_view>

namespace limbeck {

std::string cause_of(const std::exception& error) {
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) return "out of memory";
  std::string text = error.what();
  text.resize(std::min(text.find("\nException raised from "), text.size()));
  text.resize(std::min(text.find("\nframe #0: "), text.size()));
  // On the host, and on a GPU.
  for (const std::string_view asked :
       {"you tried to allocate ", "out of memory. Tried to allocate "}) {
    const size_t at = text.find(asked);
    if (at == std::string::npos) continue;
    std::string bytes = text.substr(at + asked.size());
    bytes.resize(std::min(bytes.find(". "), bytes.find_last_not_of(".\n ") + 1));
    return "out of memory: " + bytes + " asked for at once";
  }
  text.resize(text.find_last_not_of(" \n") + 1);  // npos + 1 is 0
  return text;
}

}  // namespace limbeck
