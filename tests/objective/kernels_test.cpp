// What trains beside a network runs on the kernels that the network is told to run on.

#include "limbeck/objective/task.h"
#include "nn/support.h"

namespace limbeck::test {
namespace {

/// What ran where in a step, networks left out.
nn::KernelUse use_of_terms(const std::string& terms, nn::Kernels kernels) {
  const auto student = make_model();
  const auto teacher = make_model(
      "latent: {channels: 6}\nencoder: [{channels: 5, stride: 1, kernel_time: 3}, "
      "{channels: 7, stride: 2, kernel_time: 3}]",
      2);
  student->set_kernels(kernels);
  const auto distill = config::read_text<objective::DistillOptions>("terms: " + terms, "test");
  objective::LearningTask task(student, teacher, {}, distill, 2, SeedKey(1));
  student->train();
  nn::KernelUse use;
  task.watch_kernels(&use);
  student->watch(nullptr);
  teacher->watch(nullptr);
  const auto clean = normal({2, 400}, 20, 0.1);
  task.forward({clean + normal({2, 400}, 21, 0.05), clean, {400, 300}}).total.backward();
  task.watch_kernels(nullptr);
  return use;
}

class KernelsOfTerms : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(KernelsOfTerms, AreThoseOfTheNetwork) {
  const std::string terms = GetParam().second;
  const nn::KernelUse fused = use_of_terms(terms, nn::Kernels::fused);
  bool by_kernel = false;
  for (const auto& [line, calls] : fused.calls()) {
    by_kernel = by_kernel || line.by == "kernel";
    EXPECT_EQ(line.fall_back, "") << fused.text();
  }
  EXPECT_TRUE(by_kernel) << fused.text();

  const nn::KernelUse reference = use_of_terms(terms, nn::Kernels::reference);
  EXPECT_FALSE(reference.calls().empty());
  for (const auto& [line, calls] : reference.calls()) {
    EXPECT_EQ(line.by, "libtorch") << reference.text();
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, KernelsOfTerms,
    testing::Values(std::pair("linear", "[{name: cosine, adapter: linear}]"),
                    std::pair("inverted_bottleneck",
                              "[{name: cosine, adapter: inverted_bottleneck}]"),
                    std::pair("clskd", "[{name: clskd}]")),
    [](const auto& instance) { return std::string(instance.param.first); });

}  // namespace
}  // namespace limbeck::test
