#include "limbeck/core/files.h"
#include "limbeck/nn/model_file.h"
#include "nn/presets.h"
#include "nn/random_model.h"

namespace limbeck::test {
namespace {

class Presets : public testing::TestWithParam<std::string> {};

/// What the user is promised, by name: bounds of size and cost.
struct Budget {
  double least_parameters, most_parameters, most_mmacs, latency_ms;
  bool causal;
};
const std::map<std::string, Budget> kBudgets = {{"teacher_l", {1.5e6, 2e6, 1e5, 0, false}},
                                                {"teacher_m", {4e5, 6e5, 1e5, 0, false}},
                                                {"teacher_causal", {4e5, 2e6, 1e5, 32, true}},
                                                {"student_100k", {80e3, 110e3, 150, 32, true}},
                                                {"student_50k", {40e3, 55e3, 50, 32, true}},
                                                {"student_25k", {20e3, 27.5e3, 30, 32, true}},
                                                {"student_10k", {8e3, 11e3, 12, 32, true}},
                                                {"student_low_latency", {8e3, 50e3, 50, 8, true}}};

TEST(PresetNames, AllWithABudgetExist) {
  for (const auto& [name, budget] : kBudgets) {
    EXPECT_THAT(preset_names(), testing::Contains(name));
  }
}

TEST_P(Presets, CostIsWithinItsBudgetAndInItsComment) {
  const auto model = nn::build_model(read_preset(GetParam()), SeedKey(1));
  const std::string text = read_file(preset_folder() / (GetParam() + ".yaml"));
  EXPECT_THAT(text, testing::HasSubstr(nn::cost_text(*model)));
  const auto total = nn::total_cost(model->layer_costs());
  EXPECT_EQ(total.parameters, nn::parameter_count(*model));
  const auto found = kBudgets.find(GetParam());
  if (found == kBudgets.end()) return;
  const Budget& budget = found->second;
  EXPECT_GE(static_cast<double>(total.parameters), budget.least_parameters);
  EXPECT_LE(static_cast<double>(total.parameters), budget.most_parameters);
  EXPECT_LE(model->macs_per_second() / 1e6, budget.most_mmacs);
  EXPECT_EQ(total.future == 0, budget.causal);
  if (budget.causal) {
    EXPECT_EQ(1000 * model->latency_samples() / model->rate_hz(), budget.latency_ms);
  }
}

TEST_P(Presets, OutputIsFiniteAndBoundedWhateverComesIn) {
  const auto model = nn::build_model(read_preset(GetParam()), SeedKey(3));
  shake_statistics(*model);
  model->eval();
  at::NoGradGuard no_grad;
  constexpr int64_t kSecond = 16000;
  // 10 minutes in the small ones; whole recordings at once take gigabytes in a teacher.
  const auto blocks =
      static_cast<int64_t>(std::clamp(60 * 27e6 / model->macs_per_second(), 1.0, 60.0));
  auto impulse = torch::zeros({1, kSecond});
  impulse[0][5000] = 1;
  const auto square = torch::where(normal({1, kSecond}, 4) > 0, 1.0, -1.0).to(torch::kFloat);
  for (const auto& [name, x] : std::vector<std::pair<const char*, at::Tensor>>{
           {"full scale", square},
           {"DC", torch::ones({1, kSecond})},
           {"impulse", impulse},
           {"1e-10", normal({1, kSecond}, 5, 1e-10)},
           {"0.1 s", normal({1, kSecond / 10}, 6, 0.1)},
           {"one sample", torch::ones({1, 1})},
           {"long", normal({1, 10 * kSecond}, 7, 0.1).repeat({1, blocks})}}) {
    const auto y = model->forward(x, {}).estimate;
    // A fresh mask is near 1, and overlap-add of several frames may add up where they disagree.
    EXPECT_LT(y.abs().max().item<double>(), 4 * x.abs().max().item<double>()) << name;
    EXPECT_TRUE(y.isfinite().all().item<bool>()) << name;
  }
  EXPECT_EQ(model->forward(torch::zeros({1, kSecond}), {}).estimate.abs().max().item<double>(), 0);
}

TEST_P(Presets, FoldingBatchNormsChangesNoOutput) {
  const auto model = nn::build_model(read_preset(GetParam()), SeedKey(3));
  shake_statistics(*model);
  model->eval();
  at::NoGradGuard no_grad;
  const auto x = normal({1, 16000}, 8, 0.1);
  const auto before = model->forward(x, {"latent"});
  model->fuse();
  const auto after = model->forward(x, {"latent"});
  EXPECT_LT(relative_difference(after.estimate, before.estimate), 1e-5);
  EXPECT_LT(relative_difference(after.taps.at("latent"), before.taps.at("latent")), 1e-5);
  EXPECT_FALSE(same_bits(after.estimate, before.estimate)) << "nothing was folded";
}

TEST_P(Presets, FreshLatentIsNeitherVanishingNorExploding) {
  const auto model = nn::build_model(read_preset(GetParam()), SeedKey(9));
  at::NoGradGuard no_grad;  // in training mode: norms see the batch
  const auto names = model->tap_names();
  for (const auto& [name, value] : model->forward(normal({2, 32000}, 10, 0.05), names).taps) {
    const double deviation = value.std().item<double>();
    if (name == "mask") {
      EXPECT_LT(deviation, 1) << name;
    } else {
      EXPECT_GT(deviation, 0.1) << name;
      EXPECT_LT(deviation, 10) << name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Presets, testing::ValuesIn(preset_names()),
                         [](const auto& instance) { return instance.param; });

class RandomModel : public testing::TestWithParam<uint64_t> {};

TEST_P(RandomModel, FoldingChangesNoOutputAndCostsAddUp) {
  const std::string yaml = random_causal_model(GetParam());
  SCOPED_TRACE(yaml);
  const auto model = make_model(yaml);
  shake_statistics(*model);
  model->eval();
  EXPECT_EQ(nn::total_cost(model->layer_costs()).parameters, nn::parameter_count(*model));
  at::NoGradGuard no_grad;
  const auto x = normal({2, 2000}, 11, 0.1);
  const auto before = model->forward(x, {}).estimate;
  model->fuse();
  const auto after = model->forward(x, {}).estimate;
  EXPECT_LT(relative_difference(after, before), 1e-5);
  EXPECT_EQ(nn::total_cost(model->layer_costs()).parameters, nn::parameter_count(*model));
  for (const auto& [name, tensor] : nn::state_of(*model)) {
    EXPECT_THAT(name, testing::Not(testing::HasSubstr("running")));  // no batch norm is left
  }
  model->fuse();  // there is nothing more to fold
  EXPECT_TRUE(same_bits(model->forward(x, {}).estimate, after));
}

TEST_P(RandomModel, TapsAloneAreThoseOfTheWholeForward) {
  const auto model = make_model(random_causal_model(GetParam()));
  model->eval();
  const auto x = normal({1, 900}, 12);
  const auto all = model->forward(x, model->tap_names()).taps;
  for (const auto& [name, value] : all) {
    const auto alone = model->taps(x, {name});
    ASSERT_EQ(alone.size(), 1u);
    EXPECT_TRUE(same_bits(alone.at(name), value)) << name;
  }
  EXPECT_EQ(model->taps(x, model->tap_names()).size(), all.size());
  EXPECT_TRUE(model->taps(x, {}).empty());
}

INSTANTIATE_TEST_SUITE_P(Twenty, RandomModel, testing::Range<uint64_t>(0, 20));

TEST(Initialize, VarianceIsKeptThroughDepth) {
  // Without norms nothing repairs a wrong scale: 24 blocks in a row would make it plain.
  const auto model = make_model(R"(
norm: none
skips: none
stft: {window_samples: 128, hop_samples: 64, fft_samples: 128}
stem: {channels: 24, stride: 1}
encoder: [{channels: 24, blocks: 1, stride: 2}, {channels: 24, blocks: 12, stride: 1, kernel_time: 3}]
latent: {channels: 24, in_channels: 24}
activation: relu6)");
  at::NoGradGuard no_grad;
  const auto taps =
      model->forward(normal({2, 8000}, 13, 0.05), {"encoder.0", "encoder.1", "latent"}).taps;
  const double first = taps.at("encoder.0").var().item<double>();
  // A residual block adds its own variance: at most doubled each time, and never lost.
  EXPECT_GT(taps.at("encoder.1").var().item<double>(), 0.5 * first);
  EXPECT_LT(taps.at("encoder.1").var().item<double>(), 4096 * first);
  EXPECT_GT(taps.at("latent").var().item<double>(), 0.1 * first);
}

}  // namespace
}  // namespace limbeck::test
