#include "limbeck/core/cause.h"

#include <algorithm>
#include <new>
#include <string_view>
#include <system_error>

namespace limbeck {

bool is_out_of_memory(const std::exception& error) {
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) return true;
  if (dynamic_cast<const Error*>(&error) != nullptr) return false;  // which says itself what is so
  if (const auto* of_system = dynamic_cast<const std::system_error*>(&error)) {
    return of_system->code() == std::errc::not_enough_memory;
  }
  // LibTorch's, of which only some have a type of their own, and none that is known here.
  const std::string_view text = error.what();
  const auto says = [&](const char* phrase) { return text.find(phrase) != std::string::npos; };
  return says("out of memory") || says("DefaultCPUAllocator: ") ||
         says("CUDNN_STATUS_ALLOC_FAILED") || says("CUBLAS_STATUS_ALLOC_FAILED");
}

std::string cause_of(const std::exception& error) {
  std::string text = error.what();
  text.resize(std::min(text.find("\nException raised from "), text.size()));
  text.resize(std::min(text.find("\nframe #0: "), text.size()));
  text.resize(text.find_last_not_of(" \n") + 1);  // npos + 1 is 0
  if (!is_out_of_memory(error)) return text;
  // On the host, and on a GPU.
  for (const std::string_view asked :
       {"you tried to allocate ", "out of memory. Tried to allocate "}) {
    const size_t at = text.find(asked);
    if (at == std::string::npos) continue;
    std::string bytes = text.substr(at + asked.size());
    bytes.resize(std::min(bytes.find(". "), bytes.find_last_not_of('.') + 1));
    return "out of memory: " + bytes + " asked for at once";
  }
  return "out of memory";
}

}  // namespace limbeck
