#pragma once

#include <ATen/core/Tensor.h>

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "limbeck/core/log.h"
#include "limbeck/data/training_record.h"
#include "limbeck/nn/kernel_use.h"
#include "limbeck/run/identity.h"
#include "limbeck/run/run_dir.h"

namespace limbeck {

/// By what and on what this process trains: versions, processor, GPU, threads, kernels.
nlohmann::json environment_now(const at::Device& device, int threads, nn::Kernels kernels);

/// Writes environment.json of a sitting that begins: `now`, the hashes of what the run is,
/// `command` and the time. Warns where an earlier sitting was made on something else that rounds
/// otherwise.
void write_environment(const RunDir& run, const nlohmann::json& now, const Identity& identity,
                       const TrainingRecord& record, const std::vector<std::string>& command,
                       Logger& logger);

}  // namespace limbeck
