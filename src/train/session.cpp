#include "limbeck/train/session.h"

#include <ATen/Context.h>

#include <nlohmann/json.hpp>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/data/file_check.h"
#include "limbeck/data/options.h"
#include "limbeck/data/selection.h"
#include "limbeck/nn/device.h"
#include "limbeck/run/run_view.h"
#include "limbeck/train/identity.h"
#include "limbeck/train/make_task.h"
#include "train/environment.h"
#include "train/trainer.h"

namespace limbeck {
namespace {

/// What the run is trained on, and its teacher was. Throws DataError that lists what leaks, unless
/// that is allowed.
TrainingRecord checked_record(const DataSelection& data, const std::optional<TrainedModel>& teacher,
                              bool allow_leak, Logger& logger) {
  TrainingRecord record(data);
  if (teacher) {
    record.inherit(teacher->record);
    if (!teacher->record) {
      logger.info(teacher->file.string() +
                  ": nothing is known of what this teacher was trained on (no data.json)");
    }
  }
  refuse_leaks(record, data, allow_leak, logger);
  return record;
}

/// Its best and last checkpoints become others while it is trained; a student's run is of one.
void warn_of_moving_teacher(const TeacherOptions& teacher, const TrainedModel& found,
                            Logger& logger) {
  const RunView run(teacher.checkpoint);
  if (!run.exists() || run.finished()) return;
  logger.warn(
      format("%s is still in training (step %d), and its %s checkpoint may become another "
             "one, with which this run will not be resumed; to be safe, name a copy of %s",
             teacher.checkpoint, run.progress(), teacher.which, found.file));
}

}  // namespace

void run_training(const TrainingConfig& config, const SessionOptions& session, Logger& logger) {
  const at::Device device =
      nn::use_device(config.run.device, {config.run.tf32, config.run.deterministic});
  const int threads = nn::set_threads(config.run.threads);
  const auto teacher = find_teacher(config);
  if (teacher) warn_of_moving_teacher(config.teacher, *teacher, logger);
  const auto task = make_task(config, teacher, device, &logger);
  const DataSelection data = select_data(config.data);
  const TrainingRecord record = checked_record(data, teacher, config.data.allow_leak, logger);
  const auto train = make_train_dataset(config.data, data);
  const auto valid = make_validation_sets(config.data, data, config.train.batch_size);
  require_scorable(config.train.validation, config.data.rate_hz);
  logger.info("model: " + nn::cost_text(task->model()));
  if (const int64_t extra = nn::parameter_count(task->helpers()); extra > 0) {
    logger.info(format("beside it, in training only: %d parameters of adapters", extra));
  }
  std::string sizes = format("data: %d items for training", train->size());
  for (const auto& [name, set] : valid) {
    sizes +=
        format(", %d examples for validation%s", set.size(), name.empty() ? "" : " on " + name);
  }
  logger.info(sizes);
  if (session.check_only) {
    require_files(files_of(config.data, data), logger);
    logger.info("configuration is sound");
    return;
  }
  // Of the training files a few may be lost; one that validation reads would end every sitting.
  require_files(validation_files(data), logger);
  for (const Split split : {Split::train, Split::valid}) require_sound(data, split);
  for (const DataSelection& set : data.valid_sets) require_sound(set, Split::valid);
  const Identity identity =
      training_identity(config, content_of(config.data), teacher ? teacher->hash : "");
  RunDir run(config.run.dir, identity, config::to_node(config), session.restart, &logger);
  logger.add_file(run.path() / "train.log");
  run.write_record(record);
  write_environment(run, environment_now(device, threads, config.run.kernels), identity, record,
                    session.command, logger);
  for (const std::string& note : record.notes) logger.warn(note);
  logger.info(format("run: %s on %s with %d threads, seed %d", config.run.dir, device.str(),
                     threads, config.run.seed));
  const LoaderOptions loader = loader_options(config.data, config.train.batch_size, &logger);
  Trainer trainer(config.train,
                  {*task, *train, valid, loader, run, logger, config::to_node(config)},
                  SeedKey(static_cast<uint64_t>(config.run.seed)), device);
  TrainState state;
  try {
    state = nn::within_memory(device, format("train.batch_size: %d", config.train.batch_size),
                              [&] { return trainer.run(); });
  } catch (const DivergenceError& e) {
    run.write_divergence(trainer.state().step, e.what());
    throw;
  }
  const Criterion criterion = find_criterion(config.train.select, config.data.valid_set_names(),
                                             build_metrics(config.train.validation.metrics));
  logger.info(format("best: step %d, %s; in %s", state.best_step, criterion.text(state.best_value),
                     (run.path() / "checkpoints")));
}

}  // namespace limbeck
