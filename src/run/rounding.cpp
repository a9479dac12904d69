#include "limbeck/run/rounding.h"

#include <nlohmann/json.hpp>

#include "limbeck/core/json.h"

namespace limbeck {

std::map<std::string, std::string> rounding_in(const std::string& environment) {
  const auto all = parse_json_if_sound<nlohmann::json>(environment);
  std::map<std::string, std::string> found;
  if (!all.is_object()) return found;
  for (const char* name : {"libtorch", "compiler", "device", "device_model", "tf32",
                           "deterministic", "threads", "cpu_capability", "cpu_level", "kernels"}) {
    const auto value = all.find(name);
    if (value == all.end()) continue;
    found[name] = value->is_string() ? value->get<std::string>() : value->dump();
  }
  return found;
}

}  // namespace limbeck
