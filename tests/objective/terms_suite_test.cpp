#include <array>

#include "limbeck/core/format.h"
#include "objective/scene.h"
#include "objective/suite.h"

// What every distillation term must do, whatever it compares. A term of the registry comes in by
// its row in examples.h.

namespace limbeck::test {
namespace {

class DistillTerms : public testing::TestWithParam<Example> {
 protected:
  std::unique_ptr<objective::DistillTerm> build() const {
    return term_from_yaml(GetParam().yaml(), scene.student, scene.teacher);
  }
  Scene scene;
  std::unique_ptr<objective::DistillTerm> term = build();
};

/// The value, and the gradients of the leaves and of the term's parameters.
std::vector<at::Tensor> run(objective::DistillTerm& term, Scene& scene, bool mixed = false) {
  const auto leaves = scene.leaves(term);
  clear_gradients(term);
  at::Tensor value;
  {
    const Autocast autocast(mixed);
    value = term.forward(scene.input());
  }
  value.backward();
  std::vector<at::Tensor> results = {value.detach()};
  for (const auto& [name, leaf] : leaves) results.push_back(leaf->grad());
  for (const auto& parameter : term.parameters()) results.push_back(parameter.grad());
  return results;
}

TEST_P(DistillTerms, GradientsAreThoseOfFiniteDifferences) {
  term->to(torch::kDouble);
  scene.to(torch::kDouble);
  if (!term->needs_teacher_estimate()) {
    scene.frame_mask[0][5] = 0;  // no frame may be all of one kind
  } else {
    for (at::Tensor* signal : {&scene.clean, &scene.student_estimate, &scene.teacher_estimate})
      *signal = signal->narrow(1, 460, 60).contiguous();
    scene.sample_mask = lengths_mask({60, 45, 30}, 60).to(torch::kDouble);
  }
  const auto leaves = scene.leaves(*term);
  const auto value = [&] { return term->forward(scene.input()); };
  value().backward();
  for (const auto& [name, leaf] : leaves) {
    const auto expected = central_differences(value, leaf->detach());
    EXPECT_GT(expected.abs().max().item<double>(), 0) << name;
    EXPECT_LT(relative_difference(leaf->grad(), expected), 1e-6) << name;
  }
  expect_parameter_gradients(*term, value);
}

TEST_P(DistillTerms, WhatLiesInPaddingChangesNothing) {
  const auto with_garbage = [&](uint64_t seed, double loudness) {
    Scene other = scene;
    const auto fill = [&](at::Tensor& x, const at::Tensor& mask) {
      const auto garbage = normal(x.sizes().vec(), seed++, loudness);
      x = x * mask + garbage * (1 - mask);
    };
    const auto columns = [](const at::Tensor& mask) { return mask.unsqueeze(1).unsqueeze(-1); };
    for (auto& [name, x] : other.student_taps) fill(x, columns(scene.frame_mask));
    for (auto& [name, x] : other.teacher_taps) fill(x, columns(scene.teacher_frame_mask));
    for (at::Tensor* x : {&other.clean, &other.student_estimate, &other.teacher_estimate})
      fill(*x, scene.sample_mask);
    const auto results = run(*term, other);
    const auto taps = term->student_taps();
    const auto mask = taps.empty() ? scene.sample_mask : columns(scene.frame_mask);
    for (size_t i = 0; i < std::max<size_t>(taps.size(), 1); ++i)
      EXPECT_EQ((results[1 + i] * (1 - mask)).abs().max().item<float>(), 0) << i;
    return results;
  };
  const auto quiet = with_garbage(400, 0);
  const auto loud = with_garbage(500, 100);
  EXPECT_GT(quiet[0].item<float>(), 0);
  for (size_t i = 0; i < quiet.size(); ++i)
    EXPECT_LT(relative_difference(loud[i], quiet[i]), 2e-5) << i;
}

TEST_P(DistillTerms, TapsInHalfPrecisionAreComparedInFloat) {
  for (const auto type : {torch::kBFloat16, torch::kHalf}) {
    Scene half = scene;
    Scene rounded = scene;
    const auto through = [&](at::Tensor& x, bool back) {
      x = x.to(type);
      if (back) x = x.to(torch::kFloat);
    };
    for (auto [s, back] : {std::pair(&half, false), std::pair(&rounded, true)}) {
      for (auto& [name, x] : s->student_taps) through(x, back);
      for (auto& [name, x] : s->teacher_taps) through(x, back);
      through(s->student_estimate, back);
      through(s->teacher_estimate, back);
    }
    const auto value = term->forward(half.input());
    EXPECT_EQ(value.scalar_type(), torch::kFloat);
    EXPECT_TRUE(same_bits(value, term->forward(rounded.input())));
  }
}

TEST_P(DistillTerms, MixedPrecisionEndsBeforeTheTerm) {
  expect_no_autocast([&](bool mixed) { return run(*term, scene, mixed); });
}

TEST_P(DistillTerms, FloatIsAsGoodAsDouble) {
  const auto full = run(*term, scene);
  const auto wide = build();
  wide->to(torch::kDouble);
  scene.to(torch::kDouble);
  const auto exact = run(*wide, scene);
  EXPECT_EQ(exact[0].scalar_type(), torch::kDouble);
  EXPECT_LT(relative_difference(full[0], exact[0]), 1e-5);
  for (size_t i = 1; i < full.size(); ++i)
    EXPECT_LT(relative_difference(full[i], exact[i]), 1e-4) << i;
}

TEST_P(DistillTerms, SilenceGivesFiniteGradients) {
  const auto silence_student = [](Scene& s) {
    for (auto& [name, x] : s.student_taps) x.zero_();
    s.student_estimate.zero_();
  };
  const auto silence_teacher = [](Scene& s) {
    for (auto& [name, x] : s.teacher_taps) x.zero_();
    s.teacher_estimate.zero_();
  };
  const std::vector<std::pair<const char*, std::function<void(Scene&)>>> cases = {
      {"student", silence_student},
      {"teacher", silence_teacher},
      {"both",
       [&](Scene& s) {
         silence_student(s);
         silence_teacher(s);
         s.clean.zero_();
       }},
      {"student, and an item of the teacher",
       [&](Scene& s) {
         silence_student(s);
         for (auto& [name, x] : s.teacher_taps) x.select(0, 1).zero_();
         s.teacher_estimate.select(0, 1).zero_();
       }},
      {"an item of both",
       [&](Scene& s) {
         for (nn::Taps* taps : {&s.student_taps, &s.teacher_taps})
           for (auto& [name, x] : *taps) x.select(0, 1).zero_();
         for (at::Tensor* x : {&s.clean, &s.student_estimate, &s.teacher_estimate})
           x->select(0, 1).zero_();
       }},
  };
  for (const auto& [what, silence] : cases) {
    Scene quiet;
    silence(quiet);
    const auto leaves = quiet.leaves(*term);
    clear_gradients(*term);
    const auto loss = term->forward(quiet.input());
    loss.backward();
    SCOPED_TRACE(what);
    expect_finite(loss, "value");
    for (const auto& [name, leaf] : leaves) expect_finite(leaf->grad(), name);
    expect_finite_gradients(*term);
  }
}

TEST_P(DistillTerms, SilenceHasABoundedGradient) {
  const bool has_taps = !term->student_taps().empty();
  const auto norms = [&](Scene& of) {
    auto results = run(*term, of);
    if (!has_taps) results[1] = results[1] * of.student_estimate.detach();  // what a mask gets
    const size_t parameters = results.size() - term->parameters().size();
    std::array<double, 2> squares = {};  // of the leaves, of the parameters
    for (size_t i = 1; i < results.size(); ++i) {
      squares.at(i < parameters ? 0 : 1) += results[i].square().sum().item<double>();
    }
    return squares;
  };
  const auto usual = norms(scene);
  for (const double level : {0.0, 1e-12, 1e-8, 1e-4}) {
    const auto quieten = [&](Scene& s, bool teacher, auto part) {
      for (auto& [name, x] : s.student_taps) part(x, 2).mul_(level);
      if (!has_taps) part(s.student_estimate, 1).mul_(level);
      if (!teacher) return;
      for (auto& [name, x] : s.teacher_taps) part(x, 2).mul_(level);
      for (at::Tensor* x : {&s.clean, &s.teacher_estimate}) part(*x, 1).mul_(level);
    };
    const auto item = [](const at::Tensor& x, int64_t) { return x.select(0, 1); };
    const auto times = [](const at::Tensor& x, int64_t axis) {  // a third of them
      return x.narrow(axis, x.size(axis) / 3, x.size(axis) / 3);
    };
    // An estimate of nothing where there is a signal is a fault that may pull hard.
    for (const bool teacher : {true, false}) {
      if (!teacher && !has_taps) continue;
      Scene silent_item, silent_times;
      quieten(silent_item, teacher, item);
      quieten(silent_times, teacher, times);
      for (auto [what, s] : {std::pair("item", &silent_item), std::pair("times", &silent_times)}) {
        SCOPED_TRACE(format("%s of %s at %g", what, teacher ? "both" : "the student", level));
        const auto now = norms(*s);
        for (size_t i = 0; i < 2; ++i) EXPECT_LE(now.at(i), 50 * 50 * usual.at(i)) << i;
      }
    }
  }
}

TEST_P(DistillTerms, TheSameInputGivesTheSameBits) {
  const auto first = run(*term, scene);
  Scene other;
  std::swap(other.clean, other.student_estimate);
  for (auto& [name, x] : other.student_taps) x.mul_(3);
  run(*term, other);  // leaves nothing behind
  const auto fresh = build();
  for (const auto& again : {run(*term, scene), run(*fresh, scene)}) {
    ASSERT_EQ(again.size(), first.size());
    for (size_t i = 0; i < first.size(); ++i) EXPECT_TRUE(same_bits(first[i], again[i])) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(All, DistillTerms, testing::ValuesIn(kTermExamples),
                         [](const auto& instance) { return instance.param.label(); });

TEST(TermExamples, EveryTermHasOne) {
  EXPECT_THAT(missing_rows(objective::distill_terms(), kTermExamples), testing::IsEmpty());
}

TEST(TermExamples, ATermWithoutOneIsNamed) {
  objective::DistillTermRegistry registry = objective::distill_terms();
  registry.add<config::NoOptions>(
      "mine", "",
      [](const config::NoOptions&, const objective::DistillContext&)
          -> std::unique_ptr<objective::DistillTerm> { return nullptr; });
  EXPECT_THAT(missing_rows(registry, kTermExamples),
              testing::ElementsAre("add a row for 'mine' to tests/objective/examples.h"));
}

TEST(Similarity, PaddingOfTheTeacherIsDerivedWhereItIsNotGiven) {
  Scene scene;
  const auto term = term_from_yaml("{name: similarity}", scene.student, scene.teacher);
  scene.teacher_frame_mask = at::Tensor();
  const auto before = term->forward(scene.input());
  // 4 frames of the student end 1024 - 128 samples after the signal's start; the teacher's frame 7
  // is centred at 1120.
  scene.teacher_taps.at("latent").select(0, 1).narrow(1, 7, 2).fill_(50);
  EXPECT_TRUE(same_bits(term->forward(scene.input()), before));
  scene.teacher_taps.at("latent").select(0, 1).narrow(1, 4, 1).fill_(50);
  EXPECT_FALSE(same_bits(term->forward(scene.input()), before));
}

}  // namespace
}  // namespace limbeck::test
