#include "limbeck/train/trainer.h"

#include <torch/types.h>

#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/core/interrupt.h"
#include "limbeck/core/progress.h"
#include "limbeck/metric/metric.h"
#include "limbeck/nn/model_file.h"

namespace limbeck {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::span<const float> row(const at::Tensor& signals, int64_t index, int64_t samples) {
  return {signals.const_data_ptr<float>() + index * signals.size(1), static_cast<size_t>(samples)};
}

at::Generator generator(const at::Device& device) {
  return at::globalContext().defaultGenerator(device);
}

}  // namespace

objective::TaskBatch to_device(const Batch& batch, const at::Device& device) {
  const auto move = [&](const std::vector<float>& values) {
    // from_blob does not own the memory, so the copy happens here.
    auto host = at::from_blob(const_cast<float*>(values.data()), {batch.size, batch.samples},
                              torch::kFloat);
    return device.is_cpu() ? host.clone() : host.to(device);
  };
  return {move(batch.noisy), move(batch.clean), batch.valid_samples};
}

Trainer::Trainer(const TrainOptions& options, const Parts& parts, SeedKey key, at::Device device)
    : options_(options),
      parts_(parts),
      key_(key),
      device_(device),
      optimizer_(options.optimizer,
                 {{"model", &parts.task.model()}, {"helpers", &parts.task.helpers()}}),
      checkpoints_(parts.run.path()) {}

TrainState Trainer::run() {
  generator(at::kCPU).set_current_seed(key_.with("libtorch").value());
  if (!device_.is_cpu()) generator(device_).set_current_seed(key_.with("libtorch").value());
  resume();
  if (state_.step >= options_.steps) {
    parts_.logger.info(format("already trained to step %d", state_.step));
    return state_;
  }
  const auto start = Clock::now();
  const double seconds_before = state_.seconds;
  Loader loader(parts_.train, parts_.loader, key_, state_.step);
  Progress progress(parts_.logger, "step", "steps", options_.steps, state_.step);
  std::vector<Pending> pending;
  // Reading a loss waits for the device, so on a GPU several steps are read at once.
  const int64_t flush_every = device_.is_cpu() ? 1 : options_.log_every;

  while (state_.step < options_.steps) {
    std::vector<std::string> names;
    const at::Tensor values = train_step(loader.next(), names);
    ++state_.step;
    pending.push_back({state_.step, std::move(names), values});

    const bool is_last = state_.step == options_.steps;
    const bool validates = is_last || state_.step % options_.validate_every == 0;
    const int signal = interrupt_signal();
    if (validates || signal || state_.step % flush_every == 0) {
      progress.update(state_.step, flush(pending));
    }
    state_.seconds = seconds_before + seconds_since(start);
    if (validates) {
      progress.finish();
      validate();
    } else if (signal) {
      save(false);
    }
    if (interrupt_signal()) {
      parts_.logger.info(format(
          "interrupted; saved at step %d, the same command goes on from there", state_.step));
      throw_if_interrupted();
    }
  }
  parts_.logger.info(format("trained %d steps in %s; waited %.1f %% of it for data", state_.step,
                            duration_text(seconds_since(start)),
                            100 * loader.wait_seconds() / std::max(seconds_since(start), 1e-9)));
  if (loader.unreadable() > 0) {
    parts_.logger.warn(
        format("%d examples could not be read and were replaced", loader.unreadable()));
  }
  return state_;
}

/// One optimizer step. Returns the loss parts and the gradient norm, [parts + 1] on the device.
at::Tensor Trainer::train_step(const Batch& host_batch, std::vector<std::string>& names) {
  parts_.task.model().train();
  parts_.task.helpers().train();
  auto batch = to_device(host_batch, device_);
  batch.step = state_.step;
  optimizer_.zero_grad();
  const auto report = parts_.task.forward(batch);
  report.total.backward();
  const auto norm =
      optimizer_.step(schedule_factor(options_.schedule, state_.step, options_.steps));

  std::vector<at::Tensor> values = {report.total.detach()};
  names.push_back("loss");
  for (const auto& part : report.parts) {
    names.push_back(part.name);
    values.push_back(part.value);
  }
  names.push_back("gradient_norm");
  values.push_back(norm);
  return at::stack(values);
}

/// Reads what the last steps gave, stops at the first value that is not finite, writes
/// metrics.jsonl. Returns the newest values for the progress line.
std::string Trainer::flush(std::vector<Pending>& pending) {
  std::string details;
  for (const Pending& step : pending) {
    const auto values = step.values.cpu().to(torch::kDouble);
    const double* v = values.const_data_ptr<double>();
    nlohmann::json line = {{"step", step.step}, {"split", "train"}};
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
      if (step.names[p] != "gradient_norm") details += format(" %s %.4g", step.names[p], v[p]);
    }
    line["lr"] =
        options_.optimizer.lr * schedule_factor(options_.schedule, step.step - 1, options_.steps);
    if (step.step % options_.log_every == 0) parts_.run.append_metrics(line.dump());
  }
  pending.clear();
  return details.empty() ? details : details.substr(1);
}

void Trainer::validate() {
  at::NoGradGuard no_grad;
  parts_.task.model().eval();
  parts_.task.helpers().eval();
  std::map<std::string, double> sums;
  double noisy_sum = 0;
  int64_t scored = 0;
  for (int64_t number = 0; number < parts_.valid.batches(); ++number) {
    const Batch host = parts_.valid.batch(number);
    auto batch = to_device(host, device_);
    batch.step = std::max<int64_t>(state_.step - 1, 0);
    const auto report = parts_.task.forward(batch);
    // Of the terms, weights and presence change while training goes on; this is the same
    // throughout.
    sums["loss"] += report.denoising.item<double>() * static_cast<double>(host.size);
    for (const auto& part : report.parts) {
      sums["loss_" + part.name] += part.value.item<double>() * static_cast<double>(host.size);
    }
    const auto estimate = report.estimate.to(torch::kFloat).cpu().contiguous();
    for (int64_t i = 0; i < host.size; ++i) {
      const auto samples = host.valid_samples[static_cast<size_t>(i)];
      const auto offset = static_cast<size_t>(i * host.samples);
      const std::span clean(host.clean.data() + offset, static_cast<size_t>(samples));
      const std::span noisy(host.noisy.data() + offset, static_cast<size_t>(samples));
      try {
        const double noisy_score = si_sdr(clean, noisy);
        sums["si_sdr"] += si_sdr(clean, row(estimate, i, samples));
        noisy_sum += noisy_score;
        ++scored;
      } catch (const DataError&) {
        continue;  // a silent segment has no SI-SDR
      }
    }
  }
  if (scored == 0) throw DataError("validation: every segment is silent");
  nlohmann::json line = {{"step", state_.step}, {"split", "valid"}, {"seconds", state_.seconds}};
  for (auto& [name, sum] : sums) {
    sum /= static_cast<double>(name == "si_sdr" ? scored : parts_.valid.size());
    line[name] = sum;
  }
  const double noisy = noisy_sum / static_cast<double>(scored);
  line["si_sdr_noisy"] = noisy;
  const double value = options_.select == "si_sdr" ? sums["si_sdr"] : -sums["loss"];
  if (!std::isfinite(value)) {
    throw DivergenceError(format("training diverged at step %d: %s of the validation set is %f",
                                 state_.step, options_.select, value));
  }
  const bool is_best = value > state_.best_value;
  if (is_best) {
    state_.best_value = value;
    state_.best_step = state_.step;
  }
  parts_.run.append_metrics(line.dump());
  save(is_best);
  parts_.logger.info(format("valid %d/%d  si_sdr %.2f dB (noisy %.2f)  loss %.4g%s", state_.step,
                            options_.steps, sums["si_sdr"], noisy, sums["loss"],
                            is_best ? "  best" : ""));
}

void Trainer::save(bool is_best) {
  SafeTensors optimizer;
  optimizer.tensors = optimizer_.state();
  optimizer.tensors["generator/cpu"] = generator(at::kCPU).get_state();
  if (!device_.is_cpu()) optimizer.tensors["generator/device"] = generator(device_).get_state();
  SafeTensors helpers;
  helpers.tensors = nn::state_of(parts_.task.helpers());
  nlohmann::json state = {
      {"step", state_.step}, {"best_step", state_.best_step}, {"seconds", state_.seconds}};
  if (state_.best_step >= 0) state["best_value"] = state_.best_value;

  std::map<std::string, std::string> files = {
      {"model.safetensors", nn::serialize_model(parts_.task.model())},
      {"optimizer.safetensors", serialize_safetensors(optimizer)},
      {"state.json", state.dump(2) + "\n"}};
  if (!helpers.tensors.empty()) files["helpers.safetensors"] = serialize_safetensors(helpers);
  checkpoints_.save(state_.step, files, is_best);
}

void Trainer::resume() {
  const auto checkpoint = checkpoints_.find("last");
  if (!checkpoint) {
    parts_.run.truncate_metrics(-1);
    return;
  }
  const std::string source = checkpoint->string();
  nn::load_state(parts_.task.model(), read_safetensors(*checkpoint / "model.safetensors").tensors,
                 source);
  const auto helpers = *checkpoint / "helpers.safetensors";
  if (std::filesystem::exists(helpers)) {
    nn::load_state(parts_.task.helpers(), read_safetensors(helpers).tensors, source);
  }
  auto optimizer = read_safetensors(*checkpoint / "optimizer.safetensors").tensors;
  if (auto node = optimizer.extract("generator/cpu")) generator(at::kCPU).set_state(node.mapped());
  if (auto node = optimizer.extract("generator/device")) {
    if (!device_.is_cpu()) generator(device_).set_state(node.mapped());
  }
  optimizer_.load_state(optimizer, source);
  try {
    const auto state = nlohmann::json::parse(read_file(*checkpoint / "state.json"));
    state_.step = state.at("step").get<int64_t>();
    state_.best_step = state.at("best_step").get<int64_t>();
    state_.seconds = state.at("seconds").get<double>();
    if (state_.best_step >= 0) state_.best_value = state.at("best_value").get<double>();
  } catch (const nlohmann::json::exception& e) {
    throw CheckpointError(source + "/state.json: " + e.what());
  }
  parts_.run.truncate_metrics(state_.step);
  parts_.logger.info(format("going on from step %d (%s)", state_.step, source));
}

}  // namespace limbeck
