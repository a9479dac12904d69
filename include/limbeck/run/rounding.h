#pragma once

#include <map>
#include <string>

namespace limbeck {

/// What, in the text of an environment.json, may change the last digits of what is trained, by
/// name: "threads", "cpu_level". Empty for what is none.
std::map<std::string, std::string> rounding_in(const std::string& environment);

}  // namespace limbeck
