#include <ATen/autocast_mode.h>
#include <torch/nn/module.h>

#include "nn/support.h"
#include "objective/finite_difference.h"
#include "objective/tapped_model.h"

// What every distillation term must do, whatever it compares: gradients, padding, precision.

namespace limbeck::test {
namespace {

struct TermCase {
  const char* label;
  const char* yaml;
};

void PrintTo(const TermCase& c, std::ostream* out) { *out << c.label; }

const TermCase kTerms[] = {
    {"cosine_two_taps",
     "{name: cosine, student: [latent, decoder.0], teacher: [latent, encoder.1]}"},
    {"cosine_utterance", "{name: cosine, granularity: utterance}"},
    {"fitnet_linear", "{name: fitnet, adapter: {type: linear}}"},
    {"fitnet_none",
     "{name: fitnet, student: encoder.0, teacher: encoder.0, "
     "adapter: {type: none}}"},
    {"fitnet_frame_linear", "{name: fitnet, adapter: {type: frame_linear}}"},
    {"fitnet_bottleneck",
     "{name: fitnet, student: [latent, encoder.1], "
     "teacher: [latent, encoder.0], adapter: {type: inverted_bottleneck}}"},
    {"attention", "{name: attention}"},
    {"similarity",
     "{name: similarity, student: [latent, encoder.0], "
     "teacher: [latent, decoder.1]}"},
    {"frame_similarity", "{name: frame_similarity}"},
    {"frame_similarity_mean", "{name: frame_similarity, reduction: mean}"},
    {"clskd", "{name: clskd, width: 3}"},
    {"clskd_named",
     "{name: clskd, width: 2, student: [decoder.1, encoder.1, encoder.0], "
     "teacher: [latent, encoder.1, mask]}"},
    {"self_similarity_time", "{name: self_similarity}"},
    {"self_similarity_frequency", "{name: self_similarity, axis: frequency}"},
    {"output", "{name: output}"},
    {"selective_output",
     "{name: selective_output, share: 0.4, patch_bins: 5, patch_frames: 3, "
     "stft: {window_samples: 32, hop_samples: 8, fft_samples: 32}}"},
};

/// Two networks of different hops, bins and channels, and one batch of three items.
struct Scene {
  static constexpr int64_t kSamples = 1200;
  static constexpr int64_t kStudentFrames = 6;
  static constexpr int64_t kTeacherFrames = 9;
  TappedModel student{{{"encoder.0", grid(2, 4)},
                       {"encoder.1", grid(3, 2)},
                       {"latent", grid(3, 2)},
                       {"decoder.0", grid(3, 2)},
                       {"decoder.1", grid(2, 4)}}};
  TappedModel teacher{{{"encoder.0", grid(2, 6, 160, 320)},
                       {"encoder.1", grid(4, 3, 160, 320)},
                       {"latent", grid(4, 3, 160, 320)},
                       {"decoder.0", grid(5, 3, 160, 320)},
                       {"decoder.1", grid(2, 6, 160, 320)},
                       {"mask", grid(2, 12, 160, 320)}}};
  nn::Taps student_taps = taps(student, kStudentFrames, 100);
  nn::Taps teacher_taps = taps(teacher, kTeacherFrames, 200);
  at::Tensor clean = normal({3, kSamples}, 300, 0.1);
  at::Tensor student_estimate = clean + normal({3, kSamples}, 301, 0.05);
  at::Tensor teacher_estimate = clean + normal({3, kSamples}, 302, 0.05);
  at::Tensor frame_mask = lengths_mask({6, 4, 3}, kStudentFrames);
  at::Tensor teacher_frame_mask = lengths_mask({9, 6, 5}, kTeacherFrames);
  at::Tensor sample_mask = lengths_mask({1200, 700, 500}, kSamples);

  static nn::Taps taps(const TappedModel& model, int64_t frames, uint64_t seed) {
    nn::Taps made;
    for (const auto& name : model.tap_names()) {
      const auto info = model.tap_info(name);
      made[name] = normal({3, info.channels, frames, info.bins()}, seed++);
    }
    return made;
  }

  std::vector<at::Tensor*> all() {
    std::vector<at::Tensor*> tensors = {&clean,      &student_estimate,   &teacher_estimate,
                                        &frame_mask, &teacher_frame_mask, &sample_mask};
    for (auto& [name, tensor] : student_taps) tensors.push_back(&tensor);
    for (auto& [name, tensor] : teacher_taps) tensors.push_back(&tensor);
    return tensors;
  }
  void to(at::ScalarType type) {
    for (at::Tensor* tensor : all()) *tensor = tensor->to(type);
  }
  objective::DistillInput input() {
    return {student_taps,     teacher_taps, frame_mask,  student_estimate,
            teacher_estimate, clean,        sample_mask, teacher_frame_mask};
  }
  /// The student's tensors that `term` looks at, set to require gradients.
  std::vector<std::pair<std::string, at::Tensor*>> leaves(const objective::DistillTerm& term) {
    std::vector<std::pair<std::string, at::Tensor*>> found;
    for (const auto& name : term.student_taps()) found.push_back({name, &student_taps.at(name)});
    if (found.empty()) found.push_back({"estimate", &student_estimate});
    for (auto& [name, tensor] : found) *tensor = tensor->detach().clone().requires_grad_();
    return found;
  }
};

class DistillTerms : public testing::TestWithParam<TermCase> {};

TEST_P(DistillTerms, GradientsAreThoseOfFiniteDifferences) {
  Scene scene;
  const auto term = term_from_yaml(GetParam().yaml, scene.student, scene.teacher);
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
  for (auto& item : term->named_parameters()) {
    const auto expected = central_differences(value, item.value().detach());
    EXPECT_LT(relative_difference(item.value().grad(), expected), 1e-6) << item.key();
  }
}

TEST_P(DistillTerms, WhatLiesInPaddingChangesNothing) {
  Scene scene;
  const auto term = term_from_yaml(GetParam().yaml, scene.student, scene.teacher);
  const auto run = [&](uint64_t seed, double loudness) {
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
    const auto leaves = other.leaves(*term);
    for (auto& parameter : term->parameters()) parameter.mutable_grad().reset();
    const auto loss = term->forward(other.input());
    loss.backward();
    std::vector<at::Tensor> results = {loss.detach()};
    for (const auto& [name, leaf] : leaves) {
      const auto outside = 1 - (name == "estimate" ? scene.sample_mask : columns(scene.frame_mask));
      EXPECT_EQ((leaf->grad() * outside).abs().max().item<float>(), 0) << name;
      results.push_back(leaf->grad());
    }
    for (const auto& parameter : term->parameters()) results.push_back(parameter.grad());
    return results;
  };
  const auto quiet = run(400, 0);
  const auto loud = run(500, 100);
  EXPECT_GT(quiet[0].item<float>(), 0);
  for (size_t i = 0; i < quiet.size(); ++i)
    EXPECT_LT(relative_difference(loud[i], quiet[i]), 2e-5) << i;
}

TEST_P(DistillTerms, TapsInHalfPrecisionAreComparedInFloat) {
  Scene scene;
  const auto term = term_from_yaml(GetParam().yaml, scene.student, scene.teacher);
  Scene rounded = scene;
  const auto through = [](at::Tensor& x, bool back) {
    x = x.to(torch::kBFloat16);
    if (back) x = x.to(torch::kFloat);
  };
  for (auto [s, back] : {std::pair(&scene, false), std::pair(&rounded, true)}) {
    for (auto& [name, x] : s->student_taps) through(x, back);
    for (auto& [name, x] : s->teacher_taps) through(x, back);
    through(s->student_estimate, back);
    through(s->teacher_estimate, back);
  }
  const auto half = term->forward(scene.input());
  EXPECT_EQ(half.scalar_type(), torch::kFloat);
  EXPECT_TRUE(same_bits(half, term->forward(rounded.input())));
}

TEST_P(DistillTerms, MixedPrecisionEndsBeforeTheTerm) {
  Scene scene;
  const auto term = term_from_yaml(GetParam().yaml, scene.student, scene.teacher);
  const auto run = [&](bool mixed) {
    const auto leaves = scene.leaves(*term);
    at::autocast::set_autocast_enabled(at::kCPU, mixed);
    const auto product = at::matmul(torch::ones({2, 2}), torch::ones({2, 2}));
    auto loss = term->forward(scene.input());
    at::autocast::set_autocast_enabled(at::kCPU, false);
    EXPECT_EQ(product.scalar_type(), mixed ? torch::kBFloat16 : torch::kFloat);
    loss.backward();
    return std::pair(loss, leaves.front().second->grad());
  };
  const auto [mixed, mixed_gradient] = run(true);
  const auto [full, full_gradient] = run(false);
  EXPECT_TRUE(same_bits(mixed, full));
  EXPECT_TRUE(same_bits(mixed_gradient, full_gradient));
}

TEST_P(DistillTerms, ZerosGiveAFiniteGradient) {
  Scene scene;
  const auto term = term_from_yaml(GetParam().yaml, scene.student, scene.teacher);
  for (auto& [name, x] : scene.student_taps) x.zero_();
  for (auto& [name, x] : scene.teacher_taps) x.select(0, 1).zero_();
  scene.student_estimate.zero_();
  scene.teacher_estimate.select(0, 1).zero_();
  const auto leaves = scene.leaves(*term);
  const auto loss = term->forward(scene.input());
  loss.backward();
  EXPECT_TRUE(std::isfinite(loss.item<double>()));
  for (const auto& [name, leaf] : leaves)
    EXPECT_TRUE(at::isfinite(leaf->grad()).all().item<bool>()) << name;
  for (auto& item : term->named_parameters()) {
    if (item.value().grad().defined()) {
      EXPECT_TRUE(at::isfinite(item.value().grad()).all().item<bool>()) << item.key();
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, DistillTerms, testing::ValuesIn(kTerms),
                         [](const auto& instance) { return instance.param.label; });

TEST(DistillTermRegistry, EveryTermIsInTheTableAbove) {
  std::set<std::string> tested;
  for (const TermCase& c : kTerms)
    tested.insert(config::read_text<objective::DistillTermConfig>(c.yaml, "test").chosen.name());
  const auto names = objective::distill_terms().names();
  EXPECT_EQ(tested, std::set<std::string>(names.begin(), names.end()));
}

TEST(DistillTermRegistry, PaddingOfTheTeacherIsDerivedWhereItIsNotGiven) {
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

TEST(SelectiveOutput, WhereTheTeacherIsWorseItIsIgnored) {
  Scene scene;
  const char* options =
      "{name: selective_output, share: 1, patch_bins: 4, patch_frames: 4, "
      "stft: {window_samples: 32, hop_samples: 8, fft_samples: 32}}";
  const auto term = term_from_yaml(options, scene.student, scene.teacher);
  const auto output = term_from_yaml("{name: output}", scene.student, scene.teacher);
  const auto value = [&](const auto& t) {
    return t->forward(scene.input()).template item<double>();
  };
  scene.sample_mask = at::Tensor();
  scene.student_estimate = scene.clean + normal({3, Scene::kSamples}, 310, 0.01);
  scene.teacher_estimate = scene.clean + normal({3, Scene::kSamples}, 311, 1);
  EXPECT_EQ(value(term), 0);
  EXPECT_GT(value(output), 0.1);
  scene.teacher_estimate = scene.clean;
  EXPECT_GT(value(term), 0);
  // The teacher is perfect in the first half and bad in the second: only the first half counts.
  auto half = scene.clean.clone();
  half.narrow(1, 600, 600) += normal({3, 600}, 312, 1);
  scene.teacher_estimate = half;
  auto leaf = scene.student_estimate.clone().requires_grad_();
  scene.student_estimate = leaf;
  term->forward(scene.input()).backward();
  EXPECT_GT(leaf.grad().narrow(1, 0, 550).abs().max().item<double>(), 0);
  EXPECT_EQ(leaf.grad().narrow(1, 700, 500).abs().max().item<double>(), 0);
}

TEST(SelectiveOutput, TheShareBoundsHowManyPatchesCount) {
  Scene scene;
  scene.teacher_estimate = scene.clean;
  scene.sample_mask = at::Tensor();
  double last = 1e9;
  for (const char* share : {"0.05", "0.3", "1"}) {
    const auto term = term_from_yaml(
        std::string("{name: selective_output, patch_bins: 4, patch_frames: 4, share: ") + share +
            ", stft: {window_samples: 32, hop_samples: 8, fft_samples: 32}}",
        scene.student, scene.teacher);
    // With the clean signal for a teacher the gap is the distance: the first patches are the worst.
    const double value = term->forward(scene.input()).item<double>();
    EXPECT_LT(value, last);
    last = value;
  }
}

}  // namespace
}  // namespace limbeck::test
