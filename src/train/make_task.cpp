#include "limbeck/train/make_task.h"

#include <torch/types.h>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/nn/model_file.h"

namespace limbeck {

namespace {

std::shared_ptr<nn::DenoisingModel> make_model(const TrainingConfig& config, at::Device device) {
  auto model = nn::build_model(config.model, SeedKey(static_cast<uint64_t>(config.run.seed)));
  if (model->rate_hz() != config.data.rate_hz) {
    throw ConfigError(
        format("model.rate_hz is %d, but data.rate_hz %d", model->rate_hz(), config.data.rate_hz));
  }
  model->to(device);
  model->set_kernels(config.run.kernels);
  return model;
}

/// Calls `read`; what is no model, or none any more, is for the configuration to mend.
template <class Read>
auto read_teacher(const Read& read) {
  try {
    return read();
  } catch (const CheckpointError& e) {
    throw ConfigError(std::string("teacher.checkpoint: ") + e.what() +
                      "; name a run folder, checkpoint folder or model file that limbeck-pretrain "
                      "of this version wrote");
  }
}

}  // namespace

std::optional<TrainedModel> find_teacher(const TrainingConfig& config) {
  if (config.distill.terms.empty()) return std::nullopt;
  return read_teacher([&] { return find_model(config.teacher.checkpoint, config.teacher.which); });
}

std::unique_ptr<objective::LearningTask> make_task(const TrainingConfig& config,
                                                   const std::optional<TrainedModel>& teacher,
                                                   at::Device device, Logger* logger) {
  std::shared_ptr<nn::DenoisingModel> teacher_model;
  if (teacher) {
    for (const std::string& warning : teacher->warnings) {
      if (logger) logger->warn(config.teacher.checkpoint + ": " + warning);
    }
    const std::string bytes = read_found(*teacher, "teacher.checkpoint");
    teacher_model = read_teacher([&] { return nn::parse_model(bytes, teacher->file.string()); });
    teacher_model->set_kernels(config.run.kernels);
  }
  return std::make_unique<objective::LearningTask>(
      make_model(config, device), teacher_model, config.objective, config.distill,
      config.train.batch_size, SeedKey(static_cast<uint64_t>(config.run.seed)),
      teacher ? teacher->hash : "", logger);
}

std::unique_ptr<objective::LearningTask> make_task(const TrainingConfig& config,
                                                   at::Device device) {
  return make_task(config, find_teacher(config), device);
}

}  // namespace limbeck
