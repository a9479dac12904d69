#pragma once

#include <cstdint>
#include <string>

#include "limbeck/data/options.h"
#include "limbeck/nn/kernel_use.h"
#include "limbeck/nn/model_config.h"
#include "limbeck/objective/config.h"
#include "limbeck/run/checkpoint.h"

namespace limbeck {

/// Section `train.optimizer:`. By default AdamW.
struct OptimizerConfig {
  OptimizerConfig();
  config::Chosen chosen;
  void describe(config::Visitor& v);
};

/// Section `train.schedule:`. By default linear warm-up, then half a cosine.
struct ScheduleConfig {
  ScheduleConfig();
  config::Chosen chosen;
  void describe(config::Visitor& v);
};

/// Section `train.clip:`. By default the joint norm of each module's gradients is at most 5.
struct ClipConfig {
  ClipConfig();
  config::Chosen chosen;
  void describe(config::Visitor& v);
};

/// Section `train:`.
struct TrainOptions {
  int64_t steps = 2000;
  int64_t batch_size = 8;
  OptimizerConfig optimizer;
  ScheduleConfig schedule;
  ClipConfig clip;
  std::string init;
  std::string init_fit = "exact";
  int64_t validate_every = 250;
  int64_t save_every = 0;
  double save_every_minutes = 0;
  KeepOptions keep;
  int64_t save_failures = 10;
  std::string select = "si_sdr";
  int64_t log_every = 10;

  void describe(config::Visitor& v);
};

/// Section `run:`.
struct RunOptions {
  std::string dir;
  int64_t seed = 1;
  std::string device = "auto";
  int64_t threads = 0;
  nn::Kernels kernels = nn::Kernels::fused;

  void describe(config::Visitor& v);
};

/// Section `teacher:`.
struct TeacherOptions {
  std::string checkpoint;
  std::string which = "best";

  void describe(config::Visitor& v);
};

/// Everything that a training reads. Without distillation terms it is supervised training, and the
/// teacher takes no part.
struct TrainingConfig {
  RunOptions run;
  nn::ModelConfig model;
  DataOptions data;
  objective::ObjectiveConfig objective;
  TrainOptions train;
  TeacherOptions teacher;
  objective::DistillOptions distill;

  void describe(config::Visitor& v);
};

/// What limbeck-pretrain refuses, lest it pass for distillation: anything but the defaults in
/// sections teacher and distill. Throws ConfigError.
void require_no_teacher(const TrainingConfig& config);

}  // namespace limbeck
