#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "limbeck/config/resolve.h"
#include "limbeck/nn/model_config.h"
#include "paths.h"

namespace limbeck::test {

inline std::filesystem::path preset_folder() { return test::source_dir() / "configs/model"; }

/// Names of all shipped networks, without .yaml.
inline std::vector<std::string> preset_names() {
  std::vector<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(preset_folder())) {
    names.push_back(file.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

struct Preset {
  nn::ModelConfig model;
  void describe(config::Visitor& v) { v.section("model", model, "network"); }
};

inline nn::ModelConfig read_preset(const std::string& name) {
  return config::load<Preset>({preset_folder() / (name + ".yaml")}, {}).model;
}

}  // namespace limbeck::test
