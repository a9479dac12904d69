#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "data/support.h"
#include "limbeck/core/safetensors.h"
#include "limbeck/run/checkpoint.h"
#include "limbeck/run/identity.h"

namespace limbeck::test {

/// A safetensors file without tensors; nothing here looks at weights.
inline std::string model_bytes(const std::string& name = "model") {
  SafeTensorsHeader header;
  header.metadata["limbeck"] = name;
  return safetensors_header_bytes(header);
}

inline Identity made_identity(int64_t steps = 10) {
  Identity identity("training", 1);
  identity.set("train.steps", steps);
  identity.set("train.lr", 0.1);
  return identity;
}

/// Leaves what a training leaves that has come to `step` of `planned`.
inline void put_run(const std::filesystem::path& run, int64_t step, int64_t planned,
                    const Identity& identity = made_identity(), bool is_best = true) {
  put_text(run / "identity.json", identity.text());
  put_text(run / "config.yaml", "made: true\n");
  const nlohmann::json state = {{"step", step}, {"planned_steps", planned}};
  CheckpointStore store(run);
  store.save(step,
             {{"model.safetensors", model_bytes(run.string() + std::to_string(step))},
              {"state.json", state.dump()}},
             is_best);
  store.add_validation(step, "{}\n", is_best);
}

}  // namespace limbeck::test
