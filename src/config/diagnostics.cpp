#include "limbeck/config/diagnostics.h"

#include <algorithm>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"

namespace limbeck::config {

std::string Location::text() const {
  return line > 0 ? format("%s:%d:%d", source, line, column) : source;
}

void Diagnostics::add(const Location& where, const std::string& path, const std::string& message) {
  std::string text = where.text() + ": ";
  if (!path.empty()) text += path + ": ";
  text += message;
  if (std::find(messages_.begin(), messages_.end(), text) == messages_.end()) {
    messages_.push_back(std::move(text));
  }
}

void Diagnostics::throw_if_any() const {
  if (!empty()) throw ConfigError(join(messages_, "\n"));
}

}  // namespace limbeck::config
