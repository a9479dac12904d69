#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "limbeck/enhance/plan.h"

namespace limbeck {

struct FoundInputs {
  struct File {
    std::filesystem::path input;
    std::filesystem::path relative;  ///< of its result, seen from the folder of the results
  };
  std::vector<File> files;
  std::vector<FailedInput> failures;
  std::string passed_over;  ///< "2 .jpg, 3 .txt, 1 hidden"; empty: nothing
};

/// Opens no file. Folders are gone through as search_folder does. `out` is not gone into. Throws
/// ConfigError if it is one of the inputs; Interrupted.
FoundInputs find_inputs(const std::vector<std::filesystem::path>& named,
                        const std::filesystem::path& out);

}  // namespace limbeck
