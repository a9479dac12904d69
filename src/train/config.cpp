#include "limbeck/train/config.h"

#include "limbeck/config/resolve.h"
#include "limbeck/core/error.h"
#include "train/clip.h"
#include "train/optimizer.h"
#include "train/schedule.h"

namespace limbeck {

void RunOptions::describe(config::Visitor& v) {
  v.value("dir", dir, "folder of the run", config::any().required().no_effect());
  v.value("seed", seed, "root of every random draw: weights, data order, mixtures",
          config::between(0, 9.007199254740992e15));
  v.value("device", device, "auto, cpu, cuda or cuda:i", config::any().no_effect());
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
  v.require(distill.steps_before_last_phase() < train.steps, "distill",
            "the last of the phases would never begin: those before it take " +
                std::to_string(distill.steps_before_last_phase()) + " of " +
                std::to_string(train.steps) + " steps; shorten them, or raise train.steps");
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
  v.value("steps", steps, "optimizer steps", config::between(1, 1e9));
  v.value("batch_size", batch_size, "segments a step", config::between(1, 65536));
  v.section("optimizer", optimizer, "how parameters follow their gradients");
  v.section("schedule", schedule, "learning rate over time");
  v.section("clip", clip, "limit of the gradients");
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
          "validation value that chooses the best checkpoint: si_sdr, or the denoising loss",
          config::one_of({"si_sdr", "loss"}));
  v.value("log_every", log_every, "steps between lines of metrics.jsonl",
          config::at_least(1).no_effect());
}

OptimizerConfig::OptimizerConfig() : chosen(optimizers(), "adamw") {}

void OptimizerConfig::describe(config::Visitor& v) {
  v.choice("type", chosen, optimizers(), "what moves the parameters");
}

ScheduleConfig::ScheduleConfig() : chosen(schedules(), "warmup_cosine") {}

void ScheduleConfig::describe(config::Visitor& v) {
  v.choice("type", chosen, schedules(), "factor on the learning rate, step by step");
}

ClipConfig::ClipConfig() : chosen(clips(), "norm") {}

void ClipConfig::describe(config::Visitor& v) {
  v.choice("type", chosen, clips(), "what is done about gradients that are too large");
}

}  // namespace limbeck
