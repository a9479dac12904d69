#include "limbeck/train/fill_teacher_cache.h"

#include <torch/types.h>

#include <algorithm>

#include "limbeck/core/format.h"
#include "limbeck/core/interrupt.h"
#include "limbeck/core/progress.h"
#include "limbeck/data/options.h"
#include "limbeck/data/selection.h"
#include "limbeck/data/unique_batches.h"
#include "limbeck/nn/device.h"
#include "limbeck/objective/teacher.h"
#include "limbeck/train/make_task.h"
#include "limbeck/train/step.h"

namespace limbeck {
namespace {

using objective::Kept;

/// Gives the teacher batches, as long as what it says of them can be kept.
class Filling {
 public:
  Filling(const objective::Teacher& teacher, const at::Device& device, int64_t batches,
          Logger& logger)
      : teacher_(teacher),
        device_(device),
        progress_(logger, "teacher cache", "batches", batches) {}

  /// False where it ends.
  bool add(const Batch& host) {
    throw_if_interrupted();
    const objective::TaskBatch batch = to_device(host, device_);
    const Kept kept = teacher_.keep(batch.noisy, batch.valid_samples, batch.noisy_on_host);
    if (kept == Kept::not_at_all) return false;
    if (kept == Kept::now) ++made_;
    progress_.update(++done_);
    return true;
  }
  int64_t made() const { return made_; }
  int64_t done() const { return done_; }

 private:
  const objective::Teacher& teacher_;
  at::Device device_;
  Progress progress_;
  int64_t made_ = 0;
  int64_t done_ = 0;
};

}  // namespace

int64_t fill_teacher_cache(const TrainingConfig& config, Logger& logger) {
  if (config.distill.terms.empty() || config.distill.cache.dir.empty() ||
      config.data.epochs_unique == 0) {
    return 0;
  }
  const at::Device device =
      nn::use_device(config.run.device, {config.run.tf32, config.run.deterministic});
  nn::set_threads(config.run.threads);
  const auto task = make_task(config, find_teacher(config), device, &logger);
  const DataSelection data = select_data(config.data);
  const auto train = make_train_dataset(config.data, data);
  const auto valid = make_validation_sets(config.data, data, config.train.batch_size);
  const TrainOptions options = in_steps(config.train, train->size());
  const LoaderOptions loading = loader_options(config.data, options.batch_size, &logger);
  const int64_t of_training =
      std::min(unique_batches(loading, train->size()), options.steps * options.accumulate);
  int64_t batches = of_training;
  for (const auto& [name, set] : valid) batches += set.batches();

  Filling filling(*task->teacher(), device, batches, logger);
  const auto fill = [&] {
    for (const auto& [name, set] : valid) {
      for (int64_t b = 0; b < set.batches(); ++b) {
        if (!filling.add(set.batch(b))) return;
      }
    }
    Loader loader(*train, loading, SeedKey(static_cast<uint64_t>(config.run.seed)));
    for (int64_t b = 0; b < of_training; ++b) {
      if (!filling.add(loader.next())) return;
    }
  };
  nn::within_memory(device, format("train.batch_size: %d", options.batch_size), fill);
  logger.info(format("%s: %d of %d batches made, %d were there", config.distill.cache.dir,
                     filling.made(), batches, filling.done() - filling.made()));
  return filling.made();
}

}  // namespace limbeck
