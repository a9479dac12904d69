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
#include "limbeck/run/run_view.h"
#include "limbeck/train/identity.h"
#include "limbeck/train/make_task.h"
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

}  // namespace

void run_training(const TrainingConfig& config, const SessionOptions& session, Logger& logger) {
  const at::Device device = nn::select_device(config.run.device);
  const int threads = nn::set_threads(config.run.threads);
  if (!device.is_cpu()) {
    at::globalContext().setBenchmarkCuDNN(false);
    at::globalContext().setDeterministicCuDNN(true);
  }
  const auto teacher = find_teacher(config);
  if (teacher) warn_of_moving_teacher(config.teacher, *teacher, logger);
  const auto task = make_task(config, teacher, device, &logger);
  const DataSelection data = select_data(config.data);
  const TrainingRecord record = checked_record(data, teacher, config.data.allow_leak, logger);
  const auto train = make_train_dataset(config.data, data);
  const ValidationSet valid = make_validation_set(config.data, data, config.train.batch_size);
  const TrainOptions options =
      in_steps(config.train, train->size(), config.distill.steps_before_last_phase());
  logger.info("model: " + nn::cost_text(task->model()));
  if (const int64_t extra = nn::parameter_count(task->helpers()); extra > 0) {
    logger.info(format("beside it, in training only: %d parameters of adapters", extra));
  }
  logger.info(format("data: %d items for training, %d examples for validation", train->size(),
                     valid.size()));
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
  std::vector<NamedFile> validation;
  add_files(data.valid, validation);
  require_files(validation, logger);
  for (const Split split : {Split::train, Split::valid}) require_sound(data, split);
  RunDir run(config.run.dir,
             training_identity(config, content_of(config.data), teacher ? teacher->hash : ""),
             config::to_node(config), session.restart, &logger);
  logger.add_file(run.path() / "train.log");
  run.write_record(record);
  write_environment(run, device, threads, config.run.kernels, record, logger);
  for (const std::string& note : record.notes) logger.warn(note);
  logger.info(format("run: %s on %s with %d threads, seed %d", config.run.dir, device.str(),
                     threads, config.run.seed));
  const LoaderOptions loader = loader_options(config.data, config.train.batch_size, &logger);
  Trainer trainer(options, {*task, *train, valid, loader, run, logger},
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
