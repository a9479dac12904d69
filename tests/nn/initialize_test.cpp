#include "limbeck/nn/initialize.h"

#include "limbeck/nn/layers.h"
#include "limbeck/objective/adapter.h"
#include "nn/support.h"

namespace limbeck::test {
namespace {

TEST(Initialize, ValuesDependOnSeedAndNameOnly) {
  const auto small = make_model();
  const auto same = make_model();
  const auto other_seed = make_model("", 2);
  // Another skip, temporal model and mask: what has the same name and shape must stay as it was.
  const auto other = make_model("skips: none\ntemporal: {type: gru, hidden: 9}\nmask: real");
  const auto same_parameters = same->named_parameters();
  const auto seed_parameters = other_seed->named_parameters();
  const auto other_parameters = other->named_parameters();
  int64_t shared = 0;
  for (const auto& item : small->named_parameters()) {
    const std::string& name = item.key();
    EXPECT_TRUE(same_bits(item.value(), same_parameters[name])) << name;
    if (item.value().dim() >= 2) {
      EXPECT_FALSE(at::equal(item.value(), seed_parameters[name])) << name;
    }
    const auto* found = other_parameters.find(name);
    if (found != nullptr && found->sizes() == item.value().sizes()) {
      ++shared;
      EXPECT_TRUE(same_bits(item.value(), *found)) << name;
    }
  }
  EXPECT_GT(shared, 20);
}

TEST(Initialize, AddingAnAdapterChangesNothing) {
  const auto init = [](bool with_adapter) {
    auto parent = std::make_shared<torch::nn::Module>();
    if (with_adapter) {
      const objective::AdapterOptions linear;
      std::shared_ptr<objective::Adapter> adapter =
          objective::adapters().build(linear.chosen.name(), *linear.chosen, {4, 7, 8});
      parent->register_module("adapter", adapter);
    }
    const auto child = parent->register_module(
        "body", nn::Conv(nn::ConvOptions{.in_channels = 4, .out_channels = 6, .kernel_freq = 3}));
    nn::initialize(*parent, SeedKey(5));
    return child->named_parameters()["weight"].clone();
  };
  EXPECT_TRUE(same_bits(init(false), init(true)));
}

TEST(Initialize, EqualShapesUnderOtherNamesDiffer) {
  const auto model = make_model("encoder: [{channels: 5, blocks: 3, kernel_time: 3}]");
  const auto parameters = model->named_parameters();
  EXPECT_FALSE(
      at::equal(parameters["encoder0_1.expand.weight"], parameters["encoder0_2.expand.weight"]));
}

TEST(Initialize, VariancesBiasesAndConstants) {
  const auto model = make_model(R"(
stem: {channels: 64, stride: 2, kernel_freq: 7}
encoder: [{channels: 64, stride: 2, kernel_time: 3}]
expansion: 4
latent: {channels: 64, in_channels: 64}
temporal: {type: gru, hidden: 50}
activation: prelu)");
  const auto parameters = model->named_parameters();
  const auto variance = [&](const std::string& name) {
    return parameters[name].var().item<double>();
  };
  const auto expect_variance = [&](const std::string& name, double expected) {
    const auto count = static_cast<double>(parameters[name].numel());
    EXPECT_NEAR(variance(name) / expected, 1, 5 * std::sqrt(2 / count)) << name;
    EXPECT_NEAR(parameters[name].mean().item<double>() / std::sqrt(expected), 0,
                5 / std::sqrt(count))
        << name;
  };
  expect_variance("stem.weight", 2.0 / 14);
  expect_variance("encoder0_0.expand.weight", 2.0 / 64);
  expect_variance("encoder0_0.depthwise.weight", 2.0 / 9);
  expect_variance("encoder0_0.project.weight", 1.0 / 256);  // linear: no activation follows
  expect_variance("latent_in.weight", 1.0 / 64);
  expect_variance("latent.weight", 1.0 / 64);
  expect_variance("latent_out.weight", 2.0 / 64);
  expect_variance("head.weight", 0.01 / (64 * 3));  // a fresh mask stays near its bias
  expect_variance("temporal.output.weight", 1.0 / 50);
  const double bound = 1 / std::sqrt(50.0);
  for (const char* name : {"weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"}) {
    const auto& values = parameters[std::string("temporal.recurrent.group0.") + name];
    EXPECT_LE(values.abs().max().item<double>(), bound) << name;
    EXPECT_GT(values.abs().max().item<double>(), 0.9 * bound) << name;
    EXPECT_NEAR(values.var().item<double>(), bound * bound / 3, 0.2 * bound * bound) << name;
  }
  for (const auto& item : model->named_parameters()) {
    if (item.value().dim() > 1 || item.key().find("recurrent") != std::string::npos) continue;
    if (item.key() == "head.bias") continue;
    const double expected = item.key().ends_with("norm.weight")         ? 1
                            : item.key().ends_with("activation.weight") ? 0.25
                                                                        : 0;
    EXPECT_TRUE(at::all(item.value() == expected).item<bool>()) << item.key();
  }
  // Complex masks start at 1 + 0i: real and imaginary part in turn, for each of the stem's bins.
  EXPECT_TRUE(at::equal(parameters["head.bias"], torch::tensor({1.0F, 0.0F, 1.0F, 0.0F})));
}

}  // namespace
}  // namespace limbeck::test
