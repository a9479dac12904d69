#include <unistd.h>

#include <cstdlib>
#include <sstream>

#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/plot.h"
#include "limbeck/core/processes.h"
#include "limbeck/core/scratch_folder.h"

namespace limbeck {
namespace fs = std::filesystem;
namespace {

constexpr const char* kRenderer = "rsvg-convert";
constexpr const char* kZoom = "2";  // sharp on a slide

/// Empty where no folder of PATH has it.
fs::path find_program(const std::string& name) {
  const char* all = std::getenv("PATH");
  std::istringstream folders(all != nullptr ? all : "");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const fs::path program = fs::path(folder.empty() ? "." : folder) / name;
    if (::access(program.c_str(), X_OK) == 0) return program;
  }
  return {};
}

std::string as_png(const std::string& svg, const fs::path& for_file) {
  const fs::path renderer = find_program(kRenderer);
  if (renderer.empty()) {
    throw ConfigError(for_file.string() +
                      ": a PNG is drawn by rsvg-convert, which is not installed here (package "
                      "librsvg2-bin); name a file that ends with .svg, which needs nothing");
  }
  const ScratchFolder scratch;
  const fs::path drawn = scratch.path() / "plot.svg", log = scratch.path() / "log";
  const fs::path picture = scratch.path() / "plot.png";
  write_file_atomically(drawn, svg, false);
  const std::vector<std::string> arguments = {renderer, "--zoom", kZoom, "-o", picture, drawn};
  const int code = run_command({arguments, log});
  if (code != 0) {
    throw DataError(for_file.string() + ": rsvg-convert failed: " + read_file(log));
  }
  return read_file(picture);
}

template <class AnyPlot>
void write(const fs::path& path, const AnyPlot& plot) {
  const std::string kind = path.extension().string();
  if (kind != ".svg" && kind != ".png") {
    throw ConfigError(path.string() + ": a plot is a file that ends with .svg or .png");
  }
  const std::string svg = plot_svg(plot);
  write_file_atomically(path, kind == ".svg" ? svg : as_png(svg, path));
}

}  // namespace

void write_plot(const fs::path& path, const Plot& plot) { write(path, plot); }

void write_plot(const fs::path& path, const RowPlot& plot) { write(path, plot); }

bool can_draw_png() { return !find_program(kRenderer).empty(); }

}  // namespace limbeck
