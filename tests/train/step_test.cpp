#include "limbeck/train/step.h"

#include <cmath>

#include "limbeck/nn/model_file.h"
#include "limbeck/train/step_timer.h"
#include "nn/support.h"
#include "train/support.h"
#include "train/weight_average.h"

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
    "schedule: {type: cosine, warmup_steps: 2}}";

TEST(TrainStep, IsZeroForwardBackwardClipUpdate) {
  auto task = make_task(1);
  auto other = make_task(1);
  TrainStep step(config::read_text<TrainOptions>(kOptions, "test"), task);
  const auto cosine = other.helpers().named_children()["cosine"];
  const auto optimizer = make_optimizer(
      "type: adamw, lr: 0.01", {{"model", &other.model()}, {"helpers.cosine", cosine.get()}});
  const auto clip = make_clip("type: norm, max_norm: 0.1");
  const auto schedule = make_schedule("type: cosine, warmup_steps: 2");
  for (int64_t i = 0; i < 5; ++i) {
    auto batch = make_batch(10 + 2 * static_cast<uint64_t>(i));
    task.model().eval();  // as validation leaves it
    const StepReport report = step({batch}, i);

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
    const double lr = 0.01 * schedule.factor(i, 5);
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
    const StepReport report = step({make_batch(1)}, 0);
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
  const auto schedule = make_schedule("type: cosine, warmup_steps: 2");
  for (const bool restart : {true, false}) {
    SCOPED_TRACE(restart);
    auto task = in_phases(restart);
    TrainStep step(config::read_text<TrainOptions>(kOptions, "test"), task);
    for (int64_t i = 0; i < 5; ++i) {
      const StepReport report = step({make_batch(10 + static_cast<uint64_t>(i))}, i);
      const int64_t within = restart && i >= 3 ? i - 3 : i;
      const int64_t steps = !restart ? 5 : i < 3 ? 3 : 2;
      EXPECT_EQ(report.lr, 0.01 * schedule.factor(within, steps)) << i;
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
  EXPECT_EQ(step({make_batch(1)}, 2).losses.parts.size(), 1u);
  EXPECT_EQ(step({make_batch(1)}, 3).losses.parts.size(), 2u);
}

std::map<std::string, at::Tensor> copies(const std::map<std::string, at::Tensor>& tensors) {
  std::map<std::string, at::Tensor> all;
  for (const auto& [name, tensor] : tensors) all[name] = tensor.detach().clone();
  return all;
}

void expect_same(const std::map<std::string, at::Tensor>& a,
                 const std::map<std::string, at::Tensor>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (const auto& [name, tensor] : a) EXPECT_TRUE(same_bits(tensor, b.at(name))) << name;
}

TEST(TrainStep, SeveralBatchesAreOneAsLarge) {
  const auto options = config::read_text<TrainOptions>(
      "{steps: 5, accumulate: 3, optimizer: {type: sgd, lr: 0.1}, clip: {type: norm, max_norm: 1}, "
      "schedule: {warmup_steps: 0}}",
      "test");
  const auto make = [] {
    return objective::LearningTask(make_model("norm: instance"), nullptr, {}, {}, 2, SeedKey(1));
  };
  auto parts = make();
  auto whole = make();
  auto start = make();
  TrainStep in_parts(options, parts);
  TrainStep at_once(options, whole);
  for (int64_t i = 0; i < 5; ++i) {
    std::vector<objective::TaskBatch> batches;
    objective::TaskBatch all;
    for (uint64_t b = 0; b < 3; ++b) {
      batches.push_back(make_batch(100 * b + 10 * static_cast<uint64_t>(i)));
      const auto& batch = batches.back();
      all.noisy = b == 0 ? batch.noisy : at::cat({all.noisy, batch.noisy});
      all.clean = b == 0 ? batch.clean : at::cat({all.clean, batch.clean});
      all.valid_samples.insert(all.valid_samples.end(), {400, 300});
    }
    const auto a = in_parts(batches, i);
    const auto b = at_once({all}, i);
    EXPECT_LT(relative_difference(a.losses.total, b.losses.total), 1e-6);
    EXPECT_LT(relative_difference(a.losses.denoising, b.losses.denoising), 1e-6);
    ASSERT_EQ(a.losses.parts.size(), 2U);
    for (size_t p = 0; p < 2; ++p) {
      EXPECT_LT(relative_difference(a.losses.parts[p].value, b.losses.parts[p].value), 1e-6);
    }
    EXPECT_LT(relative_difference(a.gradient_norms[0].value, b.gradient_norms[0].value), 1e-5);
  }
  // All together: what a norm takes off again, as a bias before it, has but rounding for a
  // gradient.
  const auto weights = [](objective::LearningTask& task) {
    std::vector<at::Tensor> all;
    for (const at::Tensor& parameter : task.model().parameters())
      all.push_back(parameter.flatten());
    return at::cat(all);
  };
  EXPECT_LT(relative_difference(weights(parts), weights(whole)), 1e-6);
  EXPECT_GT(relative_difference(weights(parts), weights(start)), 1e-3);
}

/// With batch norm, whose statistics a forward pass changes, and a balance, whose sums it changes.
objective::LearningTask make_balanced_task() {
  const auto distill = config::read_text<objective::DistillOptions>(
      "{terms: [cosine], balance: {mode: gradient_ratio, steps: 6}}", "test");
  return {make_model(), make_model("latent: {channels: 6}", 2), {}, distill, 2, SeedKey(1)};
}

TEST(TrainStep, WithoutAFiniteLossOrGradientNothingChanges) {
  auto task = make_balanced_task();
  TrainStep step(config::read_text<TrainOptions>(kOptions, "test"), task);
  const auto all = [&] {
    return std::vector{copies(nn::state_of(task.model())), copies(nn::state_of(task.helpers())),
                       copies(step.optimizer().state())};
  };
  double factor = 1;
  task.helpers().parameters().front().register_hook(
      [&factor](const at::Tensor& gradient) { return gradient * factor; });
  auto before = all();
  for (int64_t i = 0; i < 6; ++i) {
    auto good = make_batch(10 + static_cast<uint64_t>(i));
    auto bad = make_batch(20 + static_cast<uint64_t>(i));
    if (i == 2) bad.noisy[1][5] = NAN;
    factor = i == 4 ? INFINITY : 1;  // of an adapter alone
    const bool skips = i == 2 || i == 4;
    const StepReport report = step({good, bad}, i);
    EXPECT_EQ(report.skipped.item<double>(), skips ? 1 : 0) << i;
    EXPECT_EQ(std::isfinite(report.losses.total.item<double>()), i != 2);
    const auto after = all();
    for (size_t kind = 0; kind < after.size(); ++kind) {
      SCOPED_TRACE(format("step %d, %d", i, kind));
      if (skips) {
        expect_same(after[kind], before[kind]);
      } else {
        for (const auto& [name, tensor] : after[kind]) {
          EXPECT_TRUE(at::isfinite(tensor).all().item<bool>()) << name;
          EXPECT_FALSE(same_bits(tensor, before[kind].at(name))) << name;
        }
      }
    }
    before = after;
  }
}

TEST(TrainStep, AdaptersMayHaveARateOfTheirOwn) {
  std::vector<std::map<std::string, at::Tensor>> networks, adapters;
  for (const char* factor : {"1", "0.5"}) {
    const auto options = config::read_text<TrainOptions>(
        std::string("{optimizer: {type: sgd, lr: 1}, schedule: {type: constant, warmup_steps: 0}, "
                    "adapter_lr: ") +
            factor + "}",
        "test");
    auto task = make_task(1);
    const auto before = copies(nn::state_of(task.helpers()));
    TrainStep step(options, task);
    step({make_batch(1)}, 0);
    networks.push_back(nn::state_of(task.model()));
    adapters.emplace_back();
    for (const auto& [name, tensor] : nn::state_of(task.helpers())) {
      adapters.back()[name] = tensor.detach() - before.at(name);
    }
  }
  expect_same(networks[0], networks[1]);
  for (const auto& [name, moved] : adapters[0]) {
    EXPECT_LT(relative_difference(2 * adapters[1].at(name), moved), 1e-4) << name;
    EXPECT_GT(moved.abs().max().item<double>(), 0) << name;
  }
}

TEST(WeightAverage, IsOfTheWeightsOverSteps) {
  auto task = make_task(1);
  TrainStep step(config::read_text<TrainOptions>("{ema: {decay: 0.3}, steps: 5}", "test"), task);
  ASSERT_NE(step.average(), nullptr);
  std::map<std::string, at::Tensor> wanted;
  for (const auto& item : task.model().named_parameters()) {
    wanted[item.key()] = item.value().detach().to(torch::kDouble).clone();
  }
  for (int64_t i = 0; i < 5; ++i) {
    step({make_batch(10 + static_cast<uint64_t>(i))}, i);
    const double decay =
        std::min(0.3, (1 + static_cast<double>(i)) / (10 + static_cast<double>(i)));
    EXPECT_EQ(decay < 0.3, i < 3);
    for (const auto& item : task.model().named_parameters()) {
      auto& average = wanted[item.key()];
      average = decay * average + (1 - decay) * item.value().detach().to(torch::kDouble);
    }
  }
  const auto trained = copies(nn::state_of(task.model()));
  {
    const AveragedWeights averaged(step.average());
    for (const auto& [name, tensor] : nn::state_of(task.model())) {
      if (wanted.count(name)) {
        EXPECT_LT(relative_difference(tensor, wanted.at(name)), 1e-5) << name;
        EXPECT_FALSE(same_bits(tensor.detach(), trained.at(name))) << name;
      } else {
        EXPECT_TRUE(same_bits(tensor, trained.at(name))) << name << ": statistics as they are";
      }
    }
  }
  expect_same(copies(nn::state_of(task.model())), trained);
  TrainStep without(config::read_text<TrainOptions>("{steps: 5}", "test"), task);
  EXPECT_EQ(without.average(), nullptr);
  const AveragedWeights nothing(without.average());
  expect_same(copies(nn::state_of(task.model())), trained);
}

TEST(StepTimer, LeavesTheWarmUpOutAndAddsThePartsUp) {
  auto task = make_task(1);
  TrainStep step(config::read_text<TrainOptions>(kOptions, "test"), task);
  StepTimer timer(at::kCPU, 2);
  EXPECT_TRUE(std::isnan(timer.median_step_ms()));
  for (int64_t i = 0; i < 3; ++i) {
    timer.begin(i < 2 ? 1e9 : 7);
    step({make_batch(1), make_batch(2)}, i, &timer);  // two parts of each kind are one
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
