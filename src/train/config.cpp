#include "limbeck/train/config.h"

#include "limbeck/config/resolve.h"
#include "limbeck/core/error.h"

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
  v.require(!dir.empty(), "dir", "must not be empty");
}

void TeacherOptions::describe(config::Visitor& v) {
  v.value("checkpoint", checkpoint, "run folder, checkpoint folder or model file of the teacher");
  v.value("which", which, "checkpoint of a run folder", config::one_of({"best", "last"}));
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
  v.section("optimizer", optimizer, "AdamW");
  v.section("schedule", schedule, "learning rate over time: linear warm-up, then half a cosine");
  v.value("validate_every", validate_every, "steps between validations, each with a checkpoint",
          config::at_least(1));
  v.value("select", select,
          "validation value that chooses the best checkpoint: si_sdr, or the denoising loss",
          config::one_of({"si_sdr", "loss"}));
  v.value("log_every", log_every, "steps between lines of metrics.jsonl",
          config::at_least(1).no_effect());
}

void OptimizerOptions::describe(config::Visitor& v) {
  v.value("lr", lr, "peak learning rate of AdamW", config::above(0));
  v.value("beta1", beta1, "decay of the gradient's mean", config::between(0, 0.9999));
  v.value("beta2", beta2, "decay of the squared gradient's mean", config::between(0, 0.999999));
  v.value("epsilon", epsilon, "added to the denominator", config::above(0));
  v.value("weight_decay", weight_decay, "decay of matrices and kernels, times the learning rate",
          config::between(0, 1));
  v.value("clip_norm", clip_norm, "largest joint norm of the gradients", config::above(0));
}

void ScheduleOptions::describe(config::Visitor& v) {
  v.value("warmup_steps", warmup_steps, "steps of linear warm-up", config::at_least(0));
  v.value("final_ratio", final_ratio, "learning rate at the end, as a share of the peak",
          config::between(0, 1));
}

}  // namespace limbeck
