#include "limbeck/train/session.h"

#include <ATen/Context.h>
#include <torch/version.h>

#include <nlohmann/json.hpp>

#include "limbeck/core/cpu.h"
#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/core/version.h"
#include "limbeck/data/file_check.h"
#include "limbeck/data/options.h"
#include "limbeck/data/selection.h"
#include "limbeck/nn/device.h"
#include "limbeck/run/continuation.h"
#include "limbeck/train/identity.h"
#include "limbeck/train/init.h"
#include "limbeck/train/make_task.h"
#include "train/load_checkpoint.h"
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

void write_environment(const RunDir& run, const at::Device& device, int threads,
                       nn::Kernels kernels, const TrainingRecord& record, Logger& logger) {
  const std::string instruction_set = at::get_cpu_capability();
  const nlohmann::json now = {{"limbeck", version_text()},
                              {"libtorch", TORCH_VERSION},
                              {"device", device.str()},
                              {"threads", threads},
                              {"cpu_capability", instruction_set},
                              {"cpu_level", to_string(cpu_level())},
                              {"kernels", nn::to_string(kernels)},
                              {"protocol", record.protocol},
                              {"protocol_hash", record.protocol_hash},
                              {"notes", record.notes}};
  const auto path = run.path() / "environment.json";
  if (on_disk([&] { return std::filesystem::exists(path); })) {
    const auto before = nlohmann::json::parse(read_file(path), nullptr, false);
    for (const char* key :
         {"libtorch", "device", "threads", "cpu_capability", "cpu_level", "kernels"}) {
      if (!before.is_object() || !before.contains(key) || before[key] != now[key]) {
        logger.warn(std::string("this run was begun with another ") + key +
                    "; its results will not be equal to the bit to one made in one go");
      }
    }
  }
  write_file_atomically(path,
                        now.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

/// What the run is known by, and how it goes on. Looks for the checkpoint that it begins with.
Continuation plan_run(const TrainingConfig& config, const SessionOptions& session,
                      Origins& origins) {
  const auto hash_of = [](const auto& model) { return model ? model->hash : ""; };
  Identity planned = training_identity(config, content_of(config.data), hash_of(origins.teacher),
                                       hash_of(origins.init));
  const RunView there(config.run.dir);
  const auto stored = session.restart ? std::nullopt : stored_identity(there);
  origins.fork = plan_fork(there, stored, session.fork, session.which, planned);
  return continue_run(there, stored, planned, config.train.steps, session.extend);
}

/// Throws ConfigError that lists what of the checkpoint does not fit.
void require_fit(const Fork& fork, const TrainingConfig& config, objective::LearningTask& task) {
  try {
    TrainStep step(config.train, task);
    load_checkpoint(fork.checkpoint, task, step);
  } catch (const CheckpointError& e) {
    throw ConfigError(std::string("--fork: ") + e.what() +
                      "\ntrain.init takes weights alone, and with train.init_fit: partial those "
                      "that fit");
  }
  if (config.train.steps > fork.step) return;
  throw ConfigError(
      format("train.steps: %d: the checkpoint that --fork begins with has %d steps "
             "done; ask for more",
             config.train.steps, fork.step));
}

}  // namespace

void run_training(const TrainingConfig& config, const SessionOptions& session, Logger& logger) {
  const at::Device device = nn::select_device(config.run.device);
  const int threads = nn::set_threads(config.run.threads);
  if (!device.is_cpu()) {
    at::globalContext().setBenchmarkCuDNN(false);
    at::globalContext().setDeterministicCuDNN(true);
  }
  Origins origins{find_teacher(config), find_init(config.train), {}};
  if (origins.teacher) warn_of_moving_teacher(config.teacher, *origins.teacher, logger);
  const auto task = make_task(config, origins.teacher, device, &logger);
  const DataSelection data = select_data(config.data);
  const Continuation planned = plan_run(config, session, origins);
  const RunView there(config.run.dir);
  if (origins.init) {
    const bool goes_on = !session.restart && there.pointed("last");
    take_init(task->model(), config.train, *origins.init, goes_on ? nullptr : &logger);
  }
  if (origins.fork) require_fit(*origins.fork, config, *task);
  const bool goes_on_as_fork = !origins.fork && planned.identity.facts().find("fork") != nullptr;
  const TrainingRecord record =
      checked_record(data, origins, goes_on_as_fork ? there.record() : std::nullopt,
                     config.data.allow_leak, logger);
  const auto train = make_train_dataset(config.data, data);
  const ValidationSet valid = make_validation_set(config.data, data, config.train.batch_size);
  logger.info("model: " + nn::cost_text(task->model()));
  if (const int64_t extra = nn::parameter_count(task->helpers()); extra > 0) {
    logger.info(format("beside it, in training only: %d parameters of adapters", extra));
  }
  logger.info(format("data: %d items for training, %d examples for validation", train->size(),
                     valid.size()));
  if (session.check_only) {
    require_files(files_of(config.data, data), logger);
    logger.info("configuration is sound");
    return;
  }
  // Of the training files a few may be lost; one that validation reads would end every sitting.
  std::vector<NamedFile> validation;
  add_files(data.valid, validation);
  require_files(validation, logger);
  for (const Split split : {Split::train, Split::valid}) require_sound(data, split);
  RunDir run(config.run.dir, planned.identity, config::to_node(config), session.restart, &logger,
             planned.before);
  if (origins.fork) begin_with(*origins.fork, run, config.train.steps);
  logger.add_file(run.path() / "train.log");
  run.write_record(record);
  write_environment(run, device, threads, config.run.kernels, record, logger);
  for (const std::string& note : record.notes) logger.warn(note);
  if (origins.fork) {
    logger.info(
        format("begun with %s, of the run %s", origins.fork->checkpoint, origins.fork->parent));
  }
  logger.info(format("run: %s on %s with %d threads, seed %d", config.run.dir, device.str(),
                     threads, config.run.seed));
  const LoaderOptions loader = loader_options(config.data, config.train.batch_size, &logger);
  Trainer trainer(config.train,
                  {*task, *train, valid, loader, run, logger, planned.plan.extensions()},
                  SeedKey(static_cast<uint64_t>(config.run.seed)), device);
  TrainState state;
  try {
    state = trainer.run();
  } catch (const DivergenceError& e) {
    run.write_divergence(trainer.state().step, e.what());
    throw;
  }
  logger.info(format("best: step %d, %s; in %s", state.best_step,
                     config.train.select == "si_sdr" ? format("si_sdr %.2f dB", state.best_value)
                                                     : format("loss %.4g", -state.best_value),
                     (run.path() / "checkpoints")));
}

}  // namespace limbeck
