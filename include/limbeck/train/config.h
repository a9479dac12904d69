#pragma once

#include <cstdint>
#include <string>

#include "limbeck/data/options.h"
#include "limbeck/metric/metric.h"
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
  int64_t warmup_steps = 100;
  double warmup_epochs = 0;  ///< in place of warmup_steps, until `in_steps`
  void describe(config::Visitor& v);
};

/// Section `train.clip:`. By default the joint norm of each module's gradients is at most 5.
struct ClipConfig {
  ClipConfig();
  config::Chosen chosen;
  void describe(config::Visitor& v);
};

/// Section `train.validation:`.
struct ValidationOptions {
  std::vector<MetricConfig> metrics = {"si_sdr"};
  bool background = false;
  void describe(config::Visitor& v);
};

/// Section `train.early_stop:`.
struct EarlyStopOptions {
  int64_t patience = 0;
  double min_change = 0;
  void describe(config::Visitor& v);
};

/// Section `train.tensorboard:`. What it says changes nothing of what is trained.
struct TensorboardOptions {
  bool enabled = true;
  int64_t examples = 3;

  void describe(config::Visitor& v);
};

/// Section `train.ema:`: an average of the weights, which is what comes out of training.
struct EmaOptions {
  double decay = 0;  ///< 0: none
  void describe(config::Visitor& v);
};

/// Section `train.max_skipped:`: how many steps without a finite gradient end a training.
struct SkipLimits {
  int64_t in_a_row = 20;
  double share = 0.1;
  void describe(config::Visitor& v);
};

/// Section `train:`.
struct TrainOptions {
  int64_t steps = 2000;
  int64_t epochs = 0;  ///< in place of steps, until `in_steps`
  int64_t batch_size = 8;
  int64_t accumulate = 1;
  OptimizerConfig optimizer;
  double adapter_lr = 1;
  ScheduleConfig schedule;
  ClipConfig clip;
  EmaOptions ema;
  SkipLimits max_skipped;
  std::string init;
  std::string init_fit = "exact";
  int64_t validate_every = 250;
  ValidationOptions validation;
  int64_t save_every = 0;
  double save_every_minutes = 0;
  KeepOptions keep;
  int64_t save_failures = 10;
  std::string select = "si_sdr";
  EarlyStopOptions early_stop;
  int64_t log_every = 10;
  TensorboardOptions tensorboard;

  void describe(config::Visitor& v);
};

/// The same with all lengths in steps, for a data set of `items`, so that only `steps` and
/// `schedule.warmup_steps` are left to look at. A step takes accumulate · batch_size items; the
/// last of them may reach into another epoch. Throws ConfigError unless the last of the phases
/// before which `steps_before_last_phase` are trained comes to begin.
TrainOptions in_steps(const TrainOptions& options, int64_t items,
                      int64_t steps_before_last_phase = 0);

/// Section `run:`.
struct RunOptions {
  std::string dir;
  int64_t seed = 1;
  std::string device = "auto";
  bool tf32 = false;
  bool deterministic = false;
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
