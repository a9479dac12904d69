#include "objective/scene.h"

namespace limbeck::test {
namespace {

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
