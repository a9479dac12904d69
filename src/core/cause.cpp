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
  constexpr std::string_view kAsked = "you tried to allocate ";
  if (const size_t at = text.find(kAsked); at != std::string::npos) {
    const std::string bytes = text.substr(at + kAsked.size());
    return "out of memory: " + bytes.substr(0, bytes.find('.')) + " asked for at once";
  }
  text.resize(text.find_last_not_of(" \n") + 1);  // npos + 1 is 0
  return text;
}

}  // namespace limbeck
