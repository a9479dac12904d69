#pragma once

#include <ATen/core/Tensor.h>

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "limbeck/data/validation.h"
#include "limbeck/objective/task.h"
#include "limbeck/run/event_file.h"
#include "limbeck/train/config.h"

namespace limbeck {

/// What a training shows in TensorBoard: the values of metrics.jsonl, its options, and a few
/// examples of the validation set, as spectrograms and audio. It changes nothing of what is trained
/// and draws nothing at random.
class TrainingEvents {
 public:
  /// All references must outlive it. `config` is shown as the run's options.
  TrainingEvents(const TrainOptions& options, const std::filesystem::path& run,
                 const config::Node& config, objective::LearningTask& task,
                 const ValidationSet& valid, const at::Device& device, Logger& logger);

  /// As that of EventFile.
  void truncate(int64_t step, bool validated);
  void add_line(const nlohmann::json& line);
  /// What the network makes of the examples after `step` steps, at up to ten of a training's
  /// validations.
  void add_estimates(int64_t step);

 private:
  void read_examples();
  void add(int64_t step, const EventSummary& summary);
  void add_side(EventSummary& summary, size_t example, const char* side,
                std::vector<float> samples) const;

  TrainOptions options_;
  config::Node config_;
  objective::LearningTask& task_;
  const ValidationSet& valid_;
  at::Device device_;
  Logger& logger_;
  EventFile file_;
  bool has_read_ = false;
  std::vector<Batch> examples_;  ///< of one item each
};

}  // namespace limbeck
