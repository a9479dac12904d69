#include "limbeck/train/session.h"

#include <ATen/Context.h>

#include <nlohmann/json.hpp>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/data/file_check.h"
#include "limbeck/data/options.h"
#include "limbeck/data/selection.h"
#include "limbeck/nn/device.h"
#include "limbeck/run/continuation.h"
#include "limbeck/train/identity.h"
#include "limbeck/train/init.h"
#include "limbeck/train/make_task.h"
#include "train/checkpoint_files.h"
#include "train/environment.h"
#include "train/start.h"
#include "train/trainer.h"

namespace limbeck {
namespace {

/// What a run comes from, beside data and configuration.
struct Origins {
  std::optional<TrainedModel> teacher, init;
  std::optional<Fork> fork;
};

/// What the run is trained on, and its origins were. Throws DataError that lists what leaks, unless
/// that is allowed.
TrainingRecord checked_record(const DataSelection& data, const Origins& origins,
                              const std::optional<TrainingRecord>& known, bool allow_leak,
                              Logger& logger) {
  TrainingRecord record(data);
  const auto inherit = [&](const std::optional<TrainingRecord>& of_origin, const auto& name,
                           const char* what) {
    record.inherit(of_origin);
    if (of_origin) return;
    logger.info(
        format("%s: nothing is known of what this %s was trained on (no data.json)", name, what));
  };
  if (origins.teacher) inherit(origins.teacher->record, origins.teacher->file, "teacher");
  if (origins.init) inherit(origins.init->record, origins.init->file, "network");
  if (origins.fork) inherit(origins.fork->record, origins.fork->checkpoint, "run");
  // A run that goes on need not be told again whose fork it is.
  if (known) {
    record.teacher = known->teacher;
    record.teacher_unknown = known->teacher_unknown;
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

/// What the run is known by, and how it goes on. Looks for the checkpoint that it begins with.
Continuation plan_run(const TrainingConfig& config, const SessionOptions& session, int64_t steps,
                      Origins& origins) {
  const auto hash_of = [](const auto& model) { return model ? model->hash : ""; };
  Identity planned = training_identity(config, content_of(config.data), hash_of(origins.teacher),
                                       hash_of(origins.init));
  const RunView there(config.run.dir);
  const auto stored = session.restart ? std::nullopt : stored_identity(there);
  origins.fork = plan_fork(there, stored, session.fork, session.which, planned);
  return continue_run(there, stored, planned, steps, session.extend);
}

/// Throws ConfigError that lists what of the checkpoint does not fit.
void require_fit(const Fork& fork, const TrainOptions& options, objective::LearningTask& task,
                 const at::Device& device) {
  try {
    TrainStep step(options, task);
    load_checkpoint(fork.checkpoint, task, step, device);
  } catch (const CheckpointError& e) {
    throw ConfigError(std::string("--fork: ") + e.what() +
                      "\ntrain.init takes weights alone, and with train.init_fit: partial those "
                      "that fit");
  }
  if (options.steps > fork.step) return;
  throw ConfigError(
      format("train.steps: %d: the checkpoint that --fork begins with has %d steps "
             "done; ask for more",
             options.steps, fork.step));
}

}  // namespace

void run_training(const TrainingConfig& config, const SessionOptions& session, Logger& logger) {
  const at::Device device =
      nn::use_device(config.run.device, {config.run.tf32, config.run.deterministic});
  const int threads = nn::set_threads(config.run.threads);
  Origins origins{find_teacher(config), find_init(config.train), {}};
  if (origins.teacher) warn_of_moving_teacher(config.teacher, *origins.teacher, logger);
  const auto task = make_task(config, origins.teacher, device, &logger);
  const DataSelection data = select_data(config.data);
  const auto train = make_train_dataset(config.data, data);
  const TrainOptions options =
      in_steps(config.train, train->size(), config.distill.steps_before_last_phase());
  const Continuation planned = plan_run(config, session, options.steps, origins);
  const RunView there(config.run.dir);
  if (origins.init) {
    const bool goes_on = !session.restart && there.pointed("last");
    take_init(task->model(), config.train, *origins.init, goes_on ? nullptr : &logger);
  }
  if (origins.fork) require_fit(*origins.fork, options, *task, device);
  const bool goes_on_as_fork = !origins.fork && planned.identity.facts().find("fork") != nullptr;
  const TrainingRecord record =
      checked_record(data, origins, goes_on_as_fork ? there.record() : std::nullopt,
                     config.data.allow_leak, logger);
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
  tell_of_response_folders(config.data, logger);
  if (config.train.epochs > 0) {
    logger.info(
        format("length: %d epochs, which are %d steps", config.train.epochs, options.steps));
  }
  if (session.check_only) {
    require_files(files_of(config.data, data), logger);
    logger.info("configuration is sound");
    return;
  }
  // Of the training files a few may be lost; one that validation reads would end every sitting.
  require_files(validation_files(data), logger);
  for (const Split split : {Split::train, Split::valid}) require_sound(data, split);
  for (const DataSelection& set : data.valid_sets) require_sound(set, Split::valid);
  RunDir run(config.run.dir, planned.identity, config::to_node(config), session.restart, &logger,
             planned.before);
  const LoaderOptions loader = loader_options(config.data, config.train.batch_size, &logger);
  const SeedKey root(static_cast<uint64_t>(config.run.seed));
  // What a fork began with is not there any more.
  if (!goes_on_as_fork || there.start()) {
    keep_start(run, options, task->model(), *train, loader, root);
  }
  if (origins.fork) begin_with(*origins.fork, run, options.steps);
  logger.add_file(run.path() / "train.log");
  run.write_record(record);
  write_environment(run, environment_now(device, threads, config.run.kernels), planned.identity,
                    record, session.command, logger);
  for (const std::string& note : record.notes) logger.warn(note);
  if (origins.fork) {
    logger.info(
        format("begun with %s, of the run %s", origins.fork->checkpoint, origins.fork->parent));
  }
  logger.info(format("run: %s on %s with %d threads, seed %d", config.run.dir, device.str(),
                     threads, config.run.seed));
  Trainer trainer(options,
                  {*task, *train, valid, loader, run, logger, config::to_node(config),
                   planned.plan.extensions()},
                  root, device);
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
