#include "train/step_log.h"

#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "limbeck/core/format.h"

namespace limbeck {
namespace {

constexpr const char* kNorm = "gradient_norm";

bool is_norm(const std::string& name) { return name.starts_with(kNorm); }

}  // namespace

std::string StepValues::cause() const {
  const auto broken = std::find_if(values.begin(), values.end(),
                                   [](const auto& value) { return !std::isfinite(value.second); });
  return broken == values.end() ? "" : format("%s is %f", broken->first, broken->second);
}

void PendingSteps::keep(int64_t step, const StepReport& report, std::vector<Batch> batches) {
  for (Batch& batch : batches) {
    batch.noisy = {};
    batch.clean = {};
  }
  Pending& pending =
      pending_.emplace_back(Pending{{step, report.lr, {}, false, std::move(batches)}, {}});
  std::vector<at::Tensor> values;
  const auto put = [&](const std::string& name, const at::Tensor& value) {
    pending.step.values.emplace_back(name, 0.0);
    values.push_back(value);
  };
  // Parts before their sum, so that whoever looks for the first that is not finite finds the cause.
  for (const auto& part : report.losses.parts) put(part.name, part.value);
  put("loss", report.losses.total);
  for (const auto& norm : report.gradient_norms) put(norm.name, norm.value);
  values.push_back(report.skipped);
  pending.values = at::stack(values);
}

std::vector<StepValues> PendingSteps::read() {
  std::vector<StepValues> steps;
  if (pending_.empty()) return steps;
  std::vector<at::Tensor> all;
  for (const Pending& pending : pending_) all.push_back(pending.values);
  // Together, so that the device is waited for once.
  const auto numbers = at::cat(all).cpu().to(torch::kDouble);
  const double* number = numbers.const_data_ptr<double>();
  for (Pending& pending : pending_) {
    for (auto& [name, value] : pending.step.values) value = *number++;
    pending.step.skipped = *number++ != 0;
    steps.push_back(std::move(pending.step));
  }
  pending_.clear();
  return steps;
}

void StepSums::add(const StepValues& step) {
  ++steps_;
  last_step_ = step.step;
  lr_ = step.lr;
  for (const auto& [name, value] : step.values) {
    if (!std::isfinite(value)) continue;
    Sum& sum = sums_[name];
    sum.max = sum.steps == 0 ? value : std::max(sum.max, value);
    sum.sum += value;
    ++sum.steps;
  }
}

nlohmann::json StepSums::line() const {
  nlohmann::json line = {{"step", last_step_}, {"split", "train"}, {"steps", steps_}, {"lr", lr_}};
  for (const auto& [name, sum] : sums_) {
    line[name] = sum.sum / static_cast<double>(sum.steps);
    if (is_norm(name)) line["max_" + name] = sum.max;
  }
  return line;
}

nlohmann::json StepSums::state() const {
  nlohmann::json values = nlohmann::json::object();
  for (const auto& [name, sum] : sums_) {
    values[name] = {{"sum", sum.sum}, {"max", sum.max}, {"steps", sum.steps}};
  }
  return {{"steps", steps_}, {"last_step", last_step_}, {"lr", lr_}, {"values", values}};
}

void StepSums::load_state(const nlohmann::json& state) {
  StepSums loaded;
  loaded.steps_ = state.at("steps").get<int64_t>();
  loaded.last_step_ = state.at("last_step").get<int64_t>();
  loaded.lr_ = state.at("lr").get<double>();
  for (const auto& [name, value] : state.at("values").items()) {
    loaded.sums_[name] = {value.at("sum").get<double>(), value.at("max").get<double>(),
                          value.at("steps").get<int64_t>()};
  }
  *this = std::move(loaded);
}

std::string terminal_text(const nlohmann::json& line) {
  std::string parts;
  std::string norms;
  for (const auto& [key, value] : line.items()) {
    if (!value.is_number() || key == "step" || key == "steps" || key == "epoch" || key == "lr" ||
        key == "loss" || key.starts_with("max_")) {
      continue;
    }
    (is_norm(key) ? norms : parts) += format(" %s %.4g", key, value.get<double>());
  }
  std::string text;
  if (line.contains("epoch")) text += format("epoch %.2f  ", line["epoch"].get<double>());
  text += format("loss %.4g", line.value("loss", 0.0));
  if (!parts.empty()) text += " (" + parts.substr(1) + ")";
  text += format("  lr %.3g%s%s", line.value("lr", 0.0), norms.empty() ? "" : " ", norms);
  if (const auto timing = line.find("timing"); timing != line.end()) {
    const auto number = [&](const char* key) { return timing->value(key, 0.0); };
    text +=
        format("  %.3g s audio/s  waiting %.1f %%  %.0f MiB", number("audio_seconds_per_second"),
               100 * number("waiting"), number("memory_mib"));
    if (timing->contains("device_memory_mib")) {
      text += format(", GPU %.0f MiB", number("device_memory_mib"));
    }
  }
  return text;
}

}  // namespace limbeck
