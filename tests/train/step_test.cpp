#include "limbeck/train/step.h"

#include <cmath>

#include "limbeck/nn/model_file.h"
#include "limbeck/train/step_timer.h"
#include "nn/support.h"
#include "train/support.h"

namespace limbeck::test {
namespace {

objective::LearningTask make_task(uint64_t seed) {
  const auto distill = config::read_text<objective::DistillOptions>("terms: [cosine]", "test");
  return {make_model("", seed), make_model("latent: {channels: 6}", 2), {}, distill, 2, SeedKey(1)};
}

objective::TaskBatch make_batch(uint64_t seed) {
  const auto clean = normal({2, 400}, seed, 0.1);
  return {clean + normal({2, 400}, seed + 1, 0.05), clean, {400, 300}};
}

const char* const kOptions =
    "{steps: 5, optimizer: {type: adamw, lr: 0.01}, clip: {type: norm, max_norm: 0.1}, "
    "schedule: {type: warmup_cosine, warmup_steps: 2}}";

TEST(TrainStep, IsZeroForwardBackwardClipUpdate) {
  auto task = make_task(1);
  auto other = make_task(1);
  TrainStep step(config::read_text<TrainOptions>(kOptions, "test"), task);
  const auto cosine = other.helpers().named_children()["cosine"];
  const auto optimizer = make_optimizer(
      "type: adamw, lr: 0.01", {{"model", &other.model()}, {"helpers.cosine", cosine.get()}});
  const auto clip = make_clip("type: norm, max_norm: 0.1");
  const auto schedule = make_schedule("type: warmup_cosine, warmup_steps: 2");
  for (int64_t i = 0; i < 5; ++i) {
    auto batch = make_batch(10 + 2 * static_cast<uint64_t>(i));
    task.model().eval();  // as validation leaves it
    const StepReport report = step(batch, i);

    batch.step = i;
    optimizer->zero_grad();
    const auto wanted = other.forward(batch);
    wanted.total.backward();
    ASSERT_EQ(report.gradient_norms.size(), 2u);
    EXPECT_EQ(report.gradient_norms[0].name, "gradient_norm_cosine");
    EXPECT_EQ(report.gradient_norms[1].name, "gradient_norm");
    for (const auto& [module, gradients] : optimizer->gradients()) {
      const auto norm = joint_norm(gradients);
      clip->apply(gradients, norm);
      EXPECT_TRUE(same_bits(report.gradient_norms[module == "model" ? 1 : 0].value, norm));
    }
    const double lr = 0.01 * schedule->factor(i, 5);
    optimizer->step(lr);
    EXPECT_EQ(report.lr, lr);
    EXPECT_GT(report.gradient_norms[1].value.item<double>(), 0.1);
    EXPECT_TRUE(same_bits(report.losses.total, wanted.total.detach()));
    EXPECT_FALSE(report.losses.total.requires_grad());
    EXPECT_EQ(report.losses.parts.size(), 3u);
  }
  const auto wanted = nn::state_of(other.model());
  for (const auto& [name, tensor] : nn::state_of(task.model())) {
    EXPECT_TRUE(same_bits(tensor, wanted.at(name))) << name;
  }
}

TEST(TrainStep, AHugeGradientOfAnAdapterLeavesTheNetworkAlone) {
  // A plain gradient step, for AdamW's first hides the scale.
  const auto options = config::read_text<TrainOptions>(
      "{optimizer: {type: sgd, lr: 1, momentum: 0}, clip: {type: norm, max_norm: 0.1}, schedule: "
      "{type: constant, warmup_steps: 0}}",
      "test");
  std::vector<std::map<std::string, at::Tensor>> networks;
  std::vector<double> network_norms, adapter_norms, adapter_lengths;
  for (const double scale : {1.0, 1e6}) {
    auto task = make_task(1);
    std::vector<at::Tensor> before;
    for (auto& parameter : task.helpers().parameters()) {
      parameter.register_hook([scale](const at::Tensor& gradient) { return gradient * scale; });
      before.push_back(parameter.detach().clone());
    }
    TrainStep step(options, task);
    const StepReport report = step(make_batch(1), 0);
    networks.push_back(nn::state_of(task.model()));
    adapter_norms.push_back(report.gradient_norms.at(0).value.item<double>());
    network_norms.push_back(report.gradient_norms.at(1).value.item<double>());
    const auto after = task.helpers().parameters();
    double moved = 0;
    for (size_t i = 0; i < after.size(); ++i) {
      moved += (after[i] - before[i]).square().sum().item<double>();
    }
    adapter_lengths.push_back(std::sqrt(moved));
  }
  EXPECT_GT(adapter_norms[1], 1e3 * network_norms[1]);
  EXPECT_NEAR(adapter_lengths[1], 0.1, 1e-3);
  EXPECT_EQ(network_norms[1], network_norms[0]);
  for (const auto& [name, tensor] : networks[0]) {
    EXPECT_TRUE(same_bits(tensor, networks[1].at(name))) << name;
  }
}

/// A task in two phases of 3 and the other steps, the second of which starts anew or goes on.
objective::LearningTask in_phases(bool restart) {
  const auto distill = config::read_text<objective::DistillOptions>(
      format("{terms: [cosine], phases: [{steps: 3, task: false}, {distill: false, restart: %s}]}",
             restart ? "true" : "false"),
      "test");
  return {make_model(), make_model("latent: {channels: 6}", 2), {}, distill, 2, SeedKey(1)};
}

TEST(TrainStep, APhaseStartsAnewUnlessItGoesOn) {
  const auto schedule = make_schedule("type: warmup_cosine, warmup_steps: 2");
  for (const bool restart : {true, false}) {
    SCOPED_TRACE(restart);
    auto task = in_phases(restart);
    TrainStep step(config::read_text<TrainOptions>(kOptions, "test"), task);
    for (int64_t i = 0; i < 5; ++i) {
      const StepReport report = step(make_batch(10 + static_cast<uint64_t>(i)), i);
      const int64_t within = restart && i >= 3 ? i - 3 : i;
      const int64_t steps = !restart ? 5 : i < 3 ? 3 : 2;
      EXPECT_EQ(report.lr, 0.01 * schedule->factor(within, steps)) << i;
      EXPECT_EQ(report.lr, step.lr(i)) << i;
      EXPECT_EQ(step.optimizer().state().at("model.latent.weight/steps").item<double>(), within + 1)
          << i;
    }
  }
}

TEST(TrainStep, PhasesFollowTheStepThatIsAskedFor) {
  const auto distill = config::read_text<objective::DistillOptions>(
      "{terms: [cosine], phases: [{steps: 3, task: false}, {distill: false}]}", "test");
  objective::LearningTask task(make_model(), make_model("latent: {channels: 6}", 2), {}, distill, 2,
                               SeedKey(1));
  TrainStep step(config::read_text<TrainOptions>(kOptions, "test"), task);
  EXPECT_EQ(step(make_batch(1), 2).losses.parts.size(), 1u);
  EXPECT_EQ(step(make_batch(1), 3).losses.parts.size(), 2u);
}

TEST(StepTimer, LeavesTheWarmUpOutAndAddsThePartsUp) {
  auto task = make_task(1);
  TrainStep step(config::read_text<TrainOptions>(kOptions, "test"), task);
  StepTimer timer(at::kCPU, 2);
  EXPECT_TRUE(std::isnan(timer.median_step_ms()));
  for (int64_t i = 0; i < 3; ++i) {
    timer.begin(i < 2 ? 1e9 : 7);
    step(make_batch(1), i, &timer);
  }
  EXPECT_EQ(timer.median_ms(StepPart::data), 7);
  double sum = 0;
  for (const StepPart part :
       {StepPart::data, StepPart::forward, StepPart::backward, StepPart::update}) {
    EXPECT_GT(timer.median_ms(part), 0);
    sum += timer.median_ms(part);
  }
  EXPECT_NEAR(timer.median_step_ms(), sum, 1e-9 * sum);
  EXPECT_LT(sum, 1e6);
}

}  // namespace
}  // namespace limbeck::test
