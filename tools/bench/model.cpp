#include "bench/model.h"

#include <torch/types.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "bench/kernels.h"
#include "limbeck/config/resolve.h"
#include "limbeck/core/cpu.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/core/interrupt.h"
#include "limbeck/core/json.h"
#include "limbeck/core/statistics.h"
#include "limbeck/core/table.h"
#include "limbeck/nn/device.h"
#include "limbeck/nn/model.h"
#include "limbeck/nn/streaming_denoiser.h"

namespace limbeck {
namespace {

constexpr double kAudioSeconds = 4;

struct Arguments {
  std::string config;
  std::string against;
  std::vector<std::string> sets;
  int64_t repetitions = 10;
  bool json = false;
};

/// What a network costs before it is trained; times are those of this machine, on one thread.
struct ModelReport {
  std::string config;
  std::vector<nn::LayerCost> layers;
  nn::LayerCost total;
  double frames_per_second = 0;
  double latency_ms = 0;
  double forward_ms = 0;  ///< of a second of audio at once, batch norms folded
  double stream_ms = 0;   ///< of a second of audio frame by frame
  nn::KernelUse forward_kernels, stream_kernels;  ///< of one pass, and of one frame

  double mmacs(const nn::LayerCost& cost) const {
    return 1e-6 * static_cast<double>(cost.macs) * frames_per_second;
  }
  double milliseconds(int64_t frames) const {
    return 1e3 * static_cast<double>(frames) / frames_per_second;
  }
};

double kibibytes(int64_t values) { return static_cast<double>(values) * sizeof(float) / 1024; }

/// The `model:` section of a model, pretrain or distil configuration; the others are not looked at.
nn::ModelConfig read_model(const std::string& file, const std::vector<std::string>& sets) {
  config::Diagnostics diagnostics;
  const config::Node all = config::resolve({file}, sets, diagnostics);
  diagnostics.throw_if_any();
  const config::Node* section = all.is_map() ? all.find("model") : nullptr;
  if (section == nullptr) throw ConfigError(file + ": has no section 'model'");
  auto model = config::read<nn::ModelConfig>(*section, diagnostics);
  diagnostics.throw_if_any();
  return model;
}

/// Median milliseconds per second of audio of `enhance`, which takes kAudioSeconds of it.
template <class Enhance>
double time_per_second(int64_t repetitions, const Enhance& enhance) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> times;
  for (int64_t i = 0; i <= repetitions; ++i) {
    throw_if_interrupted();
    const auto start = Clock::now();
    enhance();
    const std::chrono::duration<double, std::milli> elapsed = Clock::now() - start;
    if (i > 0) times.push_back(elapsed.count() / kAudioSeconds);  // the first one warms up
  }
  return median(times);
}

ModelReport measure(const std::string& file, const Arguments& a) {
  const auto model = nn::build_model(read_model(file, a.sets), SeedKey(1));
  ModelReport report;
  report.config = file;
  report.layers = model->layer_costs();
  report.total = nn::total_cost(report.layers);
  report.frames_per_second = model->frames_per_second();
  const auto rate = static_cast<double>(model->rate_hz());
  report.latency_ms = 1e3 * static_cast<double>(model->latency_samples()) / rate;

  at::NoGradGuard no_grad;
  model->eval();
  model->fuse();
  Random random(SeedKey(1).with("noise"));
  auto audio = torch::empty({static_cast<int64_t>(kAudioSeconds * rate)});
  for (int64_t i = 0; i < audio.size(0); ++i) {
    audio.data_ptr<float>()[i] = 0.1F * static_cast<float>(random.normal());
  }
  const auto forward = [&] { model->forward(audio.unsqueeze(0), {}); };
  model->watch(&report.forward_kernels);
  forward();
  model->watch(nullptr);
  report.forward_ms = time_per_second(a.repetitions, forward);
  nn::StreamingDenoiser stream(model);
  const auto hop = static_cast<int64_t>(rate / report.frames_per_second);
  stream.process(audio.narrow(0, 0, report.total.future * hop));
  model->watch(&report.stream_kernels);
  stream.process(audio.narrow(0, 0, hop));
  model->watch(nullptr);
  stream.reset();
  report.stream_ms = time_per_second(a.repetitions, [&] {
    for (int64_t at = 0; at + hop <= audio.size(0); at += hop) {
      stream.process(audio.narrow(0, at, hop));
    }
    stream.reset();
  });
  return report;
}

std::string reach(const ModelReport& report, int64_t frames) {
  return frames == nn::LayerCost::kForever ? "all" : format("%.0f", report.milliseconds(frames));
}

void print_layers(const ModelReport& report) {
  std::vector<std::vector<std::string>> rows;
  auto all = report.layers;
  all.push_back(report.total);
  for (const nn::LayerCost& cost : all) {
    rows.push_back({cost.name, std::to_string(cost.parameters), format("%.3f", report.mmacs(cost)),
                    format("%.2f", kibibytes(cost.activations)),
                    format("%.2f", kibibytes(cost.state)), reach(report, cost.past),
                    reach(report, cost.future)});
  }
  print("%s\n%s\n", report.config,
        markdown_table({"layer", "parameters", "MMAC/s", "activations (KiB/frame)", "state (KiB)",
                        "past (ms)", "future (ms)"},
                       rows));
  print("%s\n", kernels_text({{"forward", report.forward_kernels},
                              {"stream, a frame", report.stream_kernels}}));
}

void print_totals(const std::vector<ModelReport>& reports) {
  std::vector<std::vector<std::string>> rows;
  for (const ModelReport& r : reports) {
    rows.push_back({r.config, format("%.1f k", 1e-3 * static_cast<double>(r.total.parameters)),
                    format("%.1f", r.mmacs(r.total)), format("%.1f", kibibytes(r.total.state)),
                    format("%.0f", r.latency_ms), format("%.2f", r.forward_ms),
                    format("%.2f", r.stream_ms)});
  }
  if (reports.size() == 2) {
    const ModelReport& a = reports[0];
    const ModelReport& b = reports[1];
    const auto ratio = [](double x, double y) { return y > 0 ? format("%.2f", x / y) : "-"; };
    rows.push_back(
        {"first / second",
         ratio(static_cast<double>(a.total.parameters), static_cast<double>(b.total.parameters)),
         ratio(a.mmacs(a.total), b.mmacs(b.total)),
         ratio(kibibytes(a.total.state), kibibytes(b.total.state)),
         ratio(a.latency_ms, b.latency_ms), ratio(a.forward_ms, b.forward_ms),
         ratio(a.stream_ms, b.stream_ms)});
  }
  print(
      "%s(ms for a second of audio on one thread, %s, batch norms folded: at once, and frame by "
      "frame)\n",
      markdown_table({"network", "parameters", "MMAC/s", "state (KiB)", "latency (ms)",
                      "forward (ms)", "stream (ms)"},
                     rows),
      to_string(cpu_level()));
}

nlohmann::json to_json(const ModelReport& report) {
  const auto frames = [](int64_t n) -> nlohmann::json {
    return n == nn::LayerCost::kForever ? nlohmann::json("all") : nlohmann::json(n);
  };
  const auto cost_json = [&](const nn::LayerCost& cost) -> nlohmann::json {
    return {{"name", cost.name},
            {"parameters", cost.parameters},
            {"macs_per_second", 1e6 * report.mmacs(cost)},
            {"activations_per_frame", cost.activations},
            {"state", cost.state},
            {"past_frames", frames(cost.past)},
            {"future_frames", frames(cost.future)}};
  };
  nlohmann::json object = {{"config", report.config},
                           {"cpu_level", to_string(cpu_level())},
                           {"latency_ms", report.latency_ms},
                           {"frames_per_second", report.frames_per_second},
                           {"forward_ms_per_second", report.forward_ms},
                           {"stream_ms_per_second", report.stream_ms},
                           {"forward_kernels", kernels_json(report.forward_kernels)},
                           {"stream_kernels", kernels_json(report.stream_kernels)},
                           {"total", cost_json(report.total)},
                           {"layers", nlohmann::json::array()}};
  for (const auto& layer : report.layers) object["layers"].push_back(cost_json(layer));
  return object;
}

int run(const Arguments& a) {
  nn::set_threads(1);
  std::vector<ModelReport> reports = {measure(a.config, a)};
  if (!a.against.empty()) reports.push_back(measure(a.against, a));
  if (a.json) {
    auto objects = nlohmann::json::array();
    for (const auto& report : reports) objects.push_back(to_json(report));
    print("%s\n", json_text(objects));
    return 0;
  }
  for (const auto& report : reports) print_layers(report);
  print_totals(reports);
  return 0;
}

}  // namespace

std::function<int()> add_model_command(CLI::App& app) {
  CLI::App* model = app.add_subcommand(
      "model", "what a network costs, layer by layer, before it is trained; time on one thread");
  auto a = std::make_shared<Arguments>();
  model->add_option("config", a->config, "configuration with a section 'model'")->required();
  model->add_option("--against", a->against, "another one to compare with");
  model->add_option("--set", a->sets, "changes of both, as model.key=value");
  model->add_option("--repetitions", a->repetitions, "timed passes")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  model->add_flag("--json", a->json, "one JSON list instead of the tables");
  return [a] { return run(*a); };
}

}  // namespace limbeck
