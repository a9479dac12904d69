#pragma once

#include <filesystem>

namespace limbeck::test {

/// The project's own folder.
std::filesystem::path source_dir();

}  // namespace limbeck::test
