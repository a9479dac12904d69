#include "train/trainer.h"

#include <torch/types.h>

#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/core/interrupt.h"
#include "limbeck/core/json.h"
#include "limbeck/core/progress.h"
#include "limbeck/nn/model_file.h"
#include "limbeck/run/run_view.h"
#include "train/checkpoint_files.h"
#include "train/schedule.h"
#include "train/weight_average.h"

namespace limbeck {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::vector<std::string> names_of(const std::vector<NamedValidationSet>& sets) {
  std::vector<std::string> names;
  for (const NamedValidationSet& set : sets) names.push_back(set.name);
  return names;
}

/// Collects what runs where while it lives.
class KernelWatch {
 public:
  explicit KernelWatch(objective::LearningTask& task) : task_(task) { task_.watch_kernels(&use_); }
  ~KernelWatch() { task_.watch_kernels(nullptr); }
  KernelWatch(const KernelWatch&) = delete;
  KernelWatch& operator=(const KernelWatch&) = delete;
  const nn::KernelUse& use() const { return use_; }

 private:
  objective::LearningTask& task_;
  nn::KernelUse use_;
};

}  // namespace

Trainer::Trainer(const TrainOptions& options, const Parts& parts, SeedKey key, at::Device device)
    : options_(options),
      plan_(options.steps, parts.extensions),
      parts_(parts),
      key_(key),
      device_(device),
      step_(options, parts.task, parts.extensions),
      criterion_(find_criterion(options.select, names_of(parts.valid),
                                build_metrics(options.validation.metrics))),
      validator_(parts.task, parts.valid, options.validation, device),
      saver_(parts.run, options.keep, options.save_failures),
      events_(options, parts.run.path(), parts.config, parts.task, parts.valid.front().set, device,
              parts.logger),
      skipped_(options.max_skipped, options.steps),
      pace_(parts.train.rate_hz(), device) {}

TrainState Trainer::run() {
  generator(at::kCPU).set_current_seed(key_.with("libtorch").value());
  if (!device_.is_cpu()) generator(device_).set_current_seed(key_.with("libtorch").value());
  const bool validated = resume();
  try {
    if (is_due() && !validated) validate();
    if (state_.step < last_step()) {
      train();
    } else {
      take_scores(false);
      parts_.logger.info(format("already trained to step %d%s", state_.step,
                                state_.step < options_.steps ? ", where it stopped early" : ""));
    }
    saver_.finish();
  } catch (...) {
    saver_.rescue(parts_.logger);
    throw;
  }
  return state_;
}

void Trainer::train() {
  const auto start = Clock::now();
  const int64_t steps_before = state_.step;
  const double seconds_before = state_.seconds;
  Loader loader(parts_.train, parts_.loader, key_, state_.step * options_.accumulate);
  Progress progress(parts_.logger, "step", "steps", options_.steps, state_.step);
  pace_.begin();
  // Reading a loss waits for the device, so on a GPU several steps are read at once.
  const int64_t log_every = device_.is_cpu() ? 1 : options_.log_every;

  while (state_.step < last_step()) {
    std::vector<Batch> batches = next_batches(loader);
    const StepReport report = train_on(batches);
    ++state_.step;
    pace_.end_step(loader.wait_seconds());
    pending_.keep(state_.step, report, std::move(batches));

    state_.seconds = seconds_before + seconds_since(start);
    const bool asked = take_save_request();
    const bool is_save = is_due() || asked || is_save_due();
    if (is_save || state_.step % log_every == 0) {
      log_pending();
      progress.update(state_.step, details_);
    }
    if (is_save) {
      progress.finish();
      save();
    }
    if (asked && saver_.is_saved()) parts_.logger.info(format("saved at step %d", state_.step));
    if (is_due()) validate();
    if (is_save) pace_.begin();
    // Asked once, after all that takes time; what comes later is noticed after the next step.
    if (interrupt_signal() != 0) stop_interrupted();
  }
  take_scores(false);
  if (state_.step < options_.steps) {
    parts_.logger.info(format("stopped early at step %d: %d validations without a gain in %s",
                              state_.step, state_.without_gain, criterion_.key));
  }
  state_.seconds = seconds_before + seconds_since(start);
  tell_end(loader, state_.step - steps_before, seconds_since(start));
}

/// What there is to say of this sitting, of so many steps, and of the run at its end.
void Trainer::tell_end(const Loader& loader, int64_t steps, double seconds) const {
  const std::string all =
      format(" (in all %d steps in %s)", state_.step, duration_text(state_.seconds));
  parts_.logger.info(format("trained %d steps in %s%s; waited %.1f %% of it for data", steps,
                            duration_text(seconds), steps < state_.step ? all : "",
                            100 * loader.wait_seconds() / std::max(seconds, 1e-9)));
  if (loader.unreadable() > 0) {
    parts_.logger.warn(
        format("%d examples could not be read and were replaced", loader.unreadable()));
  }
  if (skipped_.total() > 0) {
    parts_.logger.warn(format(
        "%d of %d steps changed nothing, because their loss or gradient was not finite; their "
        "batches are in %s",
        skipped_.total(), state_.step, parts_.run.path() / "diverged"));
  }
}

/// Where a signal comes while it is waited for, that is the end.
std::vector<Batch> Trainer::next_batches(Loader& loader) {
  try {
    return loader.next(options_.accumulate);
  } catch (const Interrupted&) {
    stop_interrupted();
  }
}

/// The first step of a sitting says what runs where.
StepReport Trainer::train_on(const std::vector<Batch>& batches) {
  for (const Batch& batch : batches) pace_.add_audio(batch);
  if (told_kernels_) return step_(to_device(batches, device_), state_.step);
  told_kernels_ = true;
  const KernelWatch watch(parts_.task);
  StepReport report = step_(to_device(batches, device_), state_.step);
  parts_.logger.debug("what ran where in this step, forward:\n" + watch.use().text());
  if (const auto lost = watch.use().lost(); !lost.empty()) {
    parts_.logger.warn(format(
        "%s: %s, which model.memory_format asks for; training is slower than it need be, and "
        "--verbose tells more",
        join(lost, ", "), nn::kFormatLost));
  }
  return report;
}

/// After the step that was just trained, the network is validated.
bool Trainer::is_due() const {
  return state_.step > 0 &&
         (plan_.ends_at(state_.step) || state_.step % options_.validate_every == 0);
}

/// A checkpoint is asked for here, whether there is a validation or not.
bool Trainer::is_save_due() const {
  const double minutes = seconds_since(last_save_) / 60;
  return (options_.save_every > 0 && state_.step % options_.save_every == 0) ||
         (options_.save_every_minutes > 0 && minutes >= options_.save_every_minutes);
}

/// At which training ends, as far as is known.
int64_t Trainer::last_step() const {
  return state_.stop_step >= 0 ? std::min(state_.stop_step, options_.steps) : options_.steps;
}

void Trainer::stop_interrupted() {
  if (saver_.step() != state_.step) save();
  saver_.finish();
  parts_.logger.info(
      format("interrupted; saved at step %d, the same command goes on from there", state_.step));
  throw ToldInterrupt(interrupt_signal());
}

/// Reads what the last steps gave, ends the training where too many were skipped, and writes the
/// line of metrics.jsonl that is due.
void Trainer::log_pending() {
  for (const StepValues& step : pending_.read()) {
    skipped_.note(step, parts_.run, parts_.logger);
    sums_.add(step);
    const bool is_line = step.step % options_.log_every == 0;
    // Until there is a line the terminal shows what is going to be in it.
    if (!is_line && told_line_) continue;
    nlohmann::json line = sums_.line();
    line["epoch"] = epoch(step.step);
    if (skipped_.total() > 0) line["skipped"] = skipped_.total();
    if (is_line) {
      line["timing"] = pace_.lap();
      line["timing"]["seconds"] = state_.seconds;
      tell(line);
      sums_ = StepSums();
      told_line_ = true;
    }
    details_ = terminal_text(line);
  }
}

void Trainer::tell(const nlohmann::json& line) {
  parts_.run.metrics().append(json_text(line));
  events_.add_line(line);
}

/// How often the data were gone through after `step` steps.
double Trainer::epoch(int64_t step) const {
  const int64_t items = step * options_.accumulate * parts_.loader.batch_size;
  return static_cast<double>(items) / static_cast<double>(parts_.train.size());
}

/// Finds out what the network is worth, whose checkpoint is saved.
void Trainer::validate() {
  act();  // on what was found in the background
  const AveragedWeights averaged(step_.average());
  if (!validator_.start(state_.step)) stop_interrupted();
  events_.add_estimates(state_.step);
  if (!options_.validation.background) take_scores(false);
}

/// Writes down what the last validation has found, unless that is done. A signal ends the wait for
/// its scores, unless they are wanted `in_any_case`.
void Trainer::take_scores(bool in_any_case) {
  if (!validator_.is_pending()) return;
  const auto found = validator_.finish(in_any_case);
  if (!found) stop_interrupted();
  for (const auto& [key, value] : found->values) {
    if (std::isfinite(value)) continue;
    throw DivergenceError(format("training diverged at step %d: %s of the validation set is %f",
                                 found->step, key, value));
  }
  for (const std::string& warning : found->warnings) parts_.logger.warn(warning);
  const double value = found->values.at(criterion_.key);
  const bool is_best = state_.take(criterion_, value, found->step);
  if (!options_.validation.background) act();
  nlohmann::json line = found->values;
  line.update({{"step", found->step},
               {"epoch", epoch(found->step)},
               {"split", "valid"},
               {"timing", {{"seconds", state_.seconds}}}});
  tell(line);
  nlohmann::json result = this->found();
  result["value"] = criterion_.gain(value);
  saver_.add_validation(found->step, json_text(result) + "\n", is_best);
  parts_.logger.info(
      format("valid %d/%d%s%s", found->step, options_.steps, found->text, is_best ? "  best" : ""));
}

/// Lets the news of a validation, if there are any, change how training goes on.
void Trainer::act() {
  if (state_.news) step_.schedule().observe(criterion_.gain(*state_.news));
  state_.act(criterion_, options_.early_stop);
}

/// What validations have found, and come to, so far.
nlohmann::json Trainer::found() {
  nlohmann::json found = state_.found(criterion_);
  found["schedule"] = step_.schedule().state();
  return found;
}

void Trainer::save() {
  log_pending();
  take_scores(true);
  const nlohmann::json state = {{"step", state_.step},         {"planned_steps", options_.steps},
                                {"seconds", state_.seconds},   {"since_last_line", sums_.state()},
                                {"skipped", skipped_.state()}, {"found", found()}};
  CheckpointFiles files = checkpoint_files(parts_.task, step_, device_);
  files["state.json"] = json_text(state, 2) + "\n";
  last_save_ = Clock::now();
  saver_.save(state_.step, std::move(files));
}

/// Where to go on from, if there is any checkpoint. Throws CheckpointError where none of them is
/// sound: to start over would put other files in their place.
RunView::Found Trainer::find_checkpoint() {
  auto found = RunView(parts_.run.path()).look_for("last");
  if (!found.folder && !found.unusable.empty()) {
    throw CheckpointError(parts_.run.path().string() +
                          ": none of its checkpoints can be used; put one of them right, or "
                          "--restart to start over:\n  " +
                          join(found.unusable, "\n  "));
  }
  for (const std::string& warning : fallback_warnings(found.unusable)) {
    parts_.logger.warn(warning);
  }
  return found;
}

/// Takes up what the last checkpoint holds; returns whether that was validated.
bool Trainer::resume() {
  const auto [checkpoint, unusable] = find_checkpoint();
  if (!checkpoint) {
    parts_.run.metrics().truncate(-1);
    events_.truncate(-1, true);
    return false;
  }
  const std::string source = checkpoint->string();
  load_checkpoint(*checkpoint, parts_.task, step_, device_);
  auto validation = validation_of(*checkpoint);
  try {
    auto state = parse_json<nlohmann::json>(read_file(*checkpoint / "state.json"));
    state_.step = state.at("step").get<int64_t>();
    state_.seconds = state.at("seconds").get<double>();
    // A checkpoint of another run, which this one is begun with, has neither.
    if (state.contains("since_last_line")) sums_.load_state(state["since_last_line"]);
    if (validation) {
      const auto found = parse_json<nlohmann::json>(*validation);
      if (is_repeated(found)) {
        validation.reset();
      } else {
        state["found"] = found;
      }
    }
    if (state.contains("found")) take_found(state["found"]);
    skipped_.load_state(state.at("skipped"), state_.step);
  } catch (const nlohmann::json::exception& e) {
    throw CheckpointError(source + "/state.json: " + e.what());
  }
  parts_.run.metrics().truncate(state_.step, validation.has_value());
  events_.truncate(state_.step, validation.has_value());
  parts_.run.metrics().complete(*checkpoint);
  saver_.resume_at(state_.step, state_.best_step, unusable.empty());
  parts_.logger.info(format("going on from step %d (%s)", state_.step, source));
  begin_extension();
  return validation.has_value();
}

/// Where training went on while a validation was scored, its line stands behind those of steps that
/// are now trained again: it is made again with them, lest their order be another one.
bool Trainer::is_repeated(const nlohmann::json& validation) const {
  return options_.validation.background && !plan_.ends_at(state_.step) &&
         !validation.contains("stop_step");
}

void Trainer::take_found(const nlohmann::json& found) {
  state_.take_found(found);
  step_.schedule().load_state(found.at("schedule").get<std::map<std::string, double>>());
}

/// Says what the schedule does where a run was extended that begins again there.
void Trainer::begin_extension() {
  for (const Extension& extension : plan_.extensions()) {
    if (extension.at != state_.step) continue;
    state_.extend();
    parts_.logger.info(
        format("extended from %d to %d steps; from step %d on the rate of train.schedule (%s) is "
               "computed over %d steps: %.3g → %.3g",
               extension.from, extension.to, extension.at, options_.schedule.chosen.name(),
               plan_.steps_at(state_.step), step_.lr(state_.step - 1), step_.lr(state_.step)));
  }
}

}  // namespace limbeck
