#include "train/train_state.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace limbeck {

bool TrainState::take(const Criterion& criterion, double value, int64_t validated_step) {
  news = value;
  if (best_step >= 0 && !criterion.is_better(value, best_value)) return false;
  best_step = validated_step;
  best_value = value;
  return true;
}

void TrainState::act(const Criterion& criterion, const EarlyStopOptions& early_stop) {
  if (!news) return;
  const bool is_first = without_gain < 0;
  if (is_first || criterion.is_better(*news, gain_value, early_stop.min_change)) {
    gain_value = *news;
    without_gain = 0;
  } else {
    ++without_gain;
  }
  news.reset();
  if (early_stop.patience > 0 && without_gain >= early_stop.patience) stop_step = step;
}

void TrainState::extend() {
  stop_step = -1;
  without_gain = std::min<int64_t>(without_gain, 0);
}

nlohmann::json TrainState::found(const Criterion& criterion) const {
  nlohmann::json found = {{"select", criterion.key},
                          {"best_step", best_step},
                          {"best_value", best_value},
                          {"gain_value", gain_value},
                          {"without_gain", without_gain}};
  if (news) found["news"] = *news;
  if (stop_step >= 0) found["stop_step"] = stop_step;
  return found;
}

void TrainState::take_found(const nlohmann::json& found) {
  found.at("best_step").get_to(best_step);
  found.at("best_value").get_to(best_value);
  found.at("gain_value").get_to(gain_value);
  found.at("without_gain").get_to(without_gain);
  if (found.contains("news")) news = found["news"].get<double>();
  stop_step = found.value("stop_step", int64_t{-1});
}

}  // namespace limbeck
