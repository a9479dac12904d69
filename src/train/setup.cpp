#include "limbeck/train/setup.h"

#include <torch/types.h>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/nn/model_file.h"

namespace limbeck {

namespace {

std::shared_ptr<nn::DenoisingModel> make_model(const PretrainConfig& config, at::Device device) {
  auto model = nn::build_model(config.model, SeedKey(static_cast<uint64_t>(config.run.seed)));
  if (model->rate_hz() != config.data.rate_hz) {
    throw ConfigError(format("model.rate_hz is %lld, but data.rate_hz %lld",
                             static_cast<long long>(model->rate_hz()),
                             static_cast<long long>(config.data.rate_hz)));
  }
  model->to(device);
  return model;
}

}  // namespace

std::unique_ptr<objective::LearningTask> make_task(const PretrainConfig& config,
                                                   at::Device device) {
  return std::make_unique<objective::SupervisedTask>(make_model(config, device), config.objective);
}

std::unique_ptr<objective::LearningTask> make_task(const DistillConfig& config, at::Device device) {
  std::shared_ptr<nn::DenoisingModel> teacher;
  if (!config.distill.terms.empty()) {
    teacher =
        nn::read_model(nn::find_model_file(config.teacher.checkpoint, config.teacher.which)).model;
  }
  return std::make_unique<objective::DistillTask>(
      make_model(config, device), teacher, config.objective, config.distill,
      config.train.batch_size, SeedKey(static_cast<uint64_t>(config.run.seed)));
}

}  // namespace limbeck
