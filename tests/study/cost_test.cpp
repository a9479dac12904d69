#include "limbeck/study/cost.h"

#include "limbeck/nn/model_file.h"
#include "study/step_probe.h"
#include "train/tiny_session.h"

namespace limbeck::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class Cost : public TinySessions {
 protected:
  PlannedTraining planned(const TinySession& session) const {
    PlannedTraining training{.config = config(session), .items = 3};
    if (!training.config.distill.terms.empty()) training.teacher = model_config("");
    return training;
  }
  double seconds(const std::vector<PlannedTraining>& trainings) {
    return estimate_cost(trainings, probe_).seconds;
  }

  StepProbe probe_;
};

TEST_F(Cost, IsMeasuredOnceForTrainingsThatTakeTheSame) {
  const StepCost* const one = &probe_.of(planned({}), true);
  EXPECT_GT(one->seconds, 0);
  const auto same = [&](const TinySession& session, bool distills = true) {
    return &probe_.of(planned(session), distills) == one;
  };
  EXPECT_TRUE(same({.run = "other", .steps = 9, .seed = 4}));
  EXPECT_TRUE(same({.distill = "terms: [{name: cosine, weight: 3}], balance: {mode: warmup}",
                    .train = "optimizer: {lr: 0.5}"}));
  EXPECT_FALSE(same({}, false));
  EXPECT_FALSE(same({.distill = "terms: [{name: output}]"}));
  EXPECT_FALSE(same({.cache = "cache"}));
  EXPECT_FALSE(same({.train = "accumulate: 2"}));
  EXPECT_FALSE(same({.train = "optimizer: {type: sgd}"}));
  PlannedTraining other = planned({});
  other.config.train.batch_size = 3;
  EXPECT_NE(&probe_.of(other, true), one);
  other = planned({});
  other.teacher = model_config("latent: {channels: 6}");
  EXPECT_NE(&probe_.of(other, true), one);
  // Neither terms nor teacher take part here.
  EXPECT_EQ(&probe_.of(other, false), &probe_.of(planned({.distill = "terms: []"}), false));
  EXPECT_FALSE(fs::exists(dir_ / "run"));
  EXPECT_FALSE(fs::exists(dir_ / "cache"));
}

TEST_F(Cost, IsThatOfTheStepsThatAreLeft) {
  const auto a_step = [&](bool distills) { return probe_.of(planned({}), distills).seconds; };
  const auto near = [&](const std::vector<PlannedTraining>& trainings, double wanted) {
    EXPECT_NEAR(seconds(trainings), wanted, 1e-9 * wanted);
  };
  near({planned({.steps = 100})}, 100 * a_step(true));
  near({planned({.distill = "terms: []", .steps = 100})}, 100 * a_step(false));
  auto half = planned({.steps = 100});
  half.steps_done = 50;
  auto in_epochs = planned({.steps = 0, .train = "epochs: 6"});  // of 3 items in batches of 2
  near({half, in_epochs}, 59 * a_step(true));
  auto beside = planned({.steps = 100});
  beside.side_by_side = 4;
  near({beside, beside}, 50 * a_step(true));
  auto phased = planned({.distill = "terms: [{name: cosine}], phases: [{steps: 30, distill: false},"
                                    " {steps: 20, task: false}, {distill: false}]",
                         .steps = 100});
  near({phased}, 20 * a_step(true) + 80 * a_step(false));
  phased.steps_done = 40;
  near({phased}, 10 * a_step(true) + 50 * a_step(false));
  phased.steps_done = 100;
  const StudyCost nothing = estimate_cost({phased}, probe_);
  EXPECT_EQ(nothing.trainings, 0);
  EXPECT_EQ(nothing.seconds, 0);
  EXPECT_EQ(nothing.run_bytes, 0);
}

/// Of all files below it with this suffix.
double bytes_below(const fs::path& folder, const std::string& suffix) {
  uintmax_t bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().string().ends_with(suffix)) bytes += entry.file_size();
  }
  return static_cast<double>(bytes);
}

TEST_F(Cost, OnDiskIsWhatTrainingsLeave) {
  const TinySession session{.cache = "cache",
                            .train = "keep: {last: 2, every: 2}, tensorboard: {enabled: false}"};
  auto training = planned(session);
  training.config.model = model_config("latent: {channels: 256, in_channels: 64}");
  train(training.config);
  const StudyCost cost = estimate_cost({training}, probe_);
  EXPECT_NEAR(cost.run_bytes / bytes_below(dir_ / "run/checkpoints", ".safetensors"), 1, 0.2);
  // The batches of training; those of validation are one more.
  EXPECT_NEAR(cost.cache_bytes / bytes_below(dir_ / "cache", ".safetensors"), 2. / 3, 0.1);
  // Who asks for the same batches shares them; who has another seed does not.
  auto other = training;
  other.config.run.dir = "other";
  EXPECT_EQ(estimate_cost({training, other}, probe_).cache_bytes, cost.cache_bytes);
  other.config.run.seed = 2;
  EXPECT_EQ(estimate_cost({training, other}, probe_).cache_bytes, 2 * cost.cache_bytes);
  other.config.distill.cache.max_gb = 1e-6;
  EXPECT_EQ(estimate_cost({training, other}, probe_).cache_bytes, 1000);
}

TEST(CostText, HasNoMoreDigitsThanAreKnown) {
  const auto text = [](double seconds) { return cost_text({24, seconds, 3.24e8, 0}); };
  EXPECT_THAT(text(0.2), HasSubstr("24 trainings take about 1 s and 324 MB on disk; "));
  EXPECT_THAT(text(222), HasSubstr("about 3.7 min and"));
  EXPECT_THAT(text(1234), HasSubstr("about 21 min and"));
  EXPECT_THAT(text(12345), HasSubstr("about 3 h 30 min and"));
  EXPECT_THAT(text(3.3e5), HasSubstr("about 3.8 days and"));
  EXPECT_THAT(cost_text({1, 10, 0, 1.26e9}),
              HasSubstr("and 1 MB on disk, and what their teachers say 1.3 GB more; "));
  EXPECT_THAT(cost_text({1, 10, 0, 1.26e9}), HasSubstr("; filling of caches, reading of data, "));
}

}  // namespace
}  // namespace limbeck::test
