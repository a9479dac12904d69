#include "limbeck/train/make_task.h"

#include <torch/types.h>

#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/nn/model_file.h"
#include "limbeck/run/checkpoint.h"

namespace limbeck {

namespace {

std::shared_ptr<nn::DenoisingModel> make_model(const TrainingConfig& config, at::Device device) {
  auto model = nn::build_model(config.model, SeedKey(static_cast<uint64_t>(config.run.seed)));
  if (model->rate_hz() != config.data.rate_hz) {
    throw ConfigError(
        format("model.rate_hz is %d, but data.rate_hz %d", model->rate_hz(), config.data.rate_hz));
  }
  model->to(device);
  return model;
}

/// Whatever is wrong with the teacher's files is for the configuration to mend.
std::shared_ptr<nn::DenoisingModel> read_teacher(const TeacherOptions& options) {
  try {
    const auto file = nn::find_model_file(options.checkpoint, options.which);
    const auto folder = file.parent_path();
    if (std::filesystem::exists(folder / "manifest.json")) {
      const auto wrong = CheckpointStore::check(folder, file.filename().string());
      if (!wrong.empty()) throw CheckpointError(folder.string() + ": damaged: " + wrong);
    }
    return nn::read_model(file);
  } catch (const CheckpointError& e) {
    throw ConfigError(std::string("teacher.checkpoint: ") + e.what() +
                      "; name a run folder, checkpoint folder or model file that limbeck-pretrain "
                      "of this version wrote");
  }
}

}  // namespace

std::unique_ptr<objective::LearningTask> make_task(const TrainingConfig& config,
                                                   at::Device device) {
  std::shared_ptr<nn::DenoisingModel> teacher;
  std::string id;
  if (!config.distill.terms.empty()) {
    teacher = read_teacher(config.teacher);
    if (!config.distill.cache.dir.empty()) {
      const std::string all = nn::serialize_model(*teacher);
      id = hash_bytes(all.data(), all.size());
    }
  }
  return std::make_unique<objective::LearningTask>(
      make_model(config, device), teacher, config.objective, config.distill,
      config.train.batch_size, SeedKey(static_cast<uint64_t>(config.run.seed)), id);
}

}  // namespace limbeck
