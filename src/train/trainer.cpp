#include "train/trainer.h"

#include <torch/types.h>

#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/core/interrupt.h"
#include "limbeck/core/progress.h"
#include "limbeck/nn/model_file.h"
#include "limbeck/run/run_view.h"
#include "train/load_checkpoint.h"
#include "train/optimizer.h"

namespace limbeck {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

at::Generator generator(const at::Device& device) {
  return at::globalContext().defaultGenerator(device);
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
      validator_(parts.task, parts.valid, device),
      saver_(parts.run, options.keep, options.save_failures) {}

TrainState Trainer::run() {
  generator(at::kCPU).set_current_seed(key_.with("libtorch").value());
  if (!device_.is_cpu()) generator(device_).set_current_seed(key_.with("libtorch").value());
  const bool validated = resume();
  try {
    if (is_due() && !validated) validate();
    if (state_.step < options_.steps) {
      train();
    } else {
      parts_.logger.info(format("already trained to step %d", state_.step));
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
  const double seconds_before = state_.seconds;
  Loader loader(parts_.train, parts_.loader, key_, state_.step);
  Progress progress(parts_.logger, "step", "steps", options_.steps, state_.step);
  // Reading a loss waits for the device, so on a GPU several steps are read at once.
  const int64_t log_every = device_.is_cpu() ? 1 : options_.log_every;

  while (state_.step < options_.steps) {
    const StepReport report = train_on(next_batch(loader));
    ++state_.step;
    keep(report);

    if (is_due() || state_.step % log_every == 0) progress.update(state_.step, log_pending());
    state_.seconds = seconds_before + seconds_since(start);
    const bool asked = take_save_request();
    if (is_due() || asked || is_save_due()) {
      progress.finish();
      save();
    }
    if (asked && saver_.is_saved()) parts_.logger.info(format("saved at step %d", state_.step));
    if (is_due()) validate();
    // Asked once, after all that takes time; what comes later is noticed after the next step.
    if (interrupt_signal() != 0) stop_interrupted();
  }
  parts_.logger.info(format("trained %d steps in %s; waited %.1f %% of it for data", state_.step,
                            duration_text(seconds_since(start)),
                            100 * loader.wait_seconds() / std::max(seconds_since(start), 1e-9)));
  if (loader.unreadable() > 0) {
    parts_.logger.warn(
        format("%d examples could not be read and were replaced", loader.unreadable()));
  }
}

/// Where a signal comes while it is waited for, that is the end.
Batch Trainer::next_batch(Loader& loader) {
  try {
    return loader.next();
  } catch (const Interrupted&) {
    stop_interrupted();
  }
}

/// The first step of a sitting says what runs where.
StepReport Trainer::train_on(const Batch& batch) {
  if (told_kernels_) return step_(to_device(batch, device_), state_.step);
  told_kernels_ = true;
  const KernelWatch watch(parts_.task);
  StepReport report = step_(to_device(batch, device_), state_.step);
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

void Trainer::stop_interrupted() {
  if (saver_.step() != state_.step) save();
  saver_.finish();
  parts_.logger.info(
      format("interrupted; saved at step %d, the same command goes on from there", state_.step));
  throw Interrupted(interrupt_signal());
}

/// Puts the values of a step by, without waiting for them.
void Trainer::keep(const StepReport& report) {
  Pending& step = pending_.emplace_back(Pending{state_.step, {"loss"}, {}, report.lr});
  std::vector<at::Tensor> values = {report.losses.total};
  for (const auto& part : report.losses.parts) {
    step.names.push_back(part.name);
    values.push_back(part.value);
  }
  for (const auto& norm : report.gradient_norms) {
    step.names.push_back(norm.name);
    values.push_back(norm.value);
  }
  step.values = at::stack(values);
}

/// Reads what the last steps gave, stops at the first value that is not finite, writes
/// metrics.jsonl. Returns the newest values for the progress line.
std::string Trainer::log_pending() {
  std::string details;
  for (const Pending& step : pending_) {
    const auto values = step.values.cpu().to(torch::kDouble);
    const double* v = values.const_data_ptr<double>();
    nlohmann::json line = {{"step", step.step}, {"split", "train"}, {"lr", step.lr}};
    details.clear();
    // Parts before their sum, so that the message names the one at fault.
    for (size_t i = 1; i <= step.names.size(); ++i) {
      const size_t p = i % step.names.size();
      if (!std::isfinite(v[p])) {
        throw DivergenceError(
            format("training diverged at step %d: %s is %f; the last checkpoint is kept. Try a "
                   "smaller train.optimizer.lr",
                   step.step, step.names[p], v[p]));
      }
    }
    for (size_t p = 0; p < step.names.size(); ++p) {
      line[step.names[p]] = v[p];
      if (!step.names[p].starts_with("gradient_norm")) {
        details += format(" %s %.4g", step.names[p], v[p]);
      }
    }
    details += format(" lr %.3g", step.lr);
    if (step.step % options_.log_every == 0) parts_.run.metrics().append(line.dump());
  }
  pending_.clear();
  return details.empty() ? details : details.substr(1);
}

/// Writes down what the network is worth, whose checkpoint is saved.
void Trainer::validate() {
  const auto result = validator_(state_.step - 1);
  if (!result) stop_interrupted();
  const Validation& means = *result;
  for (const auto& [name, mean] : {std::pair("si_sdr", means.si_sdr), {"loss", means.loss}}) {
    if (std::isfinite(mean)) continue;
    throw DivergenceError(format("training diverged at step %d: %s of the validation set is %f",
                                 state_.step, name, mean));
  }
  if (means.broken > 0) {
    parts_.logger.warn(
        format("the estimates of %d of %d validation segments are silent or beyond "
               "1e6 times full scale; each counts as %.1f dB",
               means.broken, means.scored, kWorstSiSdrDb));
  }
  const double value = options_.select == "si_sdr" ? means.si_sdr : -means.loss;
  const bool is_best = value > state_.best_value;
  if (is_best) {
    state_.best_value = value;
    state_.best_step = state_.step;
  }
  nlohmann::json line = {{"step", state_.step},       {"split", "valid"},
                         {"seconds", state_.seconds}, {"loss", means.loss},
                         {"si_sdr", means.si_sdr},    {"si_sdr_noisy", means.si_sdr_noisy}};
  for (const auto& [name, mean] : means.parts) line["loss_" + name] = mean;
  parts_.run.metrics().append(line.dump());
  nlohmann::json found = {
      {"value", value}, {"best_step", state_.best_step}, {"best_value", state_.best_value}};
  saver_.add_validation(state_.step, found.dump() + "\n", is_best);
  parts_.logger.info(format("valid %d/%d  si_sdr %.2f dB (noisy %.2f)  loss %.4g%s", state_.step,
                            options_.steps, means.si_sdr, means.si_sdr_noisy, means.loss,
                            is_best ? "  best" : ""));
}

void Trainer::save() {
  log_pending();
  SafeTensors optimizer;
  optimizer.tensors = step_.optimizer().state();
  optimizer.tensors["generator/cpu"] = generator(at::kCPU).get_state();
  if (!device_.is_cpu()) optimizer.tensors["generator/device"] = generator(device_).get_state();
  SafeTensors helpers;
  helpers.tensors = nn::state_of(parts_.task.helpers());
  nlohmann::json state = {{"step", state_.step},
                          {"planned_steps", options_.steps},
                          {"best_step", state_.best_step},
                          {"seconds", state_.seconds}};
  if (state_.best_step >= 0) state["best_value"] = state_.best_value;

  CheckpointFiles files = {{"model.safetensors", nn::serialize_model(parts_.task.model())},
                           {"optimizer.safetensors", serialize_safetensors(optimizer)},
                           {"state.json", state.dump(2) + "\n"}};
  if (!helpers.tensors.empty()) files["helpers.safetensors"] = serialize_safetensors(helpers);
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
    return false;
  }
  const std::string source = checkpoint->string();
  const auto generators = load_checkpoint(*checkpoint, parts_.task, step_);
  for (const auto& [name, state] : generators) {
    const bool is_cpu = name == "generator/cpu";
    if (is_cpu) generator(at::kCPU).set_state(state);
    if (!is_cpu && !device_.is_cpu()) generator(device_).set_state(state);
  }
  const auto validation = validation_of(*checkpoint);
  try {
    auto state = nlohmann::json::parse(read_file(*checkpoint / "state.json"));
    if (validation) state.update(nlohmann::json::parse(*validation));
    state_.step = state.at("step").get<int64_t>();
    state_.best_step = state.at("best_step").get<int64_t>();
    state_.seconds = state.at("seconds").get<double>();
    if (state_.best_step >= 0) state_.best_value = state.at("best_value").get<double>();
  } catch (const nlohmann::json::exception& e) {
    throw CheckpointError(source + "/state.json: " + e.what());
  }
  parts_.run.metrics().truncate(state_.step, validation.has_value());
  parts_.run.metrics().complete(*checkpoint);
  saver_.resume_at(state_.step, state_.best_step, unusable.empty());
  parts_.logger.info(format("going on from step %d (%s)", state_.step, source));
  tell_extension();
  return validation.has_value();
}

/// What the schedule does where a run was extended that begins again there.
void Trainer::tell_extension() const {
  for (const Extension& extension : plan_.extensions()) {
    if (extension.at != state_.step) continue;
    parts_.logger.info(
        format("extended from %d to %d steps; from step %d on the rate of train.schedule (%s) is "
               "computed over %d steps: %.3g → %.3g",
               extension.from, extension.to, extension.at, options_.schedule.chosen.name(),
               plan_.steps_at(state_.step), step_.lr(state_.step - 1), step_.lr(state_.step)));
  }
}

}  // namespace limbeck
