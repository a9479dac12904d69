// Whole trainings on a device that is not the CPU, whose checkpoints the CPU takes up, and back.

#include "train/trainer.h"

#include "device/support.h"
#include "limbeck/nn/model_file.h"
#include "train/tiny_run.h"

namespace limbeck::test {
namespace {

struct Place {
  at::Device device = at::kCPU;
  int64_t rarely = 4;  ///< how often it logs, validates and saves
  /// Without adapters, for which the CPU has this project's kernels.
  std::string term = "attention";
};

/// Trains a tiny student from a tiny teacher in `path`, or goes on there.
TrainState train_at(const Place& place, const std::filesystem::path& path, int64_t steps,
                    const Dataset& dataset = Tones()) {
  const auto config = config::read_text<TinyConfig>(
      format("train: {steps: %d, batch_size: %d, optimizer: {lr: 5e-3}, validate_every: %d, "
             "log_every: %d}",
             steps, kBatch, place.rarely, place.rarely),
      "test");
  const auto distill = config::read_text<objective::DistillOptions>(
      "terms: [" + place.term + ", output]\nbalance: {mode: gradient_ratio, steps: 100}", "test");
  const auto student =
      nn::build_model(model_config("temporal: {type: gru, hidden: 4}"), SeedKey(1));
  const auto teacher = make_model("latent: {channels: 6}", 2);
  for (const auto& model : {student, teacher}) model->set_kernels(nn::Kernels::reference);
  student->to(place.device);
  objective::LearningTask task(student, teacher, {}, distill, kBatch, SeedKey(1));
  Logger logger(Verbosity::quiet);
  RunDir run(path, Identity("training", 1), config::to_node(config), false);
  const ValidationSet valid(std::make_unique<Tones>(), 4, 9, kBatch);
  Trainer trainer(config.train, {task, dataset, valid, {kBatch, 0, 2, {}, &logger}, run, logger},
                  SeedKey(1), place.device);
  return trainer.run();
}

/// Trains up to the checkpoint of step 4.
void train_a_part(const Place& place, const std::filesystem::path& path) {
  const Tones broken(call_of(7), [](Example&) { throw DataError("the disk is gone"); });
  EXPECT_THROW(train_at(place, path, 10, broken), DataError);
}

void expect_same(DeviceKind kind, const std::filesystem::path& a, const std::filesystem::path& b) {
  const std::filesystem::path last = "checkpoints/step-00000010";
  for (const char* file : {"model.safetensors", "optimizer.safetensors", "helpers.safetensors"}) {
    const auto of_b = read_safetensors(b / last / file).tensors;
    for (const auto& [name, tensor] : read_safetensors(a / last / file).tensors) {
      if (name.starts_with("generator/")) continue;
      EXPECT_TRUE(same_on(kind, of_b.at(name), tensor)) << file << ' ' << name;
    }
  }
}

class DeviceTrainer : public testing::TestWithParam<DeviceKind> {
 protected:
  void SetUp() override { LIMBECK_SKIP_WITHOUT(GetParam()); }
};

TEST_P(DeviceTrainer, ResumedAfterACrashIsTheSame) {
  const TempDir dir;
  const Place there{.device = device_of(GetParam()), .term = "cosine"};
  train_at(there, dir / "whole", 10);
  train_a_part(there, dir / "parts");
  train_at(there, dir / "parts", 10);
  expect_same(GetParam(), dir / "whole", dir / "parts");
}

TEST_P(DeviceTrainer, GoesOnWhereTheCpuWas) {
  const TempDir dir;
  train_at({}, dir / "whole", 10);
  train_a_part({}, dir / "parts");
  train_at({device_of(GetParam())}, dir / "parts", 10);
  expect_same(GetParam(), dir / "whole", dir / "parts");
}

TEST_P(DeviceTrainer, LeavesWhatTheCpuGoesOnFrom) {
  const TempDir dir;
  train_at({}, dir / "whole", 10);
  train_a_part({device_of(GetParam())}, dir / "parts");
  train_at({}, dir / "parts", 10);
  expect_same(GetParam(), dir / "whole", dir / "parts");
}

INSTANTIATE_TEST_SUITE_P(All, DeviceTrainer, testing::Values(DeviceKind::fake, DeviceKind::cuda),
                         [](const auto& test) { return name_of(test.param); });

TEST(FakeDevice, IsWaitedForInNoStepButThoseThatLogOrSave) {
  LIMBECK_SKIP_WITHOUT(DeviceKind::fake);
  const TempDir dir;
  std::vector<size_t> waits;
  for (const int64_t steps : {10, 30}) {
    take_waits();
    train_at({fake_device(), steps}, dir / std::to_string(steps), steps);
    waits.push_back(take_waits().size());
  }
  EXPECT_GT(waits[0], 0u);
  EXPECT_EQ(waits[1], waits[0]);
}

}  // namespace
}  // namespace limbeck::test
