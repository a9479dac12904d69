#pragma once

#include <string>

namespace limbeck {

/// `text` with "~/" at its beginning replaced by the home folder, as a shell does where it sees
/// one: not in a configuration, nor behind `--out=`. As it is where HOME is not set.
std::string in_home(const std::string& text);

}  // namespace limbeck
