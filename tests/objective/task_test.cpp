#include "limbeck/objective/task.h"

#include "limbeck/core/error.h"
#include "limbeck/nn/model_file.h"
#include "nn/support.h"
#include "train/support.h"

namespace limbeck::test {
namespace {

using objective::LearningTask;
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

/// The task without terms.
LearningTask supervised(std::shared_ptr<nn::DenoisingModel> model) {
  return {std::move(model), nullptr, {}, {}, 2, SeedKey(1)};
}

void expect_same_state(const torch::nn::Module& a, const torch::nn::Module& b) {
  const auto other = nn::state_of(b);
  for (const auto& [name, tensor] : nn::state_of(a))
    EXPECT_TRUE(same_bits(tensor, other.at(name))) << name;
}

TEST(LearningTask, WithoutTermsIsSupervisedTrainingToTheBit) {
  // Written out: a network, the losses, an optimizer.
  const auto model = make_model();
  objective::Objective losses{objective::ObjectiveConfig()};
  LearningTask task(make_model(), make_model(kTeacher), {}, {}, 2, SeedKey(1));
  const auto by_hand = make_optimizer("type: adamw", {{"model", model.get()}});
  const auto by_task =
      make_optimizer("type: adamw", {{"model", &task.model()}, {"helpers", &task.helpers()}});
  model->train();
  task.model().train();
  for (int step = 0; step < 3; ++step) {
    const auto batch = make_batch(400, {400, 300});
    auto mask = torch::ones({2, 400});
    mask[1].narrow(0, 300, 100).zero_();
    by_hand->zero_grad();
    objective::LossReport wanted;
    losses.add_to(wanted,
                  {model->forward(batch.noisy, {}, {400, 300}).estimate, batch.clean, mask});
    wanted.total.backward();
    by_hand->step(1e-3);

    by_task->zero_grad();
    const auto report = task.forward(batch);
    report.total.backward();
    by_task->step(1e-3);
    EXPECT_TRUE(same_bits(report.total.detach(), wanted.total.detach())) << step;
    EXPECT_TRUE(same_bits(report.denoising, wanted.total.detach())) << step;
    EXPECT_EQ(report.parts.size(), 2u);
  }
  expect_same_state(*model, task.model());
}

TEST(LearningTask, TeacherStaysAsItIs) {
  const auto teacher = make_model(kTeacher, 2);
  LearningTask task(make_model(), teacher, {}, distill_options(kLinear), 2, SeedKey(1));
  std::map<std::string, at::Tensor> before;
  for (const auto& [name, tensor] : nn::state_of(*teacher)) before[name] = tensor.detach().clone();
  const auto optimizer =
      make_optimizer("type: adamw", {{"model", &task.model()}, {"helpers", &task.helpers()}});
  for (int step = 0; step < 3; ++step) {
    task.model().train();
    task.helpers().train();
    optimizer->zero_grad();
    task.forward(make_batch()).total.backward();
    optimizer->step(1e-3);
  }
  EXPECT_FALSE(teacher->is_training());
  for (const auto& [name, tensor] : nn::state_of(*teacher)) {
    EXPECT_TRUE(same_bits(tensor, before.at(name))) << name;
    EXPECT_FALSE(tensor.requires_grad()) << name;
    EXPECT_FALSE(tensor.grad().defined()) << name;
  }
}

TEST(LearningTask, TermReachesStudentUpToTheLatentAndItsAdapter) {
  LearningTask task(make_model(), make_model(kTeacher, 2), {}, distill_options(kLinear), 2,
                    SeedKey(1));
  auto alone = supervised(make_model());
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

TEST(LearningTask, TotalIsTheWeightedSumOfItsParts) {
  LearningTask task(
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

TEST(LearningTask, AStudentThatIsTheTeacherHasNoDistance) {
  const auto model = make_model("", 3);
  model->eval();
  LearningTask task(model, make_model("", 3), {},
                    distill_options("[{name: cosine, adapter: {type: none}}]"), 2, SeedKey(1));
  const auto report = task.forward(make_batch(400, {400, 250}));
  EXPECT_NEAR(report.parts[2].value.item<double>(), 0, 1e-5);
}

TEST(LearningTask, SilentPaddingChangesNoPart) {
  // Causal student and teacher in eval mode: what stands before the padding cannot know of it.
  const auto student = make_model("temporal: {type: gru, hidden: 5}");
  student->eval();
  LearningTask task(student, make_model("latent: {channels: 6}", 2), {}, distill_options(kLinear),
                    2, SeedKey(1));
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

TEST(LearningTask, WhatLiesInPaddingAndHowMuchOfItTeachesNothing) {
  // In training, with batch norms, where student and teacher look ahead.
  const auto learn = [](int64_t padding, double content) {
    LearningTask task(make_model("lookahead_frames: 1"),
                      make_model("latent: {channels: 6}\nlookahead_frames: 2", 2), {},
                      distill_options(kLinear), 2, SeedKey(1));
    auto batch = make_batch();
    for (at::Tensor* signal : {&batch.noisy, &batch.clean}) {
      *signal = at::constant_pad_nd(*signal, {0, padding}, content);
      (*signal)[1].slice(0, 230).fill_(content);
    }
    batch.valid_samples = {400, 230};
    task.model().train();
    const auto report = task.forward(batch);
    report.total.backward();
    std::vector<at::Tensor> learned = {report.total.detach()};
    for (const auto& item : task.model().named_parameters()) learned.push_back(item.value().grad());
    for (const auto& item : task.model().named_buffers()) learned.push_back(item.value());
    return learned;
  };
  const auto silent = learn(0, 0);
  double largest = 0;
  for (const auto& value : silent) largest = std::max(largest, value.abs().max().item<double>());
  for (const auto& [padding, content] : {std::pair(0, 0.5), std::pair(150, -0.3)}) {
    const auto other = learn(padding, content);
    EXPECT_LT(relative_difference(other[0], silent[0]), 1e-5);
    for (size_t i = 0; i < silent.size(); ++i) {
      EXPECT_LT((other[i] - silent[i]).abs().max().item<double>(), 1e-4 * largest) << i;
    }
  }
}

TEST(LearningTask, MistakesAreConfigErrorsThatNameTheTerm) {
  const auto message = [](const std::string& teacher, const std::string& terms) {
    return message_of<ConfigError>([&] {
      LearningTask(make_model(), make_model(teacher), {}, distill_options(terms), 2, SeedKey(1));
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
            "the student works at 16000 Hz, the teacher at 8000 Hz; give both one rate: a student "
            "with model.rate_hz: 8000, or a teacher that was trained at the student's");
}

/// Whether any parameter whose name starts so has a gradient.
bool reaches(const torch::nn::Module& module, const std::string& prefix) {
  bool found = false;
  for (const auto& item : module.named_parameters()) {
    const auto& gradient = item.value().grad();
    found = found || (item.key().starts_with(prefix) && gradient.defined() &&
                      gradient.abs().max().item<double>() > 0);
  }
  return found;
}

TEST(LearningTask, PhasesDecideWhatAStepTrains) {
  auto options = distill_options(kLinear);
  options.phases = {{2, false, true}, {1, true, true}, {0, true, false}};
  LearningTask task(make_model(), make_model(kTeacher, 2), {}, options, 2, SeedKey(1));
  const auto parts = [&](int64_t step) {
    for (auto& parameter : task.model().parameters()) parameter.mutable_grad().reset();
    for (auto& parameter : task.helpers().parameters()) parameter.mutable_grad().reset();
    auto batch = make_batch();
    batch.step = step;
    const auto report = task.forward(batch);
    report.total.backward();
    std::string names;
    for (const auto& part : report.parts) names += part.name + " ";
    return names;
  };
  for (const int64_t step : {0, 1}) {
    EXPECT_EQ(parts(step), "cosine ");
    EXPECT_TRUE(reaches(task.model(), "latent."));
    EXPECT_FALSE(reaches(task.model(), "head"));
    EXPECT_TRUE(reaches(task.helpers(), "cosine"));
  }
  EXPECT_EQ(parts(2), "compressed_spectrum si_sdr cosine ");
  EXPECT_TRUE(reaches(task.model(), "head") && reaches(task.helpers(), "cosine"));
  for (const int64_t step : {3, 300}) {
    EXPECT_EQ(parts(step), "compressed_spectrum si_sdr ");
    EXPECT_TRUE(reaches(task.model(), "head"));
    EXPECT_FALSE(reaches(task.helpers(), "cosine"));
  }
}

TEST(LearningTask, ValidationKnowsTheDenoisingLossInEveryPhase) {
  auto options = distill_options(kLinear);
  options.phases = {{2, false, true}, {0, true, true}};
  LearningTask task(make_model(), make_model(kTeacher, 2), {}, options, 2, SeedKey(1));
  auto alone = supervised(make_model());
  task.model().eval();
  alone.model().eval();
  at::NoGradGuard no_grad;
  const auto wanted = alone.forward(make_batch()).denoising;
  for (const int64_t step : {0, 2}) {
    auto batch = make_batch();
    batch.step = step;
    const auto report = task.forward(batch);
    EXPECT_TRUE(same_bits(report.denoising, wanted)) << step;
    EXPECT_EQ(report.parts.size(), 3u) << step;
  }
}

TEST(LearningTask, GradientRatioIsThatOfSeparateBackwardPasses) {
  const char* const two =
      "[{name: cosine, weight: 2}, {name: cosine, weight: 0.5, student: encoder.0, teacher: stem}]";
  auto options = distill_options(two);
  options.balance = {"gradient_ratio", 0.4, 1};
  LearningTask task(make_model(), make_model(kTeacher, 2), {}, options, 2, SeedKey(1));
  const auto first = task.forward(make_batch());
  ASSERT_EQ(first.parts.size(), 6u);
  EXPECT_EQ(first.parts[3].name, "lambda_cosine");
  EXPECT_EQ(first.parts[5].name, "lambda_cosine_1");

  // Each part alone, in networks of their own.
  const auto gradients = [&](const std::string& terms) {
    auto plain = distill_options(terms);
    plain.phases = {{1, terms == "[]", true}, {0, true, true}};
    LearningTask other(make_model(), make_model(kTeacher, 2), {}, plain, 2, SeedKey(1));
    other.forward(make_batch()).total.backward();
    std::map<std::string, at::Tensor> all;
    for (const auto& item : other.model().named_parameters()) all[item.key()] = item.value().grad();
    return all;
  };
  const auto of_task = gradients("[]");
  // (The second term's adapter draws other weights where it is alone: they go by its name.)
  double task_square = 0, term_square = 0;
  for (const auto& [name, gradient] : gradients("[{name: cosine}]")) {
    if (!gradient.defined()) continue;
    task_square += of_task.at(name).square().sum().item<double>();
    term_square += gradient.square().sum().item<double>();
  }
  EXPECT_NEAR(first.parts[3].value.item<double>(), 0.4 * std::sqrt(task_square / term_square),
              1e-4);
  double total = 0;
  const double weights[] = {2, 0.5};
  for (size_t i = 0; i < 2; ++i) {
    total += weights[i] * first.parts[3 + 2 * i].value.item<double>() *
             first.parts[2 + 2 * i].value.item<double>();
  }
  EXPECT_NEAR(first.total.item<double>(), first.denoising.item<double>() + total, 1e-5);

  // Frozen after one step; the sums are what a checkpoint keeps.
  auto later = make_batch();
  later.step = 1;
  EXPECT_TRUE(same_bits(task.forward(later).parts[3].value, first.parts[3].value));
  LearningTask other(make_model(), make_model(kTeacher, 2), {}, options, 2, SeedKey(1));
  nn::load_state(other.helpers(), nn::state_of(task.helpers()), "test");
  EXPECT_TRUE(same_bits(other.forward(later).parts[3].value, first.parts[3].value));
}

TEST(LearningTask, ASilentItemDoesNotSetLambda) {
  const std::map<std::string, std::string> options = {
      {"selective_output",
       ", stft: {window_samples: 32, hop_samples: 16, fft_samples: 32}, patch_bins: 4"}};
  for (const std::string& name : objective::distill_terms().names()) {
    SCOPED_TRACE(name);
    const auto found = options.find(name);
    auto distill =
        distill_options("[{name: " + name + (found == options.end() ? "" : found->second) + "}]");
    distill.balance = {"gradient_ratio", 0.5, 2};
    // Over a step of sound and one with an item of `level`.
    const auto lambda = [&](double level) {
      // No biases: silence in is silence at every tap.
      const char* const plain = "norm: none\nfeatures: complex";
      LearningTask task(make_model(plain), make_model(plain, 2), {}, distill, 2, SeedKey(1));
      task.forward(make_batch());
      auto batch = make_batch();
      batch.step = 1;
      for (at::Tensor* x : {&batch.noisy, &batch.clean}) x->select(0, 1).mul_(level);
      const auto report = task.forward(batch);
      EXPECT_EQ(report.parts.back().name, "lambda_" + name);
      return report.parts.back().value.item<double>();
    };
    const double usual = lambda(1);
    for (const double level : {0.0, 1e-12, 1e-8, 1e-4}) {
      EXPECT_LT(std::abs(std::log(lambda(level) / usual)), std::log(5)) << level;
    }
  }
}

TEST(LearningTask, TermsThatNeedTheTeachersEstimateGetIt) {
  const auto student = make_model();
  student->eval();
  LearningTask task(student, make_model(kTeacher, 2), {},
                    distill_options("[{name: output}, {name: cosine}]"), 2, SeedKey(1));
  const auto batch = make_batch(400, {400, 300});
  const auto report = task.forward(batch);
  const auto teacher = make_model(kTeacher, 2);
  teacher->eval();
  at::NoGradGuard no_grad;
  auto towards_teacher = supervised(student);
  const auto wanted =
      towards_teacher
          .forward({batch.noisy, teacher->forward(batch.noisy, {}, batch.valid_samples).estimate,
                    batch.valid_samples})
          .denoising;
  EXPECT_LT(relative_difference(report.parts[2].value, wanted), 1e-4);
  EXPECT_EQ(report.parts[2].name, "output");
}

TEST(LearningTask, ValidationDoesNotCalibrate) {
  auto options = distill_options(kLinear);
  options.balance = {"gradient_ratio", 0.4, 5};
  LearningTask task(make_model(), make_model(kTeacher, 2), {}, options, 2, SeedKey(1));
  task.forward(make_batch());
  const auto before = task.helpers().named_buffers()["balance.term_norms"].clone();
  EXPECT_GT(before.item<double>(), 0);
  task.model().eval();
  task.forward(make_batch());
  task.model().train();
  {
    at::NoGradGuard no_grad;
    task.forward(make_batch());
  }
  EXPECT_TRUE(same_bits(task.helpers().named_buffers()["balance.term_norms"], before));
}

TEST(LearningTask, WatchedStrengthsAreThoseThatTheBalanceAimsAt) {
  auto options = distill_options(kLinear);
  options.balance = {"gradient_ratio", 0.25, 50};
  LearningTask task(make_model(), make_model(kTeacher, 2), {}, options, 2, SeedKey(1));
  task.watch_strengths();
  task.forward(make_batch());
  const auto strengths = task.strengths();
  ASSERT_EQ(strengths.size(), 1u);
  EXPECT_EQ(strengths[0].steps, 1);
  EXPECT_GT(strengths[0].task_norm, 0);
  EXPECT_NEAR(strengths[0].term_norm, 2 * 0.25 * strengths[0].task_norm,  // weight 2
              1e-6 * strengths[0].task_norm);
}

}  // namespace
}  // namespace limbeck::test
