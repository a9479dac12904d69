#include "train/environment.h"

#include <ATen/Context.h>
#include <ATen/Version.h>
#include <torch/version.h>

#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "limbeck/core/cpu.h"
#include "limbeck/core/files.h"
#include "limbeck/core/json.h"
#include "limbeck/core/version.h"
#include "limbeck/nn/device.h"
#include "limbeck/run/rounding.h"
#include "limbeck/run/run_view.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;

/// What follows `name` in a file of the system; "" where that is not there.
std::string system_fact(const fs::path& file, const std::string& name) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    const size_t at = line.find(name);
    if (at == std::string::npos) continue;
    const size_t first = line.find_first_not_of(" \t", at + name.size());
    return first == std::string::npos ? "" : line.substr(first);
  }
  return "";
}

std::string utc_now() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

using Rounding = std::map<std::string, std::string>;

void warn_of_another(const Rounding& before, const Rounding& now, Logger& logger) {
  Rounding names = before;
  names.insert(now.begin(), now.end());
  const auto value = [](const Rounding& all, const std::string& name) {
    const auto found = all.find(name);
    return found == all.end() ? "" : found->second;
  };
  for (const auto& [name, any] : names) {
    if (value(before, name) == value(now, name)) continue;
    logger.warn("this run was begun with another " + name +
                "; its results will not be equal to the bit to one made in one go");
  }
}

}  // namespace

nlohmann::json environment_now(const at::Device& device, int threads, nn::Kernels kernels) {
  const std::string instruction_set = at::get_cpu_capability();
  nlohmann::json environment = {{"limbeck", version_text()},
                                {"git", git_revision()},
                                {"compiler", compiler_text()},
                                {"libtorch", TORCH_VERSION},
                                {"device", device.str()},
                                {"threads", threads},
                                {"processor", system_fact("/proc/cpuinfo", "model name\t:")},
                                {"cpu_capability", instruction_set},
                                {"cpu_level", to_string(cpu_level())},
                                {"kernels", nn::to_string(kernels)}};
  if (!device.is_cpu()) {
    environment["device_model"] = nn::device_model(device);
    environment["gpu_driver"] = system_fact("/proc/driver/nvidia/version", "NVRM version:");
    environment["tf32"] = at::globalContext().allowTF32CuBLAS();
    environment["deterministic"] = at::globalContext().deterministicAlgorithms();
  }
  return environment;
}

void write_environment(const RunDir& run, const nlohmann::json& now, const Identity& identity,
                       const TrainingRecord& record, const std::vector<std::string>& command,
                       Logger& logger) {
  const fs::path path = run.path() / "environment.json";
  nlohmann::json all = now;
  all["identity"] = identity.hash();
  all["protocol"] = record.protocol;
  all["protocol_hash"] = record.protocol_hash;
  all["notes"] = record.notes;
  all["command"] = command;
  all["started"] = utc_now();
  const std::string text = json_text(all, 2) + "\n";
  if (on_disk([&] { return fs::exists(path); })) {
    warn_of_another(RunView(run.path()).environment(), rounding_in(text), logger);
  }
  write_file_atomically(path, text);
}

}  // namespace limbeck
