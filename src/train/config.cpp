#include "limbeck/train/config.h"

#include <algorithm>
#include <cmath>

#include "limbeck/config/resolve.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "train/clip.h"
#include "train/criterion.h"
#include "train/optimizer.h"
#include "train/schedule.h"
#include "train/skipped_steps.h"

namespace limbeck {
namespace {

/// A length may be given in steps or in epochs.
void require_one_length(config::Visitor& v, const std::string& key, int64_t steps,
                        const std::string& other, double epochs) {
  v.require(steps == 0 || epochs == 0, key,
            format("given twice, as %s: %d and as %s: %s; leave out one of them", key, steps, other,
                   shortest(epochs)));
}

std::string phases_text(int64_t before, int64_t steps, const std::string& key) {
  return format(
      "the last of the phases would never begin: those before it take %d of %d steps; shorten "
      "them, or raise %s",
      before, steps, key);
}

/// Why no checkpoint can be told from others by `train.select`; empty if one can.
std::string selection_problem(const TrainingConfig& config) {
  try {
    find_criterion(config.train.select, config.data.valid_set_names(),
                   build_metrics(config.train.validation.metrics));
    return "";
  } catch (const ConfigError& e) {
    return e.what();
  }
}

}  // namespace

TrainOptions in_steps(const TrainOptions& options, int64_t items, int64_t steps_before_last_phase) {
  TrainOptions result = options;
  const double per_epoch =
      static_cast<double>(items) / static_cast<double>(options.batch_size * options.accumulate);
  if (options.epochs > 0) {
    const int64_t items_a_step = options.batch_size * options.accumulate;
    result.steps = (options.epochs * items + items_a_step - 1) / items_a_step;
    result.epochs = 0;
  }
  if (options.schedule.warmup_epochs > 0) {
    result.schedule.warmup_steps =
        std::max<int64_t>(std::llround(options.schedule.warmup_epochs * per_epoch), 1);
    result.schedule.warmup_epochs = 0;
  }
  if (steps_before_last_phase >= result.steps) {
    throw ConfigError("distill: " +
                      phases_text(steps_before_last_phase, result.steps, "train.epochs"));
  }
  return result;
}

void RunOptions::describe(config::Visitor& v) {
  v.value("dir", dir, "folder of the run", config::any().required().no_effect());
  v.value("seed", seed, "root of every random draw: weights, data order, mixtures",
          config::between(0, 9.007199254740992e15));
  v.value("device", device, "auto, cpu, cuda or cuda:i", config::any().no_effect());
  v.value("tf32", tf32,
          "let a GPU multiply float32 with 10 bits of mantissa: faster, with errors of 1e-3",
          config::any().no_effect());
  v.value("deterministic", deterministic,
          "let a GPU do nothing whose order of summation is left to chance: the same bits again, "
          "more slowly; what it cannot do so is an error",
          config::any().no_effect());
  v.value("threads", threads,
          "threads of LibTorch; 0: one a core. Sums over another number of threads round "
          "differently",
          config::between(0, 1024).no_effect());
  v.value("kernels", kernels,
          "what networks run on a CPU: this project's kernels, or LibTorch's operators alone; the "
          "same up to rounding",
          config::any().no_effect());
  v.require(!dir.empty(), "dir", "must not be empty");
}

void TeacherOptions::describe(config::Visitor& v) {
  v.value("checkpoint", checkpoint, "run folder, checkpoint folder or model file of the teacher",
          config::any().names_file());
  v.value("which", which, "checkpoint of a run folder",
          config::one_of({"best", "last"}).names_file());
}

void TrainingConfig::describe(config::Visitor& v) {
  v.section("run", run, "where and how");
  v.section("model", model, "network to train");
  v.section("data", data, "what it is trained and validated on");
  v.section("objective", objective, "denoising loss");
  v.section("train", train, "optimizer steps");
  v.section("teacher", teacher, "trained network to distil from (limbeck-distill)");
  v.section("distill", distill, "how the student follows the teacher (limbeck-distill)");
  v.require(distill.terms.empty() || !teacher.checkpoint.empty(), "teacher",
            "checkpoint is required where distill.terms are given; name a trained teacher, or "
            "leave out the terms to train from scratch");
  const int64_t before = distill.steps_before_last_phase();
  v.require(train.epochs > 0 || before < train.steps, "distill",
            phases_text(before, train.steps, "train.steps"));
  const std::string problem = selection_problem(*this);
  v.require(problem.empty(), "train.select", problem);
  v.require(distill.cache.dir.empty() || data.epochs_unique > 0, "distill",
            "cache.dir is of use only where batches come again; set data.epochs_unique to the "
            "number of epochs after which they do");
}

void require_no_teacher(const TrainingConfig& config) {
  const auto require_default = [](const std::string& section, const config::Node& written,
                                  const config::Node& standard) {
    const auto changes = config::differences(standard, written);
    if (changes.empty()) return;
    const std::string key = changes.front().substr(0, changes.front().find(':'));
    throw ConfigError(section + "." + key +
                      ": limbeck-pretrain trains without a teacher; give this configuration to "
                      "limbeck-distill, or leave out section " +
                      section);
  };
  const TrainingConfig standard;
  require_default("teacher", config::to_node(config.teacher), config::to_node(standard.teacher));
  require_default("distill", config::to_node(config.distill), config::to_node(standard.distill));
}

void TrainOptions::describe(config::Visitor& v) {
  v.value("epochs", epochs, "length in passes through the training data; 0: by steps",
          config::between(0, 1e6));
  if (epochs > 0 && steps == TrainOptions().steps) steps = 0;  // its default then
  v.value("steps", steps, "length in optimizer steps, 0 where epochs are given",
          config::between(0, 1e9));
  require_one_length(v, "steps", steps, "epochs", static_cast<double>(epochs));
  v.require(steps > 0 || epochs > 0, "steps", "must be at least 1, or epochs be given");
  v.value("batch_size", batch_size, "segments a batch", config::between(1, 65536));
  v.value("accumulate", accumulate,
          "batches a step: their mean gradient is that of a batch so many times as large, but for "
          "batch norm and for terms that compare the items of a batch",
          config::between(1, 65536));
  v.section("optimizer", optimizer, "how parameters follow their gradients");
  v.value("adapter_lr", adapter_lr,
          "factor on the learning rate of what distillation terms train beside the network",
          config::between(0, 1000));
  v.section("schedule", schedule, "learning rate over time");
  v.section("clip", clip, "limit of the gradients");
  v.section("ema", ema, "average of the weights over steps, validated and saved in their place");
  v.section("max_skipped", max_skipped,
            "steps whose loss or gradient is not finite change nothing; how many end the training");
  v.value(
      "init", init,
      "run folder (its best checkpoint), checkpoint folder or model file whose weights training "
      "begins with; empty: random ones",
      config::any().names_file());
  v.value(
      "init_fit", init_fit,
      "exact: every weight must be there, and no other; partial: what fits by name and shape is "
      "taken",
      config::one_of({"exact", "partial"}));
  v.value("validate_every", validate_every, "steps between validations, each with a checkpoint",
          config::at_least(1));
  v.section("validation", validation, "what is asked of a network in validation");
  v.value("save_every", save_every, "steps between checkpoints beside those; 0: none",
          config::at_least(0).no_effect());
  v.value("save_every_minutes", save_every_minutes,
          "minutes after which a checkpoint is saved if none was; 0: never",
          config::at_least(0).no_effect());
  v.section("keep", keep, "checkpoints that stay, beside those of best.json and last.json");
  v.value("save_failures", save_failures,
          "failed saves in a row after which training ends, its state saved in $TMPDIR",
          config::at_least(1).no_effect());
  v.value("select", select,
          "validation value that chooses the best checkpoint: a metric of validation.metrics, or "
          "loss (the denoising loss); that of a further set as NAME/si_sdr");
  v.section("early_stop", early_stop, "whether training ends before its last step");
  v.value("log_every", log_every,
          "steps between lines of metrics.jsonl, each of which tells means over them",
          config::at_least(1).no_effect());
  v.section("tensorboard", tensorboard, "what is written for TensorBoard, in folder tensorboard");
}

void TensorboardOptions::describe(config::Visitor& v) {
  v.value("enabled", enabled, "write the values of metrics.jsonl, options and examples",
          config::any().no_effect());
  v.value("examples", examples,
          "validation examples that are shown as spectrogram and audio, at up to ten validations",
          config::between(0, 100).no_effect());
}

void ValidationOptions::describe(config::Visitor& v) {
  describe_metrics(v, metrics);
  v.value("background", background,
          "score on idle cores while training goes on; what is found then counts at the next "
          "validation");
}

void EarlyStopOptions::describe(config::Visitor& v) {
  v.value("patience", patience,
          "validations in a row without a gain in train.select after which training ends; 0: never",
          config::at_least(0));
  v.value("min_change", min_change, "what a gain must exceed, in the unit of the value",
          config::at_least(0));
}

OptimizerConfig::OptimizerConfig() : chosen(optimizers(), "adamw") {}

void OptimizerConfig::describe(config::Visitor& v) {
  v.choice("type", chosen, optimizers(), "what moves the parameters");
}

ScheduleConfig::ScheduleConfig() : chosen(schedules(), "cosine") {}

void ScheduleConfig::describe(config::Visitor& v) {
  v.choice("type", chosen, schedules(), "factor on the learning rate, step by step");
  v.value("warmup_epochs", warmup_epochs,
          "length of the warm-up in passes through the training data, or parts of one; 0: by "
          "warmup_steps",
          config::between(0, 1e6));
  if (warmup_epochs > 0 && warmup_steps == ScheduleConfig().warmup_steps) warmup_steps = 0;
  v.value("warmup_steps", warmup_steps,
          "steps in which the learning rate rises evenly from 0 to where the schedule begins",
          config::at_least(0));
  require_one_length(v, "warmup_steps", warmup_steps, "warmup_epochs", warmup_epochs);
}

void EmaOptions::describe(config::Visitor& v) {
  v.value("decay", decay,
          "share of the average that a step keeps, as 0.999; in early steps less, (1 + step) / (10 "
          "+ step). 0: no average",
          config::between(0, 0.999999));
}

void SkipLimits::describe(config::Visitor& v) {
  v.value("in_a_row", in_a_row, "so many in a row end it", config::between(1, kSkipWindow));
  v.value("share", share,
          format("a larger share of the last %d steps ends it, once %d are trained; 1: never",
                 kSkipWindow, kSkipLeast),
          config::between(0, 1));
}

ClipConfig::ClipConfig() : chosen(clips(), "norm") {}

void ClipConfig::describe(config::Visitor& v) {
  v.choice("type", chosen, clips(), "what is done about gradients that are too large");
}

}  // namespace limbeck
