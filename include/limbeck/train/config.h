#pragma once

#include <cstdint>
#include <string>

#include "limbeck/data/options.h"
#include "limbeck/nn/model_config.h"
#include "limbeck/objective/config.h"

namespace limbeck {

/// Section `train.optimizer:`.
struct OptimizerOptions {
  double lr = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0.01;
  double clip_norm = 5;

  void describe(config::Visitor& v);
};

/// Section `train.schedule:`.
struct ScheduleOptions {
  int64_t warmup_steps = 100;
  double final_ratio = 0.01;

  void describe(config::Visitor& v);
};

/// Section `train:`.
struct TrainOptions {
  int64_t steps = 2000;
  int64_t batch_size = 8;
  OptimizerOptions optimizer;
  ScheduleOptions schedule;
  int64_t validate_every = 250;
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
