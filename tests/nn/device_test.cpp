#include "limbeck/nn/device.h"

#include <ATen/Context.h>

#include "limbeck/core/error.h"
#include "nn/support.h"

namespace limbeck::test {
namespace {

TEST(Device, GpuMathSetsTheSwitchesOfLibTorch) {
  auto& context = at::globalContext();
  for (const bool on : {true, false}) {
    nn::set_gpu_math({.tf32 = on, .deterministic = on});
    EXPECT_EQ(context.allowTF32CuDNN(), on);
    EXPECT_EQ(context.allowTF32CuBLAS(), on);
    EXPECT_EQ(context.deterministicAlgorithms(), on);
    EXPECT_TRUE(context.deterministicCuDNN());
    EXPECT_FALSE(context.benchmarkCuDNN());
    EXPECT_STREQ(std::getenv("CUBLAS_WORKSPACE_CONFIG"), ":4096:8");
  }
}

TEST(Device, GpusAreNamedOneByOne) {
  EXPECT_TRUE(nn::gpus("cpu").empty());
  EXPECT_THROW(nn::gpus("gpu"), ConfigError);
  if (nn::is_cpu("auto")) {
    EXPECT_TRUE(nn::gpus("auto").empty());
    return;
  }
  EXPECT_EQ(nn::gpus("auto").front(), "cuda:0");
  EXPECT_EQ(nn::gpus("cuda"), nn::gpus("auto"));
  EXPECT_EQ(nn::gpus("cuda:0"), std::vector<std::string>{"cuda:0"});
}

TEST(Device, OfACpuThereIsNeitherPinnedMemoryNorAPeak) {
  EXPECT_EQ(nn::use_device("cpu"), at::Device(at::kCPU));
  EXPECT_EQ(nn::device_model(at::kCPU), "cpu");
  EXPECT_FALSE(nn::host_memory(at::kCPU).pinned_memory());
  EXPECT_FALSE(nn::peak_memory_bytes(at::kCPU).has_value());
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // which end the process
TEST(Device, WithoutMemoryOnTheHostTheBatchSizeIsNamed) {
  const auto take_all = [] { return at::empty({int64_t{1} << 60}); };
  EXPECT_EQ(
      message_of<ConfigError>([&] { nn::within_memory(at::kCPU, "batch_size: 9", take_all); }),
      "out of memory on cpu with batch_size: 9; a smaller one takes less");
  EXPECT_EQ(message_of<DataError>([&] { nn::within_memory(at::kCPU, take_all); }),
            "out of memory on cpu");
}
#endif

TEST(Device, OtherErrorsAreThrownOn) {
  const auto wrong = [] { return at::ones({2}) + at::ones({3}); };
  EXPECT_THROW(nn::within_memory(at::kCPU, "batch_size: 9", wrong), c10::Error);
}

}  // namespace
}  // namespace limbeck::test
