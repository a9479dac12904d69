#include "limbeck/core/error.h"
#include "objective/fake_model.h"
#include "objective/finite_difference.h"
#include "objective/from_yaml.h"
#include "train/support.h"

namespace limbeck::test {
namespace {

constexpr int64_t kFrames = 6;
constexpr int64_t kBins = 4;

std::unique_ptr<objective::DistillTerm> make_term(const std::string& granularity,
                                                  const std::string& adapter,
                                                  int64_t student_channels,
                                                  int64_t teacher_channels) {
  const FakeModel student(grid(student_channels, kBins));
  const FakeModel teacher(grid(teacher_channels, kBins));
  auto term =
      term_from_yaml("{name: cosine, granularity: " + granularity + ", adapter: " + adapter + "}",
                     student, teacher);
  nn::initialize(*term, SeedKey(1));
  return term;
}

at::Tensor distance(objective::DistillTerm& term, const at::Tensor& student,
                    const at::Tensor& teacher, at::Tensor mask = {}) {
  const nn::Taps s{{"latent", student}};
  const nn::Taps t{{"latent", teacher}};
  if (!mask.defined())
    mask = torch::ones({student.size(0), student.size(2)}, student.options().requires_grad(false));
  return term.forward({s, t, mask});
}

/// Frames 0 … 3 of item 1 hold signal, all of item 0.
at::Tensor padded_mask() {
  auto mask = torch::ones({2, kFrames});
  mask[1].narrow(0, 4, kFrames - 4).zero_();
  return mask;
}

at::Tensor features(int64_t channels, uint64_t seed) {
  return normal({2, channels, kFrames, kBins}, seed);
}

class CosineOf : public testing::TestWithParam<std::tuple<const char*, const char*>> {};

TEST_P(CosineOf, GradientsAreThoseOfFiniteDifferences) {
  const auto& [granularity, adapter] = GetParam();
  const int64_t teacher_channels = adapter == std::string("none") ? 3 : 5;
  const auto term = make_term(granularity, adapter, 3, teacher_channels);
  term->to(torch::kDouble);
  const auto student = features(3, 1).to(torch::kDouble);
  const auto teacher = features(teacher_channels, 2).to(torch::kDouble);
  const auto mask = padded_mask().to(torch::kDouble);
  expect_gradient([&](const at::Tensor& z) { return distance(*term, z, teacher, mask); }, student,
                  1e-6);
  if (adapter == std::string("none")) return;  // has no parameters
  for (auto& parameter : term->parameters()) parameter.mutable_grad().reset();
  distance(*term, student, teacher, mask).backward();
  ASSERT_FALSE(term->parameters().empty());
  const auto value = [&] { return distance(*term, student, teacher, mask); };
  for (auto& item : term->named_parameters()) {
    const auto expected = central_differences(value, item.value().detach());
    EXPECT_LT(relative_difference(item.value().grad(), expected), 1e-6) << item.key();
  }
}

TEST_P(CosineOf, GarbageInPaddingChangesNothing) {
  const auto& [granularity, adapter] = GetParam();
  const auto term = make_term(granularity, adapter, 3, 3);
  const auto mask = padded_mask();
  const auto outside = (1 - mask).view({2, 1, kFrames, 1});
  const auto run = [&](double loudness) {
    for (auto& parameter : term->parameters()) parameter.mutable_grad().reset();
    auto z =
        (features(3, 3) * (1 - outside) + features(3, 4) * outside * loudness).requires_grad_();
    const auto t = features(3, 5) * (1 - outside) + features(3, 6) * outside * loudness;
    const auto loss = distance(*term, z, t, mask);
    loss.backward();
    std::vector<at::Tensor> results = {loss.detach(), z.grad()};
    for (const auto& parameter : term->parameters()) results.push_back(parameter.grad());
    return results;
  };
  const auto quiet = run(0);
  const auto loud = run(1000);
  for (size_t i = 0; i < quiet.size(); ++i)
    EXPECT_LT(relative_difference(loud[i], quiet[i]), 1e-6) << i;
  EXPECT_EQ((quiet[1] * outside).abs().max().item<float>(), 0);
  EXPECT_EQ((loud[1] * outside).abs().max().item<float>(), 0);
}

INSTANTIATE_TEST_SUITE_P(All, CosineOf,
                         testing::Combine(testing::Values("frame", "bin", "utterance"),
                                          testing::Values("none", "linear", "frame_linear",
                                                          "inverted_bottleneck")),
                         [](const auto& instance) {
                           return std::string(std::get<0>(instance.param)) + "_" +
                                  std::get<1>(instance.param);
                         });

TEST(Cosine, KnownValues) {
  for (const char* granularity : {"frame", "bin", "utterance"}) {
    const auto term = make_term(granularity, "none", 3, 3);
    const auto z = features(3, 7);
    EXPECT_NEAR(distance(*term, z, z).item<double>(), 0, 1e-6) << granularity;
    EXPECT_NEAR(distance(*term, -z, z).item<double>(), 2, 1e-6) << granularity;
    auto first = torch::zeros({2, 3, kFrames, kBins});
    auto second = first.clone();
    first.select(1, 0).fill_(1);
    second.select(1, 2).fill_(1);
    EXPECT_NEAR(distance(*term, first, second).item<double>(), 1, 1e-6) << granularity;
  }
}

TEST(Cosine, GranularitySaysWhatMaySwing) {
  const auto z = features(3, 8);
  auto by_bin = z.clone();
  by_bin.select(3, 1).mul_(5);
  auto by_frame = z.clone();
  by_frame.select(2, 1).mul_(5);
  const auto value = [&](const char* granularity, const at::Tensor& student) {
    return distance(*make_term(granularity, "none", 3, 3), student, z).item<double>();
  };
  EXPECT_NEAR(value("bin", by_bin), 0, 1e-6);
  EXPECT_GT(value("frame", by_bin), 0.01);
  EXPECT_NEAR(value("frame", by_frame), 0, 1e-6);
  EXPECT_GT(value("utterance", by_frame), 0.01);
}

TEST(Cosine, ScaleOfEitherSideDoesNotMatterPerFrame) {
  const auto term = make_term("frame", "none", 3, 3);
  const auto teacher = features(3, 9);
  auto z = features(3, 10).requires_grad_();
  const auto scales = normal({2, 1, kFrames, 1}, 11).exp();
  const auto before = distance(*term, z, teacher);
  before.backward();
  EXPECT_NEAR(distance(*term, z * scales, teacher).item<double>(), before.item<double>(), 1e-6);
  EXPECT_NEAR(distance(*term, z, teacher * scales).item<double>(), before.item<double>(), 1e-6);
  // Scale is free: no gradient along the frame's own vector.
  const auto along = (z.grad() * z).sum(std::vector<int64_t>{1, 3});
  EXPECT_LT(along.abs().max().item<double>(), 1e-6);
  EXPECT_GT(z.grad().abs().max().item<double>(), 1e-3);
}

/// A student that holds the teacher's latent in another order, sign and mixture.
struct Remix {
  at::Tensor mixing = normal({3, 3}, 12) + 2 * torch::eye(3);
  at::Tensor student = features(3, 13);
  at::Tensor teacher =
      torch::einsum("oc,bctf->botf", {normal({6, 3}, 14), student});  // rank 3 of 6 channels
  at::Tensor remixed = torch::einsum("oc,bctf->botf", {mixing, student});
};

TEST(Cosine, InvertibleRemixIsFreeOnceTheAdapterIsFitted) {
  const Remix remix;
  const auto term = make_term("frame", "linear", 3, 6);
  EXPECT_GT(distance(*term, remix.remixed, remix.teacher).item<double>(), 0.1);
  {
    at::NoGradGuard no_grad;
    // teacher = P z and remixed = M z, so the fitted map is P M⁻¹.
    const auto fitted = at::matmul(normal({6, 3}, 14), at::inverse(remix.mixing));
    term->named_parameters()["adapter.linear.weight"].copy_(fitted.view({6, 3, 1, 1}));
  }
  EXPECT_LT(distance(*term, remix.remixed, remix.teacher).item<double>(), 1e-5);
  // Without an adapter, the same latent in another mixture counts as another latent.
  const auto none = make_term("frame", "none", 3, 3);
  EXPECT_GT(distance(*none, remix.remixed, remix.student).item<double>(), 0.05);
}

TEST(Cosine, AdapterLearnsTheRemix) {
  const Remix remix;
  const auto term = make_term("frame", "linear", 3, 6);
  const auto optimizer = make_optimizer("type: adamw, weight_decay: 0", {{"helpers", term.get()}});
  for (int step = 0; step < 400; ++step) {
    optimizer->zero_grad();
    distance(*term, remix.remixed, remix.teacher).backward();
    optimizer->step(0.05 * (1 - step / 400.0));
  }
  EXPECT_LT(distance(*term, remix.remixed, remix.teacher).item<double>(), 1e-4);
}

/// Of the teacher, at any level of all of it.
void expect_no_part_of_a_quiet_frame(double level) {
  const auto term = make_term("frame", "none", 3, 3);
  auto teacher = level * features(3, 15);
  teacher.select(2, 2).mul_(3e-4);
  auto z = features(3, 16).requires_grad_();
  const auto loss = distance(*term, z, teacher);
  loss.backward();
  EXPECT_EQ(z.grad().select(2, 2).abs().max().item<float>(), 0);
  auto mask = torch::ones({2, kFrames});
  mask.select(1, 2).zero_();
  EXPECT_NEAR(loss.item<double>(), distance(*term, z, features(3, 15), mask).item<double>(), 1e-6);
}

TEST(Cosine, TeacherFramesBelowEpsilonTakeNoPart) {
  for (const double level : {1.0, 1e-3, 1e3}) expect_no_part_of_a_quiet_frame(level);
}

TEST(Cosine, ASilentTeacherTakesNoPart) {
  const auto term = make_term("frame", "none", 3, 3);
  auto z = features(3, 16).requires_grad_();
  const auto loss = distance(*term, z, 1e-8 * features(3, 15));
  loss.backward();
  EXPECT_EQ(loss.item<float>(), 0);
  EXPECT_EQ(z.grad().abs().max().item<float>(), 0);
}

TEST(Cosine, NothingToCompareIsZeroAndFinite) {
  for (const char* granularity : {"frame", "bin", "utterance"}) {
    const auto term = make_term(granularity, "linear", 3, 3);
    auto z = features(3, 17).requires_grad_();
    const auto loss = distance(*term, z, torch::zeros({2, 3, kFrames, kBins}));
    loss.backward();
    EXPECT_EQ(loss.item<float>(), 0) << granularity;
    EXPECT_EQ(z.grad().abs().max().item<float>(), 0) << granularity;
  }
}

TEST(Cosine, ZeroStudentHasAFiniteGradient) {
  for (const char* granularity : {"frame", "bin", "utterance"}) {
    const auto term = make_term(granularity, "none", 3, 3);
    auto z = torch::zeros({2, 3, kFrames, kBins}).requires_grad_();
    const auto loss = distance(*term, z, features(3, 18));
    loss.backward();
    EXPECT_EQ(loss.item<float>(), 1) << granularity;
    EXPECT_TRUE(at::isfinite(z.grad()).all().item<bool>()) << granularity;
  }
}

TEST(Cosine, NoAdapterForUnequalChannelsIsAConfigError) {
  EXPECT_EQ(message_of<ConfigError>([] { make_term("frame", "none", 3, 5); }),
            "student tap 'latent' [B, 3, T, 4], teacher tap 'latent' [B, 5, T, 4]: adapter 'none' "
            "needs equal channels, but the student has 3 and the teacher 5; use adapter: {type: "
            "linear}");
}

}  // namespace
}  // namespace limbeck::test
