#include "limbeck/objective/task.h"

#include "limbeck/core/error.h"
#include "limbeck/nn/model_file.h"
#include "limbeck/train/optimizer.h"
#include "nn/support.h"

namespace limbeck::test {
namespace {

using objective::DistillTask;
using objective::SupervisedTask;
using objective::TaskBatch;

TaskBatch make_batch(int64_t samples = 400, std::vector<int64_t> valid = {400, 400}) {
  const auto clean = normal({2, samples}, 20, 0.1);
  return {clean + normal({2, samples}, 21, 0.05), clean, std::move(valid)};
}

objective::DistillOptions distill_options(const std::string& terms) {
  return config::read_text<objective::DistillOptions>("terms: " + terms, "test");
}

const char* const kLinear = "[{name: cosine, weight: 2, adapter: {type: linear}}]";
/// Other width, bins, hop and channels than the student.
const char* const kTeacher =
    "stft: {window_samples: 40, hop_samples: 20, fft_samples: 48}\nlatent: {channels: 7}\n"
    "stem: {stride: 1}\nencoder: [{channels: 5, stride: 2, kernel_time: 3}]";

void expect_same_state(const torch::nn::Module& a, const torch::nn::Module& b) {
  const auto other = nn::state_of(b);
  for (const auto& [name, tensor] : nn::state_of(a))
    EXPECT_TRUE(same_bits(tensor, other.at(name))) << name;
}

TEST(DistillTask, WithoutTermsIsTheSupervisedTaskToTheBit) {
  SupervisedTask supervised(make_model(), {});
  DistillTask distilled(make_model(), make_model(kTeacher), {}, {}, 2, SeedKey(1));
  const auto train = [](objective::LearningTask& task) {
    AdamW optimizer({}, {{"model", &task.model()}, {"helpers", &task.helpers()}});
    task.model().train();
    std::vector<at::Tensor> losses;
    for (int step = 0; step < 3; ++step) {
      optimizer.zero_grad();
      const auto report = task.forward(make_batch(400, {400, 300}));
      report.total.backward();
      optimizer.step(1);
      losses.push_back(report.total.detach());
      EXPECT_EQ(report.parts.size(), 2u);
    }
    return losses;
  };
  const auto a = train(supervised);
  const auto b = train(distilled);
  for (size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(same_bits(a[i], b[i])) << i;
  expect_same_state(supervised.model(), distilled.model());
}

TEST(DistillTask, TeacherStaysAsItIs) {
  const auto teacher = make_model(kTeacher, 2);
  std::map<std::string, at::Tensor> before;
  for (const auto& [name, tensor] : nn::state_of(*teacher)) before[name] = tensor.detach().clone();
  DistillTask task(make_model(), teacher, {}, distill_options(kLinear), 2, SeedKey(1));
  AdamW optimizer({}, {{"model", &task.model()}, {"helpers", &task.helpers()}});
  for (int step = 0; step < 3; ++step) {
    task.model().train();
    task.helpers().train();
    optimizer.zero_grad();
    task.forward(make_batch()).total.backward();
    optimizer.step(1);
  }
  EXPECT_FALSE(teacher->is_training());
  for (const auto& [name, tensor] : nn::state_of(*teacher)) {
    EXPECT_TRUE(same_bits(tensor, before.at(name))) << name;
    EXPECT_FALSE(tensor.requires_grad()) << name;
    EXPECT_FALSE(tensor.grad().defined()) << name;
  }
}

TEST(DistillTask, TermReachesStudentUpToTheLatentAndItsAdapter) {
  DistillTask task(make_model(), make_model(kTeacher, 2), {}, distill_options(kLinear), 2,
                   SeedKey(1));
  SupervisedTask alone(make_model(), {});
  const auto report = task.forward(make_batch());
  report.total.backward();
  alone.forward(make_batch()).total.backward();
  const auto supervised = alone.model().named_parameters();
  for (const auto& item : task.model().named_parameters()) {
    const auto& other = supervised[item.key()].grad();
    const bool beyond = item.key().starts_with("decoder") || item.key().starts_with("head") ||
                        item.key().starts_with("latent_out");
    EXPECT_EQ(relative_difference(item.value().grad(), other) < 1e-5, beyond) << item.key();
  }
  ASSERT_EQ(task.helpers().named_parameters().size(), 2u);
  for (const auto& item : task.helpers().named_parameters()) {
    EXPECT_TRUE(item.key().starts_with("cosine.adapter.linear.")) << item.key();
    EXPECT_GT(item.value().grad().abs().max().item<double>(), 0) << item.key();
  }
}

TEST(DistillTask, TotalIsTheWeightedSumOfItsParts) {
  DistillTask task(
      make_model(), make_model(kTeacher, 2), {},
      distill_options("[{name: cosine, weight: 2}, {name: cosine, weight: 0.5, granularity: bin}]"),
      2, SeedKey(1));
  const auto report = task.forward(make_batch());
  ASSERT_EQ(report.parts.size(), 4u);
  EXPECT_EQ(report.parts[2].name, "cosine");
  EXPECT_EQ(report.parts[3].name, "cosine_1");
  const double weights[] = {1, 0.01, 2, 0.5};
  double total = 0;
  for (size_t i = 0; i < 4; ++i) {
    total += weights[i] * report.parts[i].value.item<double>();
    EXPECT_FALSE(report.parts[i].value.requires_grad());
  }
  EXPECT_NEAR(report.total.item<double>(), total, 1e-5);
}

TEST(DistillTask, AStudentThatIsTheTeacherHasNoDistance) {
  const auto model = make_model("", 3);
  model->eval();
  DistillTask task(model, make_model("", 3), {},
                   distill_options("[{name: cosine, adapter: {type: none}}]"), 2, SeedKey(1));
  const auto report = task.forward(make_batch(400, {400, 250}));
  EXPECT_NEAR(report.parts[2].value.item<double>(), 0, 1e-5);
}

TEST(DistillTask, SilentPaddingChangesNoPart) {
  // Causal student and teacher in eval mode: what stands before the padding cannot know of it.
  const auto student = make_model("temporal: {type: gru, hidden: 5}");
  student->eval();
  DistillTask task(student, make_model("latent: {channels: 6}", 2), {}, distill_options(kLinear), 2,
                   SeedKey(1));
  auto batch = make_batch();
  for (int64_t b = 0; b < 2; ++b) {
    batch.noisy[b].narrow(0, 300, 100).zero_();
    batch.clean[b].narrow(0, 300, 100).zero_();
  }
  batch.valid_samples = {300, 300};
  const auto padded = task.forward(batch);
  const auto cut =
      task.forward({batch.noisy.narrow(1, 0, 300), batch.clean.narrow(1, 0, 300), {300, 300}});
  for (size_t i = 0; i < cut.parts.size(); ++i) {
    EXPECT_LT(relative_difference(padded.parts[i].value, cut.parts[i].value), 1e-5)
        << cut.parts[i].name;
  }
}

TEST(DistillTask, MistakesAreConfigErrorsThatNameTheTerm) {
  const auto message = [](const std::string& teacher, const std::string& terms) {
    return message_of<ConfigError>([&] {
      DistillTask(make_model(), make_model(teacher), {}, distill_options(terms), 2, SeedKey(1));
    });
  };
  EXPECT_THAT(message(kTeacher, "[{name: cosine, adapter: {type: none}}]"),
              testing::StartsWith("distill.terms.0 (cosine): student tap 'latent' [B, 4, T, 4], "
                                  "teacher tap 'latent' [B, 7, T, 12]: adapter 'none' needs equal "
                                  "channels"));
  EXPECT_THAT(message(kTeacher, "[{name: cosine}, {name: cosine, teacher: decoder.5}]"),
              testing::StartsWith(
                  "distill.terms.1 (cosine): teacher: unknown tap 'decoder.5'; this network has: "
                  "stem,"));
  EXPECT_EQ(message("rate_hz: 8000", kLinear),
            "the student works at 16000 Hz, the teacher at 8000 Hz");
}

}  // namespace
}  // namespace limbeck::test
