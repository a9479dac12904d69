#include "study/folder_name.h"

#include <algorithm>

#include "limbeck/core/files.h"

namespace limbeck {
namespace {

constexpr size_t kLongest = 80;  // file systems end at 255

/// Whatever the locale.
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_kept(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

}  // namespace

std::string folder_name(const std::string& name) {
  std::string folder;
  for (const char c : name) {
    if (is_kept(lower(c))) {
      if (c != '.' || !folder.empty()) folder += lower(c);  // hidden folders, and "..", are none
    } else if (!folder.empty() && folder.back() != '-') {
      folder += '-';
    }
  }
  folder.resize(std::min(folder.size(), kLongest));
  std::string read_back = folder;
  std::replace(read_back.begin(), read_back.end(), '-', ' ');
  if (!folder.empty() && read_back == name) return folder;
  if (!folder.empty() && folder.back() != '-') folder += '-';
  return folder + hash_bytes(name.data(), name.size()).substr(0, 8);
}

}  // namespace limbeck
