#include <algorithm>
#include <cstdlib>

#include "golden/golden.h"
#include "golden/hashed.h"
#include "limbeck/config/resolve.h"
#include "limbeck/nn/model_file.h"
#include "limbeck/nn/stft.h"
#include "nn/inverted_bottleneck.h"
#include "paths.h"

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

template <class Enum>
Enum by_name(const std::string& name) {
  for (const auto& [known, value] : names_of(Enum{})) {
    if (known == name) return value;
  }
  ADD_FAILURE() << name;
  return {};
}

void expect_golden_blocks(nn::Kernels kernels) {
  const Golden golden("inverted_bottleneck");
  ASSERT_EQ(golden.cases().size(), 8u);
  for (const auto& [name, o] : golden.cases().items()) {
    SCOPED_TRACE(name);
    nn::InvertedBottleneck block(
        nn::InvertedBottleneckOptions{.in_channels = o["in_channels"],
                                      .out_channels = o["out_channels"],
                                      .expansion = o["expansion"],
                                      .kernel_time = o["kernel_time"],
                                      .kernel_freq = o["kernel_freq"],
                                      .stride_freq = o["stride_freq"],
                                      .upsample_freq = o["upsample_freq"],
                                      .dilation_time = o["dilation_time"],
                                      .lookahead = o["lookahead"],
                                      .norm = by_name<nn::NormKind>(o["norm"]),
                                      .activation = by_name<nn::ActivationKind>(o["activation"])});
    nn::load_state(*block, golden.group(name + "/state"), name);
    block->train(o["train"].get<bool>());
    auto x = golden.at(name + "/input").clone().requires_grad_();
    const auto y = block(x, nn::Pass{.kernels = kernels});
    EXPECT_LT(relative_difference(y, golden.at(name + "/output")), kForward);
    (y * golden.at(name + "/probe")).sum().backward();
    EXPECT_LT(relative_difference(x.grad(), golden.at(name + "/grad_input")), kGradient);
    expect_gradients(*block, golden.group(name + "/grad"));
    EXPECT_EQ(block->costs("block", o["bins"]).front().macs, o["macs_per_frame"].get<int64_t>());
    const auto after = golden.group(name + "/after");
    EXPECT_EQ(after.empty(), o["norm"] != "batch" || !o["train"].get<bool>());
    for (const auto& [key, value] : after) {
      EXPECT_LT(relative_difference(nn::state_of(*block).at(key), value), kForward) << key;
    }
  }
}

TEST(GoldenInvertedBottleneck, ForwardGradientStatisticsAndMacs) {
  for (const auto kernels : {nn::Kernels::fused, nn::Kernels::reference}) {
    SCOPED_TRACE(to_string(kernels));
    expect_golden_blocks(kernels);
  }
}

/// A preset or a random network, by its name in networks.safetensors.
class GoldenNetwork : public testing::TestWithParam<std::string> {
 protected:
  const Golden golden_{"networks"};
  const nlohmann::json case_ = golden_.cases().at(GetParam());

  std::shared_ptr<nn::DenoisingModel> build(const std::string& memory_format) const {
    const auto config = config::read_text<nn::ModelConfig>(
        case_["yaml"].get<std::string>() + "memory_format: " + memory_format + "\n", GetParam());
    const auto model = nn::build_model(config, SeedKey(1));
    fill_hashed(*model, GetParam());
    model->train(case_["train"].get<bool>());
    return model;
  }

  at::Tensor input() const {
    return (0.1 * hashed(GetParam() + "/noisy", {2, case_["samples"].get<int64_t>()}))
        .to(torch::kFloat);
  }

  struct Bounds {
    double forward, gradient, floor;
  };

  void expect_values(nn::DenoisingModel& model, at::ScalarType dtype, const Bounds& bounds) const {
    model.to(dtype);
    auto x = input().to(dtype).requires_grad_();
    const auto result = model.forward(x, model.tap_names());
    const std::string prefix = GetParam() + "/";
    EXPECT_LT(relative_difference(result.estimate, golden_.at(prefix + "estimate")),
              bounds.forward);
    expect_projections(prefix + "taps", result.taps, golden_.at(prefix + "taps"), bounds.forward,
                       0);
    const auto probe = hashed(prefix + "probe", result.estimate.sizes()).to(dtype);
    (result.estimate * probe).sum().backward();
    std::map<std::string, at::Tensor> gradients = {{"", x.grad()}};
    for (const auto& item : model.named_parameters()) {
      ASSERT_TRUE(item.value().grad().defined()) << item.key();
      gradients[item.key()] = item.value().grad();
    }
    expect_projections(prefix + "gradients", gradients, golden_.at(prefix + "gradients"),
                       bounds.gradient, bounds.floor);
    std::map<std::string, at::Tensor> statistics;
    for (const auto& [name, value] : nn::state_of(model)) {
      if (name.find(".running_") != std::string::npos) statistics[name] = value;
    }
    if (!statistics.empty()) {
      expect_projections(prefix + "statistics", statistics, golden_.at(prefix + "statistics"),
                         bounds.forward, 0);
    }
  }
};

TEST_P(GoldenNetwork, HasTheSameParametersAndMacs) {
  const auto model = build("contiguous");
  EXPECT_EQ(nn::parameter_count(*model), case_["parameters"].get<int64_t>());
  EXPECT_EQ(shapes_digest(*model), case_["state"].get<std::string>());
  const auto total = nn::total_cost(model->layer_costs());
  EXPECT_EQ(total.parameters, case_["parameters"].get<int64_t>());
  EXPECT_EQ(total.macs, case_["macs_per_frame"].get<int64_t>());
  EXPECT_DOUBLE_EQ(model->macs_per_second(), case_["macs_per_second"].get<double>());
}

TEST_P(GoldenNetwork, GivesTheSameInDoublePrecision) {
  for (const char* memory_format : {"contiguous", "channels_last"}) {
    SCOPED_TRACE(memory_format);
    expect_values(*build(memory_format), torch::kDouble, {1e-6, 1e-6, 1e-8});
  }
}

TEST_P(GoldenNetwork, GivesTheSame) {
  // Where float32 puts an activation on the other side of a kink, some gradients change by the
  // share of one position. Large networks have so many that this happens; in double precision it
  // does not.
  const bool may_cross = case_["kink_distance"].get<double>() < 3e-6;
  for (const auto& [memory_format, kernels] : kWaysToCompute) {
    SCOPED_TRACE(memory_format + ", " + to_string(kernels));
    const auto model = build(memory_format);
    model->set_kernels(kernels);
    // In one of them, near its kinks, LibTorch's operators lose half a digit in this order.
    const bool by_operators = memory_format == "channels_last" && kernels == nn::Kernels::reference;
    expect_values(*model, torch::kFloat,
                  {by_operators ? 2 * kForward : kForward, may_cross ? 0.05 : kGradient, 0.01});
  }
}

std::vector<std::string> golden_networks() {
  const Golden golden("networks");
  std::vector<std::string> names;
  for (const auto& [name, value] : golden.cases().items()) names.push_back(name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(All, GoldenNetwork, testing::ValuesIn(golden_networks()),
                         [](const auto& instance) { return instance.param; });

/// Section `model:` of a file, as limbeck-pretrain reads it.
struct PresetFile {
  nn::ModelConfig model;
  void describe(config::Visitor& v) { v.section("model", model, "network"); }
};

TEST(GoldenNetworks, HoldEveryPresetAsItIsNow) {
  const auto networks = golden_networks();
  EXPECT_EQ(std::count_if(networks.begin(), networks.end(),
                          [](const auto& name) { return name.starts_with("random_"); }),
            20);
  const Golden golden("networks");
  const std::filesystem::path folder = test::source_dir() / "configs" / "model";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().stem();
    SCOPED_TRACE("run tests/golden/make_network_golden.py: " + name);
    ASSERT_TRUE(golden.cases().contains(name));
    const auto text = golden.cases()[name]["yaml"].get<std::string>();
    const auto theirs = config::read_text<nn::ModelConfig>(text, name);
    const auto ours =
        config::load<PresetFile>({entry.path()}, {"model.memory_format=channels_last"});
    EXPECT_EQ(config::to_yaml(config::to_node(ours.model)),
              config::to_yaml(config::to_node(theirs)));
  }
}

TEST(GoldenModelFile, WrittenByPythonIsRead) {
  const auto path = test::source_dir() / "tests/golden/data/python_model.safetensors";
  const std::string name = read_safetensors(path).metadata.at("case");
  const Golden golden("networks");
  const auto x = 0.1 * hashed(name + "/noisy", {2, golden.cases().at(name).at("samples")});
  at::NoGradGuard no_grad;
  const auto estimate = nn::read_model(path)->forward(x.to(torch::kFloat), {}).estimate;
  EXPECT_LT(relative_difference(estimate, golden.at(name + "/estimate")), kForward);
}

TEST(GoldenModelFile, IsReadByPython) {
  const char* chosen = std::getenv("LIMBECK_PYTHON");
  const std::string python = chosen ? chosen : "python3";
  if (std::system((python + " -c 'import numpy, safetensors, torch, yaml' 2>/dev/null").c_str()) !=
      0)
    GTEST_SKIP() << "no Python with torch, numpy, safetensors and yaml: name one in LIMBECK_PYTHON";
  const TempDir folder;
  const auto model_file = folder.path() / "model.safetensors";
  const auto signals = folder.path() / "signals.safetensors";
  const std::string all_kinds = R"(
bands: {kept: 8, merged: 8}
stem: {stride: 1}
features: magnitude_complex
norm: instance
activation: prelu
temporal: {type: dual_path, hidden: 8, layers: 2, groups: 2}
latent: {channels: 3, in_channels: 4}
skips: concat
mask: bounded_complex
lookahead_frames: 2
)";
  for (const std::string& changes :
       {std::string("temporal: {type: gru, hidden: 6}\n"), all_kinds}) {
    const auto model = make_model(changes);
    fill_hashed(*model, "model");
    model->eval();
    nn::write_model(model_file, *model);
    at::NoGradGuard no_grad;
    const auto noisy = normal({2, 1000}, 2, 0.1);
    write_safetensors(signals,
                      {{{"noisy", noisy}, {"estimate", model->forward(noisy, {}).estimate}}, {}});
    const std::string script = (test::source_dir() / "tests/golden/read_model.py").string();
    EXPECT_EQ(
        std::system((python + " -B " + script + " " + model_file.string() + " " + signals.string())
                        .c_str()),
        0)
        << changes;
  }
}

}  // namespace
}  // namespace limbeck::test
