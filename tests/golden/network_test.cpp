#include "golden/golden.h"
#include "limbeck/audio/stft.h"
#include "limbeck/nn/denoising_autoencoder.h"
#include "limbeck/nn/model_file.h"

namespace limbeck::test {
namespace {

TEST(GoldenStft, ForwardInverseAndGradient) {
  const Golden golden("stft");
  ASSERT_EQ(golden.cases().size(), 4u);
  for (const auto& [name, options] : golden.cases().items()) {
    SCOPED_TRACE(name);
    Stft stft(StftOptions{options["window"], options["hop"], options["fft"], options["shape"]});
    auto x = golden.at(name + "/input").clone().requires_grad_();
    const auto spectrum = at::view_as_real(stft(x));
    EXPECT_LT(relative_difference(spectrum, golden.at(name + "/spectrum")), kForward);
    const auto& probe = golden.at(name + "/probe");
    (spectrum * probe).sum().backward();
    EXPECT_LT(relative_difference(x.grad(), golden.at(name + "/grad")), kGradient);
    const auto inverse = stft->inverse(at::view_as_complex(probe.contiguous()), options["samples"]);
    EXPECT_LT(relative_difference(inverse, golden.at(name + "/inverse")), kForward);
  }
}

TEST(GoldenInvertedBottleneck, ForwardGradientStatisticsAndMacs) {
  const Golden golden("inverted_bottleneck");
  ASSERT_EQ(golden.cases().size(), 7u);
  for (const auto& [name, o] : golden.cases().items()) {
    SCOPED_TRACE(name);
    nn::InvertedBottleneck block(nn::InvertedBottleneckOptions{.in_channels = o["in_channels"],
                                                               .out_channels = o["out_channels"],
                                                               .expansion = o["expansion"],
                                                               .kernel_time = o["kernel_time"],
                                                               .kernel_freq = o["kernel_freq"],
                                                               .stride_freq = o["stride_freq"],
                                                               .upsample_freq = o["upsample_freq"],
                                                               .lookahead = o["lookahead"],
                                                               .norm = o["norm"],
                                                               .activation = o["activation"]});
    nn::load_state(*block, golden.group(name + "/state"), name);
    block->train(o["train"].get<bool>());
    auto x = golden.at(name + "/input").clone().requires_grad_();
    const auto y = block(x);
    EXPECT_LT(relative_difference(y, golden.at(name + "/output")), kForward);
    (y * golden.at(name + "/probe")).sum().backward();
    EXPECT_LT(relative_difference(x.grad(), golden.at(name + "/grad_input")), kGradient);
    expect_gradients(*block, golden.group(name + "/grad"));
    EXPECT_EQ(block->cost("block", o["bins"]).macs, o["macs_per_frame"].get<int64_t>());
    const auto after = golden.group(name + "/after");
    EXPECT_EQ(after.empty(), o["norm"] == "none" || !o["train"].get<bool>());
    for (const auto& [key, value] : after) {
      EXPECT_LT(relative_difference(nn::state_of(*block).at(key), value), kForward) << key;
    }
  }
}

class GoldenAutoencoder : public testing::TestWithParam<const char*> {};

TEST_P(GoldenAutoencoder, ForwardGradientAndMacs) {
  const std::string name = GetParam();
  const Golden golden("autoencoder_" + name);
  const auto& options = golden.cases().at(name);
  for (const char* memory_format : {"contiguous", "channels_last"}) {
    SCOPED_TRACE(memory_format);
    const auto config = config::read_text<nn::ModelConfig>(
        options["yaml"].get<std::string>() + "memory_format: " + memory_format + "\n", name);
    const auto model = nn::build_model(config, SeedKey(1));
    nn::load_state(*model, golden.group(name + "/state"), name);
    model->train(options["train"].get<bool>());
    EXPECT_EQ(nn::parameter_count(*model), options["parameters"].get<int64_t>());
    EXPECT_EQ(model->macs_per_second(), options["macs_per_second"].get<double>());

    const auto taps = golden.group(name + "/tap");
    std::vector<std::string> tap_names;
    for (const auto& [tap, value] : taps) tap_names.push_back(tap);
    ASSERT_EQ(tap_names.size(), 5u);
    auto x = golden.at(name + "/input").clone().requires_grad_();
    const auto result = model->forward(x, tap_names);
    EXPECT_LT(relative_difference(result.estimate, golden.at(name + "/estimate")), kForward);
    for (const auto& [tap, value] : taps) {
      EXPECT_LT(relative_difference(result.taps.at(tap), value), kForward) << tap;
    }
    (result.estimate * golden.at(name + "/probe")).sum().backward();
    EXPECT_LT(relative_difference(x.grad(), golden.at(name + "/grad_input")), kGradient);
    expect_gradients(*model, golden.group(name + "/grad"));
  }
}

INSTANTIATE_TEST_SUITE_P(All, GoldenAutoencoder,
                         testing::Values("plain", "recurrent", "thin", "thirds"),
                         [](const auto& instance) { return std::string(instance.param); });

}  // namespace
}  // namespace limbeck::test
