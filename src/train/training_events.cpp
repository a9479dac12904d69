#include "train/training_events.h"

#include <torch/types.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "limbeck/audio/encode.h"
#include "limbeck/audio/spectrogram.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/core/png.h"
#include "limbeck/train/step.h"

namespace limbeck {
namespace {

constexpr int64_t kMostEstimates = 10;  // of an example: TensorBoard shows no more

/// The numbers of a line, under names like "train/loss".
void add_numbers(EventSummary& summary, const std::string& prefix, const nlohmann::json& line) {
  for (const auto& [key, value] : line.items()) {
    const std::string tag = prefix + "/" + key;
    if (value.is_object() && key != "timing") add_numbers(summary, tag, value);
    // The axis, and how many steps a mean is of.
    if (!value.is_number() || key == "step" || key == "steps") continue;
    summary.scalar(tag, value.get<double>());
  }
}

}  // namespace

TrainingEvents::TrainingEvents(const TrainOptions& options, const std::filesystem::path& run,
                               const config::Node& config, objective::LearningTask& task,
                               const ValidationSet& valid, const at::Device& device, Logger& logger)
    : options_(options),
      config_(config),
      task_(task),
      valid_(valid),
      device_(device),
      logger_(logger),
      file_(run, logger) {}

void TrainingEvents::truncate(int64_t step, bool validated) { file_.truncate(step, validated); }

void TrainingEvents::add_line(const nlohmann::json& line) {
  const std::string split = line.value("split", "");
  EventSummary summary;
  add_numbers(summary, line.contains("set") ? split + "/" + line.value("set", "") : split, line);
  if (split == "train" && line.contains("timing")) add_numbers(summary, "timing", line["timing"]);
  add(line.value("step", int64_t{0}), summary);
}

void TrainingEvents::add_estimates(int64_t step) {
  const auto number_of = [&](int64_t at) { return (at - 1) / options_.validate_every + 1; };
  const int64_t every = (number_of(options_.steps) - 1) / kMostEstimates + 1;
  if (!options_.tensorboard.enabled) return;
  if (step != options_.steps && number_of(step) % every != 0) return;
  read_examples();
  at::NoGradGuard no_grad;
  task_.model().eval();
  EventSummary summary;
  for (size_t i = 0; i < examples_.size(); ++i) {
    const auto noisy = to_device(examples_[i], device_).noisy;
    const auto estimate =
        task_.model().forward(noisy, {}).estimate.to(torch::kFloat).cpu().contiguous();  // [1, L]
    const float* samples = estimate.const_data_ptr<float>();
    add_side(summary, i, "estimate", {samples, samples + estimate.numel()});
  }
  if (!summary.empty()) add(step, summary);
}

/// Spread over the lengths of the set's examples.
void TrainingEvents::read_examples() {
  if (has_read_) return;
  has_read_ = true;
  const int64_t count = std::min(options_.tensorboard.examples, valid_.size());
  try {
    for (int64_t i = 0; i < count; ++i) {
      examples_.push_back(valid_.example((2 * i + 1) * valid_.size() / (2 * count)));
    }
  } catch (const DataError& e) {
    logger_.warn(std::string("TensorBoard is shown no more examples: ") + e.what());
  }
}

/// What comes first in the file is what does not change: options, and the examples as they are.
void TrainingEvents::add(int64_t step, const EventSummary& summary) {
  if (!options_.tensorboard.enabled) return;
  if (file_.empty()) {
    read_examples();
    EventSummary first;
    first.hyperparameters(config_, {"valid/" + options_.select, "valid/loss"});
    for (size_t i = 0; i < examples_.size(); ++i) {
      add_side(first, i, "noisy", examples_[i].noisy);
      add_side(first, i, "clean", examples_[i].clean);
    }
    file_.add(0, first);
  }
  file_.add(step, summary);
}

void TrainingEvents::add_side(EventSummary& summary, size_t example, const char* side,
                              std::vector<float> samples) const {
  // A network that breaks is told of by validation.
  if (!std::all_of(samples.begin(), samples.end(), [](float x) { return std::isfinite(x); }))
    return;
  const auto rate_hz = static_cast<int>(task_.model().rate_hz());
  const auto tag = [&](const char* kind) { return format("%s_%d/%s", kind, example + 1, side); };
  const Picture picture = spectrogram(samples, rate_hz);
  summary.image(tag("spectrogram"), png_bytes(picture), picture.width, picture.height);
  summary.audio(tag("audio"), wav_bytes({std::move(samples), rate_hz}));
}

}  // namespace limbeck
