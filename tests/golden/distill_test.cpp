#include <torch/nn/module.h>

#include "golden/golden.h"
#include "limbeck/nn/model_file.h"
#include "objective/from_yaml.h"
#include "objective/tapped_model.h"

namespace limbeck::test {
namespace {

TappedModel model_of(const nlohmann::json& infos) {
  std::vector<std::pair<std::string, nn::TapInfo>> taps;
  for (const char* order : {"encoder", "latent", "middle", "decoder"}) {
    for (const auto& [name, o] : infos.items()) {
      if (!name.starts_with(order)) continue;
      taps.push_back(
          {name, {o["channels"], o["edges"].get<std::vector<double>>(), o["hop"], o["centre"]}});
    }
  }
  return TappedModel(taps);
}

/// Frames of a tap that touch `samples` samples at 16 kHz.
int64_t frames_of(const nn::TapInfo& info, int64_t samples) {
  const auto hop = std::llround(info.hop_seconds * 16000);
  const auto first_start = 2 * std::llround(info.first_centre_seconds * 16000) - hop;
  return (samples - first_start + hop - 1) / hop;
}

at::Tensor frame_mask(const nn::TapInfo& info, const std::vector<int64_t>& valid, int64_t frames) {
  std::vector<int64_t> lengths;
  for (const int64_t samples : valid) lengths.push_back(frames_of(info, samples));
  return lengths_mask(lengths, frames);
}

class GoldenDistill : public testing::TestWithParam<const char*> {};

TEST_P(GoldenDistill, ValuesAndGradients) {
  const Golden golden(std::string("distill_") + GetParam());
  ASSERT_GE(golden.cases().size(), 2u);
  for (const auto& [name, o] : golden.cases().items()) {
    SCOPED_TRACE(name);
    const auto student = model_of(o["student"]);
    const auto teacher = model_of(o["teacher"]);
    const auto term = term_from_yaml(o["yaml"], student, teacher);
    nn::load_state(*term, golden.group(name + "/state"), name);

    nn::Taps student_taps = golden.group(name + "/student");
    for (auto& [tap, x] : student_taps) x = x.clone().requires_grad_();
    const nn::Taps teacher_taps = golden.group(name + "/teacher");
    const auto valid = o["valid"].get<std::vector<int64_t>>();
    const auto mask_of = [&](const TappedModel& model, const nn::Taps& taps) {
      const auto& [tap, x] = *taps.begin();
      return frame_mask(model.tap_info(tap), valid, x.size(2));
    };
    const objective::DistillInput input{.student = student_taps,
                                        .teacher = teacher_taps,
                                        .frame_mask = mask_of(student, student_taps),
                                        .teacher_frame_mask = mask_of(teacher, teacher_taps)};
    const auto loss = term->forward(input);
    EXPECT_LT(relative_difference(loss, golden.at(name + "/loss")), kForward);
    loss.backward();
    for (const auto& [tap, x] : student_taps) {
      EXPECT_LT(relative_difference(x.grad(), golden.at(name + "/grad_student/" + tap)), kGradient)
          << tap;
    }
    expect_gradients(*term, golden.group(name + "/grad"));
  }
}

INSTANTIATE_TEST_SUITE_P(Taps, GoldenDistill,
                         testing::Values("cosine", "fitnet", "attention", "similarity",
                                         "frame_similarity", "clskd", "self_similarity"),
                         [](const auto& instance) { return std::string(instance.param); });

class GoldenDistillOutput : public testing::TestWithParam<const char*> {};

TEST_P(GoldenDistillOutput, ValuesAndGradients) {
  const Golden golden(std::string("distill_") + GetParam());
  ASSERT_EQ(golden.cases().size(), 2u);
  const TappedModel model({});
  for (const auto& [name, o] : golden.cases().items()) {
    SCOPED_TRACE(name);
    const auto config =
        config::read_text<objective::DistillTermConfig>(o["yaml"].get<std::string>(), "golden");
    objective::ObjectiveConfig objective;
    if (!o["objective"].empty() && o["objective"] != "") {
      objective = config::read_text<objective::ObjectiveConfig>(o["objective"].get<std::string>(),
                                                                "golden");
    }
    const auto term =
        objective::distill_terms().build(config.chosen.name(), *config.chosen,
                                         objective::DistillContext{model, model, objective, 3});
    auto estimate = golden.at(name + "/student_estimate").clone().requires_grad_();
    const nn::Taps none;
    const auto loss = term->forward(
        {.student = none,
         .teacher = none,
         .student_estimate = estimate,
         .teacher_estimate = golden.at(name + "/teacher_estimate"),
         .clean = golden.at(name + "/clean"),
         .sample_mask = lengths_mask(o["valid"].get<std::vector<int64_t>>(), estimate.size(1))});
    EXPECT_LT(relative_difference(loss, golden.at(name + "/loss")), kForward);
    loss.backward();
    EXPECT_LT(relative_difference(estimate.grad(), golden.at(name + "/grad_estimate")), kGradient);
  }
}

INSTANTIATE_TEST_SUITE_P(Estimates, GoldenDistillOutput,
                         testing::Values("output", "selective_output"),
                         [](const auto& instance) { return std::string(instance.param); });

}  // namespace
}  // namespace limbeck::test
