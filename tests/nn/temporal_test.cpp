#include "nn/temporal.h"

#include "limbeck/nn/initialize.h"
#include "nn/pass.h"
#include "nn/random_model.h"

namespace limbeck::test {
namespace {

constexpr int64_t kChannels = 4, kBins = 6, kFrames = 11;

struct Example {
  const char* yaml;
  int64_t macs;  ///< a frame, counted by hand
};

/// One of every type, with several of whatever can be several. A GRU of n units that sees m numbers
/// has 3 n (m + n) products a step.
const std::map<std::string, Example> kExamples = {
    {"none", {"", 0}},
    // Two groups of 12 → 4 → 4 units, and 8 units → 24 channels and bins.
    {"gru", {"hidden: 8, layers: 2, groups: 2", 2 * (3 * 4 * (12 + 4) + 3 * 4 * (4 + 4)) + 8 * 24}},
    // For each bin twice: two groups of 2 → 2 units, there and back; two of 2 → 4 units; 8 units →
    // 4 channels after each.
    {"dual_path",
     {"hidden: 8, layers: 2, groups: 2",
      2 * kBins * (2 * 2 * 3 * 2 * (2 + 2) + 2 * 3 * 4 * (2 + 4) + 2 * 8 * kChannels)}},
};

/// All that is registered, whether it has an example or not.
class TemporalModels : public testing::TestWithParam<std::tuple<std::string, nn::NormKind>> {
 protected:
  TemporalModels() {
    const auto& [type, norm] = GetParam();
    const auto found = kExamples.find(type);
    if (found == kExamples.end()) return;
    const auto config = config::read_text<nn::TemporalConfig>(
        format("{type: %s, %s}", type, found->second.yaml), "example");
    EXPECT_EQ(config.options().problem(kChannels), "");
    model_ = nn::temporal_models().build(type, config.options(), {kChannels, kBins, norm});
    nn::initialize(*model_, SeedKey(1));
    shake_statistics(*model_);
    model_->eval();
  }
  void SetUp() override {
    ASSERT_TRUE(model_) << "no example in kExamples for this temporal model";
  }

  nn::LayerCost cost() const { return nn::total_cost(model_->costs("memory", kBins)); }
  static at::Tensor input() { return normal({2, kChannels, kFrames, kBins}, 2); }

  std::shared_ptr<nn::TemporalModel> model_;
};

TEST_P(TemporalModels, ShapeAndMemoryFormatsAgree) {
  const auto x = input();
  const auto y = model_->forward(x, {});
  EXPECT_EQ(y.sizes(), x.sizes());
  EXPECT_EQ(model_->out_bins(kBins), kBins);
  const auto z = model_->forward(x.contiguous(at::MemoryFormat::ChannelsLast), {});
  EXPECT_LT(relative_difference(z, y), 1e-5);
}

TEST_P(TemporalModels, ItemsDoNotSeeEachOther) {
  const auto x = input();
  const auto together = model_->forward(x, {});
  const auto alone = model_->forward(x.narrow(0, 1, 1), {});
  EXPECT_LT(relative_difference(alone, together.narrow(0, 1, 1)), 1e-5);
}

TEST_P(TemporalModels, TheFutureBeyondItsCostReportChangesNothing) {
  const auto x = input();
  const auto before = model_->forward(x, {});
  const int64_t future = cost().future;
  for (int64_t t = future + 1; t < kFrames; ++t) {
    auto changed = x.clone();
    changed.narrow(2, t, kFrames - t).add_(1);
    const auto after = model_->forward(changed, {});
    EXPECT_TRUE(at::equal(after.narrow(2, 0, t - future), before.narrow(2, 0, t - future))) << t;
    EXPECT_FALSE(at::equal(after.select(2, t), before.select(2, t))) << t;
  }
}

TEST_P(TemporalModels, AStreamGivesTheSameAndKeepsAsManyNumbersAsTheCostReportSays) {
  if (cost().future > 0) GTEST_SKIP() << "looks ahead";
  at::NoGradGuard no_grad;
  const auto x = input().narrow(0, 0, 1);
  const auto offline = model_->forward(x, {});
  nn::StreamState state;
  std::vector<at::Tensor> pieces;
  for (const auto& [from, count] : {std::pair(0, 1), std::pair(1, 4), std::pair(5, 6)}) {
    pieces.push_back(model_->forward(x.narrow(2, from, count), {.stream = &state}));
  }
  EXPECT_LT(relative_difference(at::cat(pieces, 2), offline), 1e-5);
  EXPECT_EQ(state.values(), cost().state);
}

TEST_P(TemporalModels, CostsAreThoseOfTheModule) {
  EXPECT_EQ(cost().parameters, nn::parameter_count(*model_));
  EXPECT_EQ(cost().macs, kExamples.at(std::get<0>(GetParam())).macs);
  for (const auto& layer : model_->costs("memory", kBins)) {
    EXPECT_THAT(layer.name, testing::StartsWith("memory"));
  }
}

TEST_P(TemporalModels, EveryGradientIsThereAndFinite) {
  model_->train();
  auto x = input().requires_grad_();
  (model_->forward(x, {}) * normal(x.sizes().vec(), 3)).sum().backward();
  EXPECT_TRUE(x.grad().isfinite().all().item<bool>());
  for (const auto& item : model_->named_parameters()) {
    ASSERT_TRUE(item.value().grad().defined()) << item.key();
    EXPECT_TRUE(item.value().grad().isfinite().all().item<bool>()) << item.key();
  }
}

TEST_P(TemporalModels, FoldingKeepsTheOutputAndCountsWhatIsLeft) {
  const auto before = model_->forward(input(), {});
  model_->fuse();
  EXPECT_LT(relative_difference(model_->forward(input(), {}), before), 1e-5);
  EXPECT_EQ(cost().parameters, nn::parameter_count(*model_));
}

INSTANTIATE_TEST_SUITE_P(All, TemporalModels,
                         testing::Combine(testing::ValuesIn(nn::temporal_models().names()),
                                          testing::Values(nn::NormKind::batch,
                                                          nn::NormKind::instance,
                                                          nn::NormKind::none)),
                         [](const auto& instance) {
                           return format("%s_%d", std::get<0>(instance.param),
                                         static_cast<int>(std::get<1>(instance.param)));
                         });

TEST(TemporalModel, ExamplesAreOfRegisteredOnes) {
  for (const auto& [type, example] : kExamples) {
    EXPECT_TRUE(nn::temporal_models().contains(type)) << type;
  }
}

}  // namespace
}  // namespace limbeck::test
