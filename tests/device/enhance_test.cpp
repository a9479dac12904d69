// Enhancement on a device that is not the CPU: the values of the CPU.

#include "limbeck/nn/enhance.h"

#include "device/support.h"
#include "limbeck/core/error.h"
#include "limbeck/nn/device.h"

namespace limbeck::test {
namespace {

class EnhanceOnDevice : public testing::TestWithParam<DeviceKind> {};

const std::string kAhead =
    "rate_hz: 4000\nlookahead_frames: 2\nskips: concat\ntemporal: {type: gru, hidden: 6}";

nn::Enhancer enhancer_on(const at::Device& device) {
  return {make_model(kAhead, 5), device, nn::Kernels::reference};
}

TEST_P(EnhanceOnDevice, GivesTheValuesOfTheCpu) {
  LIMBECK_SKIP_WITHOUT(GetParam());
  const auto on_device = enhancer_on(device_of(GetParam())), on_cpu = enhancer_on(at::kCPU);
  for (const int64_t seconds : {1, 31}) {  // as a whole, and as a stream
    const auto noisy = normal({2, seconds * 4000 + 5}, 3, 0.1);
    EXPECT_TRUE(same_on(GetParam(), on_device(noisy), on_cpu(noisy))) << seconds;
  }
  const auto panned = normal({3, 2000}, 4, 0.1);
  const auto there = on_device.stream(3, true), here = on_cpu.stream(3, true);
  const auto begun = there->process(panned);
  EXPECT_FALSE(begun.requires_grad());
  EXPECT_TRUE(same_on(GetParam(), begun, here->process(panned)));
  EXPECT_TRUE(same_on(GetParam(), there->flush(), here->flush()));
}

INSTANTIATE_TEST_SUITE_P(All, EnhanceOnDevice, testing::Values(DeviceKind::fake, DeviceKind::cuda),
                         [](const auto& instance) { return name_of(instance.param); });

TEST(FakeDevice, WithoutRoomForARecordingThatIsAnErrorOfItsOwn) {
  LIMBECK_SKIP_WITHOUT(DeviceKind::fake);
  const auto enhancer = enhancer_on(fake_device());
  const auto noisy = normal({1, 8000}, 5, 0.1);
  const MemoryLimit limit(100000);
  EXPECT_EQ(message_of<DataError>(
                [&] { nn::within_memory(enhancer.device(), [&] { return enhancer(noisy); }); }),
            "out of memory on fake_gpu:0");
}

}  // namespace
}  // namespace limbeck::test
