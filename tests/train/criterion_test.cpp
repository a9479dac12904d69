#include "train/criterion.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "limbeck/config/reader.h"
#include "limbeck/core/error.h"
#include "train/train_state.h"

namespace limbeck::test {
namespace {

Criterion find(const std::string& select) {
  const std::vector<MetricConfig> metrics = {"si_sdr", "pesq_wb", "llr"};
  return find_criterion(select, {"", "vbd"}, build_metrics(metrics));
}

TEST(Criterion, SaysAValueAsTheMetricDoes) {
  EXPECT_EQ(find("si_sdr").text(12.345), "si_sdr 12.35 dB");
  EXPECT_EQ(find("vbd/pesq_wb").text(2), "vbd/pesq_wb 2.000");
  EXPECT_EQ(find("loss").text(0.0123456), "loss 0.01235");
  EXPECT_THROW(find("stoi"), ConfigError);
}

TEST(Criterion, KnowsWhatIsBetter) {
  EXPECT_TRUE(find("si_sdr").is_better(2, 1));
  EXPECT_FALSE(find("si_sdr").is_better(2, 1, 1));
  EXPECT_FALSE(find("si_sdr").is_better(1, 1));
  for (const char* key : {"loss", "vbd/llr"}) {
    EXPECT_TRUE(find(key).is_better(1, 2)) << key;
    EXPECT_FALSE(find(key).is_better(1, 2, 1)) << key;
    EXPECT_FALSE(find(key).is_better(2, 1)) << key;
  }
}

TEST(TrainState, CountsValidationsWithoutAGain) {
  const Criterion criterion = find("si_sdr");
  const auto early_stop =
      config::read_text<EarlyStopOptions>("{patience: 2, min_change: 0.5}", "test");
  TrainState state;
  // Small steps are gains once they come to more than half a decibel.
  const std::vector<std::tuple<double, bool, int64_t>> course = {
      {1, true, 0}, {1.4, true, 1}, {1.6, true, 0}, {1.7, true, 1}, {1.5, false, 2}};
  for (const auto& [value, is_best, without_gain] : course) {
    EXPECT_EQ(state.stop_step, -1);
    state.step += 10;
    EXPECT_EQ(state.take(criterion, value, state.step), is_best) << value;
    state.act(criterion, early_stop);
    state.act(criterion, early_stop);  // there is nothing new
    EXPECT_EQ(state.without_gain, without_gain) << value;
  }
  EXPECT_EQ(state.stop_step, 50);
  EXPECT_EQ(state.best_step, 40);
  EXPECT_EQ(state.best_value, 1.7);
}

TEST(TrainState, GoesOnWithNewsWhereItWasWrittenDown) {
  const Criterion criterion = find("vbd/llr");
  TrainState state;
  state.step = 7;
  EXPECT_TRUE(state.take(criterion, 3, 5));
  TrainState again;
  again.take_found(state.found(criterion));
  EXPECT_EQ(again.news, 3);
  again.step = 7;
  for (TrainState* one : {&state, &again}) {
    one->act(criterion, {});
    EXPECT_FALSE(one->take(criterion, 4, 7));
    one->act(criterion, config::read_text<EarlyStopOptions>("{patience: 1}", "test"));
    EXPECT_EQ(one->stop_step, 7);
  }
  EXPECT_EQ(again.found(criterion), state.found(criterion));
  EXPECT_EQ(state.found(criterion)["select"], "vbd/llr");
  EXPECT_FALSE(state.found(criterion).contains("news"));
}

}  // namespace
}  // namespace limbeck::test
