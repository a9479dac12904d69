#include "paths.h"

namespace limbeck::test {

// Only this file knows, so that objects of other tests do not depend on where the project lies.
std::filesystem::path source_dir() { return LIMBECK_SOURCE_DIR; }

}  // namespace limbeck::test
