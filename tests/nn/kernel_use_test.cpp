#include "limbeck/nn/kernel_use.h"

#include <torch/csrc/autograd/function.h>

#include <map>
#include <set>

#include "limbeck/nn/initialize.h"
#include "limbeck/nn/streaming_denoiser.h"
#include "nn/denoising_autoencoder.h"
#include "nn/presets.h"
#include "nn/random_model.h"

// That the kernels run wherever they can, in every shipped network and in networks of all kinds: a
// fast path that is lost gives the same values, so no other test would notice.

namespace limbeck::test {
namespace {

using Line = nn::KernelUse::Line;

/// Of the operations that have a kernel, all are run by it.
void expect_kernels(const nn::KernelUse& use) {
  EXPECT_FALSE(use.calls().empty());
  EXPECT_THAT(use.lost(), testing::IsEmpty());
  for (const auto& [line, calls] : use.calls()) {
    EXPECT_EQ(line.fall_back, "") << line.operation;
    const bool has_kernel = line.operation.starts_with("batch_norm") ||
                            line.operation == "inverted_bottleneck" ||
                            line.operation == "depthwise_conv" || line.operation == "conv 1x1" ||
                            line.operation == "gru";
    if (has_kernel) {
      EXPECT_EQ(line.by, "kernel") << line.operation;
    }
  }
}

int64_t calls_of(const nn::KernelUse& use, const std::string& operation) {
  int64_t sum = 0;
  for (const auto& [line, calls] : use.calls()) {
    if (line.operation.starts_with(operation)) sum += calls;
  }
  return sum;
}

/// What the backward pass of `y` runs, by LibTorch's names.
std::map<std::string, int64_t> backward_nodes(const at::Tensor& y) {
  std::map<std::string, int64_t> names;
  std::set<torch::autograd::Node*> seen;
  std::vector<torch::autograd::Node*> open = {y.grad_fn().get()};
  while (!open.empty()) {
    auto* node = open.back();
    open.pop_back();
    if (node == nullptr || !seen.insert(node).second) continue;
    ++names[node->name()];
    for (const auto& edge : node->next_edges()) open.push_back(edge.function.get());
  }
  return names;
}

/// A pass forward and backward, as in training, of items with padding or without.
nn::KernelUse train(nn::DenoisingModel& model, const std::vector<int64_t>& valid) {
  nn::KernelUse use;
  model.train();
  model.watch(&use);
  const auto result = model.forward(normal({2, 4000}, 1, 0.1), model.tap_names(), valid);
  model.watch(nullptr);
  const auto backward = backward_nodes(result.estimate);
  for (const char* plain : {"NativeBatchNormBackward0", "MkldnnBatchNormBackward0",
                            "PreluKernelBackward0", "HardtanhBackward0", "HardtanhBackward1"}) {
    EXPECT_EQ(backward.count(plain), 0U) << plain;
  }
  for (const auto& [name, tap] : result.taps) {
    // A tap of one channel lies in both orders.
    EXPECT_TRUE(tap.is_contiguous(at::MemoryFormat::ChannelsLast)) << name;
    // retain_grad() would reorder it. Of the channels of a joined skip it is a part.
    tap.register_hook([tap_name = name](const at::Tensor& gradient) {
      EXPECT_TRUE(gradient.is_contiguous(at::MemoryFormat::ChannelsLast) || gradient.stride(1) == 1)
          << "gradient of " << tap_name << " with strides " << gradient.strides();
    });
  }
  (result.estimate * normal({2, 4000}, 2)).sum().backward();
  return use;
}

/// In every setting.
void expect_kernels_everywhere(const std::shared_ptr<nn::DenoisingModel>& model) {
  const auto in = [&](const char* what, const auto& body) {
    SCOPED_TRACE(what);
    nn::KernelUse use;
    model->watch(&use);
    body();
    model->watch(nullptr);
    expect_kernels(use);
    return use;
  };
  {
    SCOPED_TRACE("training");
    const auto use = train(*model, {});
    expect_kernels(use);
    EXPECT_GT(calls_of(use, "inverted_bottleneck") + calls_of(use, "depthwise_conv"), 0);
    SCOPED_TRACE("with padding");
    expect_kernels(train(*model, {4000, 1700}));
  }
  model->eval();
  at::NoGradGuard no_grad;
  for (const int64_t samples : {4000, 1}) {
    in("evaluation", [&] { model->forward(normal({1, samples}, 3, 0.1), {}); });
    in("taps alone", [&] { model->taps(normal({2, samples}, 3, 0.1), {"latent"}); });
  }
  model->fuse();
  const auto folded = in("folded", [&] { model->forward(normal({2, 4000}, 4, 0.1), {}); });
  EXPECT_EQ(calls_of(folded, "batch_norm"), 0);
  nn::StreamingDenoiser stream(model);
  stream.process(normal({stream.delay_samples()}, 6, 0.1));
  for (const int64_t samples : {300, 260, 2000, 700}) {
    in("streaming", [&] { stream.process(normal({samples}, 5, 0.1)); });
  }
}

class KernelsOfPresets : public testing::TestWithParam<std::string> {};

TEST_P(KernelsOfPresets, RunInTrainingEvaluationFoldedAndStreaming) {
  const auto model = nn::build_model(read_preset(GetParam()), SeedKey(1));
  train(*model, {});
  nn::KernelUse use;
  model->watch(&use);
  model->forward(normal({1, 4000}, 1, 0.1), {});
  EXPECT_GT(calls_of(use, "inverted_bottleneck"), 0);
  EXPECT_EQ(calls_of(use, "depthwise_conv"), 0) << "a block that runs in steps";
  expect_kernels_everywhere(model);
}

INSTANTIATE_TEST_SUITE_P(All, KernelsOfPresets, testing::ValuesIn(preset_names()),
                         [](const auto& instance) { return instance.param; });

/// One channel at the input, the latent, the skips and the mask; odd bins; steps of the future.
TEST(KernelUse, NetworksOfAllKindsRunOnKernels) {
  for (const char* changes :
       {"features: magnitude\nmask: real", "features: log_magnitude\nlatent: {channels: 1}",
        "features: magnitude\nmask: real\nskips: concat\nstem: {channels: 1, kernel_time: 3}",
        "features: magnitude_complex\nmask: bounded_complex\nskips: none\nexpansion: 1",
        "features: magnitude\nactivation: prelu\nstem: {kernel_time: 3}\nlookahead_frames: 3",
        "features: magnitude\ntemporal: {type: gru, hidden: 8}",
        "features: magnitude\ntemporal: {type: dual_path, hidden: 8}",
        "features: magnitude\nencoder: [{channels: 1, stride: 1, kernel_time: 2}, {channels: 3, "
        "stride: 4, kernel_time: 4}]"}) {
    SCOPED_TRACE(changes);
    expect_kernels_everywhere(make_model(std::string(changes) + "\nmemory_format: channels_last"));
  }
}

/// Lines of the operations that have a kernel.
std::set<Line> lines(nn::DenoisingModel& model, const at::Tensor& x) {
  nn::KernelUse use;
  model.watch(&use);
  model.forward(x, {});
  model.watch(nullptr);
  EXPECT_THAT(use.lost(), testing::IsEmpty());
  EXPECT_THAT(use.text(), testing::HasSubstr("batch_norm"));
  std::set<Line> lines;
  for (const auto& [line, calls] : use.calls()) {
    if (line.operation == "batch_norm" || line.operation == "depthwise_conv") lines.insert(line);
  }
  return lines;
}

TEST(KernelUse, NamesWhyOperatorsRunWhereTheyWereAskedFor) {
  const auto x = normal({2, 400}, 6, 0.1);
  const auto expected = [](const char* why) {
    return std::set<Line>{{"batch_norm", why, "libtorch"}, {"depthwise_conv", why, "libtorch"}};
  };
  const auto contiguous = make_model("memory_format: contiguous");
  EXPECT_EQ(lines(*contiguous, x), expected("memory_format: contiguous"));
  const auto model = make_model("memory_format: channels_last");
  model->set_kernels(nn::Kernels::reference);
  EXPECT_EQ(lines(*model, x), expected("run.kernels: reference"));
  model->set_kernels(nn::Kernels::fused);
  model->to(torch::kDouble);
  EXPECT_EQ(lines(*model, x.to(torch::kDouble)), expected("not float32"));
}

TEST(KernelUse, ReferenceGivesTheSameFromTheSameParameters) {
  for (const auto& name : preset_names()) {
    SCOPED_TRACE(name);
    const auto model = nn::build_model(read_preset(name), SeedKey(2));
    shake_statistics(*model);
    model->eval();
    at::NoGradGuard no_grad;
    const auto x = normal({1, 8000}, 7, 0.1);
    const auto fused = model->forward(x, {}).estimate;
    model->set_kernels(nn::Kernels::reference);
    const auto reference = model->forward(x, {}).estimate;
    EXPECT_LT(relative_difference(fused, reference), 1e-5);
    EXPECT_FALSE(same_bits(fused, reference)) << "nothing else ran";
  }
}

TEST(KernelUse, AFormatThatIsLostIsNamed) {
  nn::KernelUse use;
  const nn::Pass pass{.use = &use};
  nn::Conv conv(
      nn::ConvOptions{.in_channels = 3, .out_channels = 3, .kernel_freq = 3, .depthwise = true});
  nn::initialize(*conv, SeedKey(1));
  const auto x = normal({2, 3, 4, 5}, 8);
  const auto y = conv->forward(x, pass);
  EXPECT_THAT(use.lost(), testing::ElementsAre("copy"));
  EXPECT_LT(relative_difference(
                y, conv->forward(x.contiguous(at::MemoryFormat::ChannelsLast), nn::Pass())),
            1e-6);
}

}  // namespace
}  // namespace limbeck::test
