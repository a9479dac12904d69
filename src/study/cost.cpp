#include "limbeck/study/cost.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "limbeck/config/resolve.h"
#include "limbeck/core/format.h"
#include "limbeck/data/unique_batches.h"
#include "study/step_probe.h"

namespace limbeck {
namespace {

/// Steps from `first` on in whose phase the terms take part.
int64_t distilling_steps(const objective::DistillOptions& distill, int64_t first, int64_t steps) {
  if (distill.terms.empty()) return 0;
  if (distill.phases.empty()) return steps - first;
  int64_t begin = 0;
  int64_t count = 0;
  for (const objective::PhaseOptions& phase : distill.phases) {
    const int64_t end = phase.steps == 0 ? steps : begin + phase.steps;
    if (phase.distill) count += std::max<int64_t>(end - std::max(begin, first), 0);
    begin = end;
  }
  return count;
}

/// Checkpoints that stay, and the examples that TensorBoard is shown, as audio of 16 bits.
double folder_bytes(const TrainingConfig& config, int64_t steps, int64_t checkpoint_bytes) {
  const KeepOptions& keep = config.train.keep;
  const int64_t validations = std::max<int64_t>(steps / config.train.validate_every, 1);
  const int64_t kept =
      std::min(keep.last + keep.best, validations) + (keep.every > 0 ? steps / keep.every : 0);
  double bytes = static_cast<double>(kept * checkpoint_bytes);
  if (config.train.tensorboard.enabled) {
    const int64_t signals =
        config.train.tensorboard.examples * (2 + std::min<int64_t>(validations, 10));
    bytes +=
        static_cast<double>(signals * 2 * config.data.rate_hz) * config.data.valid_segment_seconds;
  }
  return bytes;
}

double unique_of(const PlannedTraining& training) {
  const LoaderOptions loading =
      loader_options(training.config.data, training.config.train.batch_size, nullptr);
  return static_cast<double>(unique_batches(loading, training.items));
}

/// What one folder comes to hold of what teachers say.
struct Said {
  double max_gb = 0;
  std::map<std::string, double> bytes;  ///< by teacher and batches

  double total() const {
    double sum = 0;
    for (const auto& [batches, of_them] : bytes) sum += of_them;
    return max_gb > 0 ? std::min(sum, max_gb * 1e9) : sum;
  }
};

/// Trainings that ask the same teacher of the same batches have the same.
std::string batches_key(const TrainingConfig& config) {
  return join({config.teacher.checkpoint, std::to_string(config.run.seed),
               std::to_string(config.train.batch_size), config.distill.cache.precision,
               config::to_yaml(config::to_node(config.data))},
              "\n");
}

/// Without digits that are not known.
std::string about(double seconds) {
  const auto whole = [](double value) { return std::llround(value); };
  if (seconds < 60) return format("%d s", std::max(whole(std::ceil(seconds)), 1LL));
  if (seconds < 600) return format("%.1f min", seconds / 60);
  if (seconds < 5400) return format("%d min", whole(seconds / 60));
  const auto tens = whole(seconds / 600);
  if (seconds < 48 * 3600) return format("%d h %02d min", tens / 6, tens % 6 * 10);
  return format("%.1f days", seconds / 86400);
}

std::string about_bytes(double bytes) {
  return bytes < 1e9 ? format("%.0f MB", std::max(bytes / 1e6, 1.0))
                     : format("%.1f GB", bytes / 1e9);
}

}  // namespace

StudyCost estimate_cost(const std::vector<PlannedTraining>& trainings) {
  StepProbe probe;
  return estimate_cost(trainings, probe);
}

StudyCost estimate_cost(const std::vector<PlannedTraining>& trainings, StepProbe& probe) {
  StudyCost cost;
  std::map<std::string, Said> said;  // by folder
  for (const PlannedTraining& training : trainings) {
    const TrainingConfig& config = training.config;
    const int64_t steps = in_steps(config.train, training.items).steps;
    const int64_t left = std::max<int64_t>(steps - training.steps_done, 0);
    const int64_t distilling =
        distilling_steps(config.distill, std::min(training.steps_done, steps), steps);
    double seconds = 0;
    int64_t checkpoint = 0;
    for (const auto& [distills, count] :
         {std::pair(true, distilling), std::pair(false, left - distilling)}) {
      if (count == 0) continue;
      const StepCost& step = probe.of(training, distills);
      seconds += step.seconds * static_cast<double>(count);
      checkpoint = std::max(checkpoint, step.checkpoint_bytes);
      if (!distills || config.distill.cache.dir.empty()) continue;
      Said& in_folder = said[config.distill.cache.dir];
      in_folder.max_gb = config.distill.cache.max_gb;
      double& bytes = in_folder.bytes[batches_key(config)];
      bytes = std::max(bytes, static_cast<double>(step.said_bytes) * unique_of(training));
    }
    if (left > 0) ++cost.trainings;
    cost.seconds += seconds / static_cast<double>(training.side_by_side);
    cost.run_bytes += folder_bytes(config, steps, checkpoint);
  }
  for (const auto& [folder, in_folder] : said) cost.cache_bytes += in_folder.total();
  return cost;
}

std::string cost_text(const StudyCost& cost) {
  std::string text = format("%d trainings take about %s and %s on disk", cost.trainings,
                            about(cost.seconds), about_bytes(cost.run_bytes));
  if (cost.cache_bytes > 0) {
    text += format(", and what their teachers say %s more", about_bytes(cost.cache_bytes));
  }
  return text + "; timed with random batches on this machine as it is now; " +
         (cost.cache_bytes > 0 ? "filling of caches, " : "") +
         "reading of data, validation and scores come on top";
}

}  // namespace limbeck
