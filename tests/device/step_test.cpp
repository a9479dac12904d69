// Training steps on a device that is not the CPU: the values of the CPU, and no waiting.

#include "limbeck/train/step.h"

#include <algorithm>

#include "device/support.h"
#include "limbeck/core/error.h"
#include "limbeck/nn/device.h"
#include "limbeck/nn/model_file.h"
#include "nn/presets.h"
#include "nn/random_model.h"
#include "objective/examples.h"
#include "train/support.h"

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

/// A training of three steps, in sections of YAML.
struct Recipe {
  std::string name = "";
  nn::ModelConfig student = model_config();
  std::string distill = "";
  std::string train = "";
  std::string objective = "";
  bool adapts = false;  ///< layers beside the student, for which the CPU has this project's kernels
};

void PrintTo(const Recipe& recipe, std::ostream* out) { *out << recipe.name; }

/// What three steps of it gave.
struct Trained {
  std::vector<std::string> waits;  ///< after the first step, which may set things up
  std::vector<at::Tensor> values;
  std::map<std::string, at::Tensor> state;
};

Trained train(const Recipe& recipe, const at::Device& device, const std::string& cache = "") {
  const auto student = nn::build_model(recipe.student, SeedKey(1));
  // On another grid than the student, so that what is compared is brought to one.
  const auto teacher = make_model(
      "stft: {window_samples: 64, hop_samples: 16, fft_samples: 64}\nlatent: {channels: 6}", 2);
  for (const auto& model : {student, teacher}) model->set_kernels(nn::Kernels::reference);
  student->to(device);
  const std::string place = cache.empty() ? "" : "\ncache: {dir: " + cache + "}";
  objective::LearningTask task(
      student, recipe.distill.empty() ? nullptr : teacher,
      config::read_text<objective::ObjectiveConfig>(recipe.objective, "test"),
      config::read_text<objective::DistillOptions>(recipe.distill + place, "test"), 2, SeedKey(1),
      "teacher");
  TrainStep step(config::read_text<TrainOptions>("steps: 3\n" + recipe.train, "test"), task);
  Trained trained;
  for (int64_t i = 0; i < 3; ++i) {
    if (i == 1) take_waits();
    const auto batch = make_batch(1600, 10 + 2 * static_cast<uint64_t>(i));
    const auto report = step({to_device(batch, device)}, i);
    trained.values.push_back(report.losses.total);
    for (const auto* parts : {&report.losses.parts, &report.gradient_norms}) {
      for (const auto& part : *parts) trained.values.push_back(part.value);
    }
    at::stack(trained.values);  // as the trainer does
  }
  trained.waits = take_waits();
  trained.state = step.optimizer().state();
  trained.state.merge(nn::state_of(task.model()));
  trained.state.merge(nn::state_of(task.helpers()));
  return trained;
}

std::vector<Recipe> recipes() {
  std::vector<Recipe> all;
  for (const std::string& preset : preset_names()) {
    all.push_back({.name = "preset_" + preset, .student = read_preset(preset)});
  }
  for (uint64_t i = 0; i < 12; ++i) {  // norms, activations, features, masks, temporal models, …
    all.push_back(
        {.name = format("network_%d", i), .student = model_config(random_causal_model(i))});
  }
  for (const Example& loss : kLossExamples) {
    all.push_back({.name = "loss_" + loss.label(), .objective = "losses: [" + loss.yaml() + "]"});
  }
  const std::vector<std::string> kAdapt = {"cosine", "fitnet", "clskd"};
  for (const Example& term : kTermExamples) {
    const bool adapts = std::ranges::count(kAdapt, std::string(term.name)) > 0;
    all.push_back({.name = "term_" + term.label(),
                   .distill = "terms: [" + term.yaml() + "]",
                   .adapts = adapts});
  }
  const auto add_types = [&](const std::string& key, const std::vector<std::string>& names,
                             const std::string& distill = "") {
    for (const std::string& name : names) {
      all.push_back(
          {.name = key + "_" + name, .distill = distill, .train = key + ": {type: " + name + "}"});
    }
  };
  add_types("optimizer", optimizers().names(), "terms: [attention]");
  add_types("schedule", schedules().names());
  add_types("clip", clips().names());
  all.push_back({.name = "ema", .train = "ema: {decay: 0.9}"});
  const std::string kTerms = "terms: [attention, {name: output, weight: 0.1}]\n";
  for (const auto& [name, more] : std::vector<std::pair<std::string, std::string>>{
           {"balance_warmup", "balance: {mode: warmup, steps: 4}"},
           {"balance_by_gradient", "balance: {mode: gradient_ratio, steps: 5}"},
           {"phases", "phases: [{steps: 1, task: false}, {steps: 1, distill: false}, {}]"},
           {"half_precision", "cache: {precision: float16}"}}) {
    all.push_back({.name = name, .distill = kTerms + more});
  }
  return all;
}

using OnDevice = testing::TestWithParam<std::tuple<DeviceKind, Recipe>>;

class DeviceStep : public OnDevice {};

TEST_P(DeviceStep, GivesTheValuesOfTheCpuAndWaitsForNothing) {
  const auto& [kind, recipe] = GetParam();
  LIMBECK_SKIP_WITHOUT(kind);
  const Trained there = train(recipe, device_of(kind));
  EXPECT_THAT(there.waits, IsEmpty());
  const Trained here = train(recipe, at::kCPU);
  ASSERT_EQ(there.values.size(), here.values.size());
  for (size_t i = 0; i < here.values.size(); ++i) {
    EXPECT_EQ(there.values[i].device(), device_of(kind)) << i;
    if (recipe.adapts) {
      EXPECT_LT(relative_difference(there.values[i].cpu(), here.values[i]), 1e-4) << i;
    } else {
      EXPECT_TRUE(same_on(kind, there.values[i], here.values[i])) << i;
    }
  }
  // Where a gradient is all but 0, AdamW goes by its sign.
  if (kind == DeviceKind::cuda || recipe.adapts) return;
  for (const auto& [name, tensor] : here.state) {
    EXPECT_TRUE(same_on(kind, there.state.at(name), tensor)) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(All, DeviceStep,
                         testing::Combine(testing::Values(DeviceKind::fake, DeviceKind::cuda),
                                          testing::ValuesIn(recipes())),
                         [](const auto& test) {
                           return name_of(std::get<0>(test.param)) + "_" +
                                  std::get<1>(test.param).name;
                         });

TEST(FakeDevice, RefusesTensorsOfTheHost) {
  LIMBECK_SKIP_WITHOUT(DeviceKind::fake);
  const auto there = at::ones({3}).to(fake_device());
  EXPECT_THROW(there + at::ones({3}), c10::Error);
  EXPECT_THROW(at::stack({there, at::ones({3})}), c10::Error);
  EXPECT_THROW(at::matmul(there, at::ones({3})), c10::Error);
  EXPECT_TRUE(at::equal((there + at::scalar_tensor(2.0)).cpu(), at::full({3}, 3.0F)));
  EXPECT_DEATH(EXPECT_EQ(*there.const_data_ptr<float>(), 1), "");
}

TEST(FakeDevice, NotesWhatAGpuIsWaitedFor) {
  LIMBECK_SKIP_WITHOUT(DeviceKind::fake);
  const auto device = fake_device();
  take_waits();
  const auto there = at::ones({3}).to(device);
  EXPECT_THAT(take_waits(), testing::ElementsAre("sent Float [3]"));
  there.sum().item<float>();
  there.cpu();
  EXPECT_THAT(take_waits(), testing::ElementsAre("aten::_local_scalar_dense", "read Float [3]"));
  const auto large = at::ones({100, 1000});
  large.to(device, true);
  EXPECT_THAT(take_waits(), testing::ElementsAre("sent Float [100, 1000]"));
  at::empty({100, 1000}, nn::host_memory(device)).to(device, true);
  at::ones({3}).to(device, true);
  EXPECT_THAT(take_waits(), IsEmpty());
}

/// In the step after those that it measures, a balance makes sure that there is something to go by.
TEST(FakeDevice, IsWaitedForOnceByABalance) {
  LIMBECK_SKIP_WITHOUT(DeviceKind::fake);
  const Recipe recipe{.distill =
                          "terms: [cosine, fitnet]\nbalance: {mode: gradient_ratio, steps: 2}"};
  EXPECT_THAT(train(recipe, fake_device()).waits, testing::ElementsAre("read Double [2]"));
}

TEST(FakeDevice, IsNotWaitedForWhereTheTeacherIsInACache) {
  LIMBECK_SKIP_WITHOUT(DeviceKind::fake);
  const TempDir dir;
  for (const char* precision : {"float32", "float16"}) {
    const std::string cache = (dir / precision).string() + ", precision: " + precision;
    const Recipe recipe{.distill = "terms: [cosine, output]"};
    const Trained computed = train(recipe, fake_device(), cache);
    EXPECT_THAT(computed.waits, testing::Not(IsEmpty()));  // what is stored has to be read
    const Trained cached = train(recipe, fake_device(), cache);
    EXPECT_THAT(cached.waits, IsEmpty());
    for (size_t i = 0; i < cached.values.size(); ++i) {
      EXPECT_TRUE(same_bits(cached.values[i].cpu(), computed.values[i].cpu())) << i;
    }
  }
}

TEST(FakeDevice, OfOtherArithmeticTheTeacherSaysNothingThatIsInACache) {
  LIMBECK_SKIP_WITHOUT(DeviceKind::fake);
  const TempDir dir;
  const Recipe recipe{.distill = "terms: [cosine, output]"};
  train(recipe, fake_device(), dir.path());
  for (const nn::GpuMath& math : {nn::GpuMath{.tf32 = true}, nn::GpuMath{.deterministic = true}}) {
    nn::set_gpu_math(math);
    EXPECT_THAT(train(recipe, fake_device(), dir.path()).waits, testing::Not(IsEmpty()));
  }
  nn::set_gpu_math({});
  EXPECT_THAT(train(recipe, fake_device(), dir.path()).waits, IsEmpty());
}

TEST(FakeDevice, WithoutRoomForABatchTheBatchSizeIsNamed) {
  LIMBECK_SKIP_WITHOUT(DeviceKind::fake);
  const auto device = fake_device();
  const MemoryLimit limit(100000);
  const auto message = message_of<ConfigError>(
      [&] { nn::within_memory(device, "train.batch_size: 2", [&] { train(Recipe{}, device); }); });
  EXPECT_EQ(message,
            "out of memory on fake_gpu:0 with train.batch_size: 2; a smaller one takes less");
}

}  // namespace
}  // namespace limbeck::test
