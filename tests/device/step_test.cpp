// Training steps on a device that is not the CPU: the values of the CPU, and no waiting.

#include "limbeck/train/step.h"

#include "device/fake_device.h"
#include "limbeck/nn/model_file.h"
#include "nn/presets.h"
#include "nn/support.h"

namespace limbeck::test {
namespace {

using ::testing::IsEmpty;

Batch make_batch(int64_t samples, uint64_t seed) {
  Batch batch;
  batch.size = 2;
  batch.samples = samples;
  batch.valid_samples = {samples, samples - 300};
  const auto values = [&](double scale, uint64_t of) {
    const auto drawn = normal({2 * samples}, of, scale);
    return std::vector<float>(drawn.const_data_ptr<float>(),
                              drawn.const_data_ptr<float>() + 2 * samples);
  };
  batch.clean = values(0.1, seed);
  batch.noisy = values(0.12, seed + 1);
  return batch;
}

TEST(FakeDevice, RefusesTensorsOfTheHost) {
  const auto there = at::ones({3}).to(fake_device());
  EXPECT_THROW(there + at::ones({3}), c10::Error);
  EXPECT_THROW(at::stack({there, at::ones({3})}), c10::Error);
  EXPECT_THROW(at::matmul(there, at::ones({3})), c10::Error);
  take_waits();
  EXPECT_TRUE(at::equal((there + at::scalar_tensor(2.0)).cpu(), at::full({3}, 3.0F)));
  EXPECT_THAT(take_waits(), testing::ElementsAre("read Float [3]"));
  EXPECT_DEATH(EXPECT_EQ(*there.const_data_ptr<float>(), 1), "");
}

class PresetStep : public testing::TestWithParam<std::string> {};

TEST_P(PresetStep, GivesTheValuesOfTheCpuAndWaitsForNothing) {
  const auto config = read_preset(GetParam());
  const auto options = config::read_text<TrainOptions>("{steps: 3}", "test");
  std::map<std::string, at::Tensor> states[2];
  for (const bool fake : {false, true}) {
    const auto model = nn::build_model(config, SeedKey(1));
    model->set_kernels(nn::Kernels::reference);
    const auto device = fake ? fake_device() : at::Device(at::kCPU);
    model->to(device);
    objective::LearningTask task(model, nullptr, {}, {}, 2, SeedKey(1));
    TrainStep step(options, task);
    for (int64_t i = 0; i < 2; ++i) {
      const auto batch = to_device(make_batch(3000, 10 + static_cast<uint64_t>(i)), device);
      if (i == 1) take_waits();
      const auto report = step(batch, i);
      EXPECT_EQ(report.losses.total.device(), device);
    }
    EXPECT_THAT(take_waits(), IsEmpty());
    for (const auto& [name, tensor] : nn::state_of(*model)) states[fake][name] = tensor.cpu();
  }
  for (const auto& [name, tensor] : states[0]) {
    EXPECT_TRUE(same_bits(states[1].at(name), tensor)) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(All, PresetStep, testing::ValuesIn(preset_names()),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace limbeck::test
