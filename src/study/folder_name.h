#pragma once

#include <string>

namespace limbeck {

/// A name as one part of a path, "narrower latent" → "narrower-latent". Different names never share
/// one: where the name cannot be read off its folder, the end of that is a hash of the name, "Gain
/// +3 dB" → "gain-3-db-6a1c40f2".
std::string folder_name(const std::string& name);

}  // namespace limbeck
