#include <nlohmann/json.hpp>

#include "common.h"
#include "limbeck/core/format.h"
#include "limbeck/core/table.h"
#include "limbeck/train/step_bench.h"

namespace {

using namespace limbeck;

void print(const StepTimes& t, bool json) {
  if (json) {
    const nlohmann::json object = {{"data_ms", t.data},
                                   {"forward_ms", t.forward},
                                   {"backward_ms", t.backward},
                                   {"optimizer_ms", t.optimizer},
                                   {"step_ms", t.total},
                                   {"steps", t.steps},
                                   {"threads", t.threads},
                                   {"device", t.device},
                                   {"peak_memory_mib", t.peak_memory_mib}};
    std::printf("%s\n", object.dump().c_str());
    return;
  }
  const auto ms = [](double value) { return format("%.1f", value); };
  std::printf("%s(medians of %lld steps in ms, %s, %d threads)\n",
              markdown_table({"data", "forward", "backward", "optimizer", "step", "peak MiB"},
                             {{ms(t.data), ms(t.forward), ms(t.backward), ms(t.optimizer),
                               ms(t.total), format("%.0f", t.peak_memory_mib)}},
                             0)
                  .c_str(),
              static_cast<long long>(t.steps), t.device.c_str(), t.threads);
}

}  // namespace

int main(int argc, char** argv) {
  Tool tool("limbeck-bench", "Measures speed.",
            "limbeck-bench step configs/pretrain/demo_teacher.yaml");
  tool.app.require_subcommand(1);
  CLI::App* step = tool.app.add_subcommand(
      "step", "time of a training step, of any pretrain or distil configuration");
  ConfigOptions options(*step, "run.device");
  options.add_number_shortcut("--threads", "run.threads", "threads of LibTorch");
  int64_t steps = 20;
  bool json = false;
  step->add_option("--steps", steps, "steps to measure, at least 20")
      ->check(CLI::Range(20, 100000))
      ->capture_default_str();
  step->add_flag("--json", json, "one JSON object instead of the table");
  return tool.run(argc, argv, [&] {
    DistillConfig config;
    if (options.load(config) && !options.check) print(time_steps(config, steps), json);
    return 0;
  });
}
