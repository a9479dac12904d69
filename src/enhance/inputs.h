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

/// True for the file names that are taken from folders: those of all types that libsndfile reads
/// by their own headers, but for MATLAB's, whose files mostly hold something else.
bool is_recording_name(const std::filesystem::path& path);

/// Opens no file. `out` is not gone into. Throws ConfigError if it is one of the inputs.
FoundInputs find_inputs(const std::vector<std::filesystem::path>& named,
                        const std::filesystem::path& out);

}  // namespace limbeck
