#include "train/skipped_steps.h"

#include <algorithm>
#include <bit>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/core/json.h"
#include "limbeck/core/utf8.h"

namespace limbeck {
namespace {

nlohmann::json example_json(const Recipe& recipe, const Draw& draw) {
  nlohmann::json example = {{"epoch", draw.epoch},
                            {"index", draw.index},
                            {"key", format("%016x", draw.key)},
                            {"id", escape_bytes(recipe.id)},
                            {"speech", pieces_text(recipe.speech)}};
  if (!recipe.noise.empty()) {
    example.update({{"noise", pieces_text(recipe.noise)},
                    {"snr_db", recipe.snr_db},
                    {"level_dbfs", recipe.level_dbfs},
                    {"speech_gain", recipe.speech_gain},
                    {"noise_gain", recipe.noise_gain}});
  }
  if (!recipe.response.empty()) {
    example.update({{"response", recipe.response}, {"early_ms", recipe.early_ms}});
  }
  if (!recipe.noise_of.empty()) example["noise_of"] = recipe.noise_of;
  if (recipe.removed.high_hz > 0) {
    example["removed_hz"] = {recipe.removed.low_hz, recipe.removed.high_hz};
  }
  return example;
}

}  // namespace

void SkippedSteps::add(int64_t step, bool skipped) {
  step_ = step;
  while (!recent_.empty() && recent_.front() <= step - kSkipWindow) recent_.pop_front();
  if (!skipped) return;
  ++total_;
  recent_.push_back(step);
}

void SkippedSteps::note(const StepValues& step, RunDir& run, Logger& logger) {
  add(step.step, step.skipped);
  if (!step.skipped) return;
  const std::string cause = step.cause();
  const auto file = run.write_skipped(step.step, skipped_text(step.step, cause, step.batches));
  if (const std::string why = too_many(); !why.empty()) {
    throw DivergenceError(
        format("training diverged: %s; in step %d %s (its batch is in %s); the last checkpoint is "
               "kept. Try a smaller train.optimizer.lr",
               why, step.step, cause, file));
  }
  if (std::has_single_bit(static_cast<uint64_t>(total_))) {
    logger.warn(format("step %d changed nothing: %s; %d so far; its batch is in %s", step.step,
                       cause, total_, file));
  }
}

int64_t SkippedSteps::in_a_row() const {
  int64_t count = 0;
  for (auto step = recent_.rbegin(); step != recent_.rend() && *step == step_ - count; ++step) {
    ++count;
  }
  return count;
}

std::string SkippedSteps::too_many() const {
  // A short training may have no more steps than may be skipped.
  if (const int64_t row = in_a_row(); row > 0 && row >= std::min(limits_.in_a_row, steps_)) {
    return format("%d steps in a row had no finite loss and gradient (train.max_skipped.in_a_row)",
                  row);
  }
  const int64_t seen = std::min(step_, kSkipWindow);
  const auto count = static_cast<double>(recent_.size());
  if (seen >= kSkipLeast && count > limits_.share * static_cast<double>(seen)) {
    return format(
        "%d of the last %d steps had no finite loss and gradient (train.max_skipped.share)",
        recent_.size(), seen);
  }
  return "";
}

nlohmann::json examples_json(const std::vector<Batch>& batches) {
  nlohmann::json all = nlohmann::json::array();
  for (const Batch& batch : batches) {
    auto& examples = all.emplace_back(nlohmann::json::array());
    for (size_t i = 0; i < batch.recipes.size(); ++i) {
      examples.push_back(example_json(batch.recipes[i], batch.draws[i]));
    }
  }
  return all;
}

std::string skipped_text(int64_t step, const std::string& cause,
                         const std::vector<Batch>& batches) {
  const nlohmann::json text = {
      {"step", step}, {"cause", cause}, {"batches", examples_json(batches)}};
  return json_text(text, 2) + "\n";
}

nlohmann::json SkippedSteps::state() const { return {{"total", total_}, {"recent", recent_}}; }

void SkippedSteps::load_state(const nlohmann::json& state, int64_t step) {
  step_ = step;
  total_ = state.at("total").get<int64_t>();
  recent_ = state.at("recent").get<std::deque<int64_t>>();
}

}  // namespace limbeck
