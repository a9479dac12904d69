#include <unistd.h>

#include <iostream>

#include "command.h"

namespace limbeck {

void add_study_dir(CLI::App& app, std::filesystem::path& dir) {
  app.add_option("DIR", dir, "folder of the study")->required();
}

std::filesystem::path this_program() { return std::filesystem::read_symlink("/proc/self/exe"); }

std::function<bool(const std::string&)> asker() {
  if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDERR_FILENO) == 0) return {};
  return [](const std::string& question) {
    std::cerr << question << " [y/N] " << std::flush;
    std::string answer;
    std::getline(std::cin, answer);
    return answer == "y" || answer == "Y" || answer == "yes";
  };
}

}  // namespace limbeck
