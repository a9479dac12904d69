#include "limbeck/core/error.h"
#include "objective/suite.h"

// What every adapter must do. An adapter of the registry comes in by its row in examples.h.

namespace limbeck::test {
namespace {

constexpr int64_t kChannels = 3;
constexpr int64_t kFrames = 6;
constexpr int64_t kBins = 4;

at::Tensor features(uint64_t seed) { return normal({2, kChannels, kFrames, kBins}, seed); }

class Adapters : public testing::TestWithParam<Example> {
 protected:
  std::unique_ptr<objective::Adapter> build(int64_t teacher_channels = kChannels) const {
    return adapter_from_yaml(GetParam().yaml("type"), {kChannels, teacher_channels, kBins});
  }
  std::unique_ptr<objective::Adapter> adapter = build();
};

/// A scalar that every value of the result reaches, and gradients of feature and parameters.
std::vector<at::Tensor> run(objective::Adapter& adapter, const at::Tensor& feature) {
  auto x = feature.detach().clone().requires_grad_();
  clear_gradients(adapter);
  const auto y = adapter.forward(x, {});
  y.square().sum().backward();
  std::vector<at::Tensor> results = {y.detach(), x.grad()};
  for (const auto& parameter : adapter.parameters()) results.push_back(parameter.grad());
  return results;
}

TEST_P(Adapters, MapsToTheTeachersChannelsOrSaysThatItCannot) {
  EXPECT_EQ(adapter->forward(features(1), {}).sizes(), features(1).sizes());
  for (const int64_t channels : {1, 5}) {
    try {
      const auto y = build(channels)->forward(features(1), {});
      EXPECT_EQ(y.sizes(), at::IntArrayRef({2, channels, kFrames, kBins}));
    } catch (const ConfigError& e) {
      EXPECT_THAT(e.what(), testing::HasSubstr(std::to_string(channels)));
    }
  }
}

TEST_P(Adapters, GradientsAreThoseOfFiniteDifferences) {
  adapter->to(torch::kDouble);
  const auto x = features(2).to(torch::kDouble);
  const auto value = [&](const at::Tensor& f) { return adapter->forward(f, {}).square().sum(); };
  expect_gradient(value, x, 1e-6);
  clear_gradients(*adapter);
  value(x.clone().requires_grad_()).backward();
  expect_parameter_gradients(*adapter, [&] { return value(x); });
}

/// So what lies in padding stays there.
TEST_P(Adapters, AFrameIsMappedByItself) {
  const auto x = features(3);
  auto other = features(4) * 100;
  other.narrow(2, 1, 3).copy_(x.narrow(2, 1, 3));
  EXPECT_LT(relative_difference(adapter->forward(other, {}).narrow(2, 1, 3),
                                adapter->forward(x, {}).narrow(2, 1, 3)),
            1e-6);
}

TEST_P(Adapters, SilenceGivesFiniteGradients) {
  for (const auto& result : run(*adapter, torch::zeros_like(features(5))))
    expect_finite(result, "result");
}

TEST_P(Adapters, FloatIsAsGoodAsDouble) {
  const auto full = run(*adapter, features(6));
  adapter->to(torch::kDouble);
  const auto exact = run(*adapter, features(6).to(torch::kDouble));
  for (size_t i = 0; i < full.size(); ++i)
    EXPECT_LT(relative_difference(full[i], exact[i]), 1e-5) << i;
}

TEST_P(Adapters, TheSameInputGivesTheSameBits) {
  const auto first = run(*adapter, features(7));
  run(*adapter, features(8));  // leaves nothing behind
  const auto fresh = build();
  for (const auto& again : {run(*adapter, features(7)), run(*fresh, features(7))})
    for (size_t i = 0; i < first.size(); ++i) EXPECT_TRUE(same_bits(first[i], again[i])) << i;
}

INSTANTIATE_TEST_SUITE_P(All, Adapters, testing::ValuesIn(kAdapterExamples),
                         [](const auto& instance) { return instance.param.label(); });

TEST(AdapterExamples, EveryAdapterHasOne) {
  EXPECT_THAT(missing_rows(objective::adapters(), kAdapterExamples), testing::IsEmpty());
}

TEST(AdapterExamples, AnAdapterWithoutOneIsNamed) {
  objective::AdapterRegistry registry = objective::adapters();
  registry.add<config::NoOptions>("mine", "",
                                  [](const config::NoOptions&, const objective::AdapterShape&)
                                      -> std::unique_ptr<objective::Adapter> { return nullptr; });
  EXPECT_THAT(missing_rows(registry, kAdapterExamples),
              testing::ElementsAre("add a row for 'mine' to tests/objective/examples.h"));
}

/// Checkpoints and drawn weights go by these names.
TEST(AdapterParameters, KeepTheirNames) {
  const auto names = [](const std::string& type) {
    const auto adapter = adapter_from_yaml("{type: " + type + "}", {kChannels, 5, kBins});
    return adapter->named_parameters().keys();
  };
  EXPECT_THAT(names("linear"), testing::ElementsAre("linear.weight", "linear.bias"));
  EXPECT_THAT(names("frame_linear"), testing::ElementsAre("linear.weight", "linear.bias"));
  EXPECT_THAT(names("inverted_bottleneck"),
              testing::ElementsAre("expand.weight", "expand.bias", "depthwise.weight",
                                   "depthwise.bias", "project.weight", "project.bias"));
}

}  // namespace
}  // namespace limbeck::test
