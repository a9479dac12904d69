#include "common.h"
#include "limbeck/study/study.h"

int main(int argc, char** argv) {
  using namespace limbeck;
  Tool tool("limbeck-study",
            "Trains every scenario x method x seed of a study, scores all, and prints mean ± std. "
            "The same command goes on "
            "after an interruption.",
            "limbeck-study configs/study/demo.yaml --set study.seeds=[1,2,3,4,5]");
  ConfigOptions options(tool.app, "study.device");
  options.add_number_shortcut("--threads", "study.threads_per_run", "threads of LibTorch");
  options.add_flag_shortcut("--allow-leak", "study.allow_leak",
                            "go on where a set shares files or speakers with training");
  return tool.run(argc, argv, [&] {
    StudyConfig config;
    if (!options.load(config)) return 0;
    // The trainings are run by the executables that lie beside this one.
    const auto tools = std::filesystem::read_symlink("/proc/self/exe").parent_path();
    return static_cast<int>(run_study(config, tools, options.check, tool.logger()));
  });
}
