#include "train/start.h"

#include <torch/types.h>

#include "limbeck/core/files.h"
#include "limbeck/core/json.h"
#include "limbeck/nn/model_file.h"
#include "limbeck/nn/safetensors.h"
#include "limbeck/run/run_view.h"
#include "train/skipped_steps.h"

namespace limbeck {
namespace {

constexpr int64_t kBatches = 8;  // even where fewer are trained on, to know those of longer runs

std::string hash_of(const std::string& bytes) { return hash_bytes(bytes.data(), bytes.size()); }

}  // namespace

StartRecord start_record(const TrainOptions& options, const nn::DenoisingModel& model,
                         const Dataset& train, LoaderOptions loader, SeedKey root) {
  auto weights = nn::state_of(model);
  for (auto& [name, tensor] : weights) tensor = tensor.cpu().contiguous();
  loader.workers = 0;
  loader.logger = nullptr;  // training tells of them
  const auto made_of = json_text(examples_json(Loader(train, loader, root).next(kBatches)));
  return {.weights = hash_of(serialize_safetensors({weights, {}})),
          .batches = hash_of(made_of),
          .steps = options.steps,
          .batch_size = options.batch_size,
          .accumulate = options.accumulate};
}

void keep_start(RunDir& run, const TrainOptions& options, const nn::DenoisingModel& model,
                const Dataset& train, const LoaderOptions& loader, SeedKey root) {
  auto start = RunView(run.path()).start();
  if (!start) start = start_record(options, model, train, loader, root);
  start->steps = options.steps;
  run.write_start(*start);
}

}  // namespace limbeck
