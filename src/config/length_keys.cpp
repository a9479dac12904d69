#include "config/length_keys.h"

#include <utility>

namespace limbeck::config {

std::string rival_key(const std::string& key, const Node& value) {
  if (value.kind != Node::Kind::scalar || value.scalar == "0") return "";
  const size_t unit_at = key.rfind('_') + 1;  // 0 if there is none
  const std::string name = key.substr(0, unit_at), unit = key.substr(unit_at);
  if (unit == "steps") return name + "epochs";
  return unit == "epochs" ? name + "steps" : "";
}

}  // namespace limbeck::config
