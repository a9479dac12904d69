#include <gtest/gtest-spi.h>

#include "objective/suite.h"

// What every denoising loss must do. A loss of the registry comes in by its row in examples.h.

namespace limbeck::test {
namespace {

using objective::LossInput;
using Build = std::function<std::unique_ptr<objective::Loss>()>;

at::Tensor prefix_mask(const std::vector<int64_t>& valid, int64_t size) {
  auto mask = torch::zeros({static_cast<int64_t>(valid.size()), size});
  for (size_t b = 0; b < valid.size(); ++b)
    mask[static_cast<int64_t>(b)].narrow(0, 0, valid[b]).fill_(1);
  return mask;
}

/// Value and gradient by the estimate.
std::vector<at::Tensor> run(objective::Loss& loss, const LossInput& input, bool mixed = false) {
  auto x = input.estimate.detach().clone().requires_grad_();
  at::Tensor value;
  {
    const Autocast autocast(mixed);
    value = loss.forward({x, input.clean, input.mask});
  }
  value.backward();
  return {value.detach(), x.grad()};
}

/// Three items, two of which end early.
LossInput speech(int64_t size = 200) {
  const auto clean = normal({3, size}, 6, 0.1);
  return {clean + normal({3, size}, 7, 0.05), clean, prefix_mask({size, size / 2, 77}, size)};
}

void check_gradients(const Build& build) {
  const auto loss = build();
  loss->to(torch::kDouble);
  const auto clean = normal({2, 60}, 1, 0.1).to(torch::kDouble);
  const auto estimate = 0.8 * clean + normal({2, 60}, 2, 0.05).to(torch::kDouble);
  for (const auto& mask : {at::Tensor(), prefix_mask({60, 37}, 60).to(torch::kDouble)}) {
    expect_gradient([&](const at::Tensor& x) { return loss->forward({x, clean, mask}); }, estimate,
                    1e-6);
  }
}

void check_padding(const Build& build) {
  const auto loss = build();
  const auto& [estimate, clean, mask] = speech();
  const auto with = [&, x = estimate, s = clean, m = mask](const at::Tensor& garbage) {
    return run(*loss, {x * m + garbage * (1 - m), s * m + 3 * garbage * (1 - m), m});
  };
  const auto quiet = with(torch::zeros_like(clean));
  const auto loud = with(normal({3, 200}, 5, 100));
  EXPECT_TRUE(same_bits(quiet[0], loud[0])) << quiet[0] << loud[0];
  EXPECT_TRUE(same_bits(quiet[1], loud[1]));
  EXPECT_EQ((quiet[1] * (1 - mask)).abs().max().item<float>(), 0);
  EXPECT_GT(quiet[1].abs().max().item<float>(), 0);
}

void check_mean_of_items(const Build& build) {
  const auto loss = build();
  const auto input = speech();
  double mean = 0;
  for (int64_t b = 0; b < 3; ++b) {
    const auto size = input.mask[b].sum().to(torch::kLong).item<int64_t>();
    const auto cut = [&](const at::Tensor& x) { return x.narrow(0, b, 1).narrow(1, 0, size); };
    mean += loss->forward({cut(input.estimate), cut(input.clean), {}}).item<double>() / 3;
  }
  EXPECT_NEAR(loss->forward(input).item<double>() / mean, 1, 1e-5);
}

void check_silence(const Build& build) {
  const auto loss = build();
  const auto all = speech();
  const auto silence = torch::zeros_like(all.clean);
  auto one_silent = all.clean.clone();
  one_silent[1].zero_();
  auto one_absent = all.mask.clone();
  one_absent[1].zero_();
  for (const auto& [what, input] :
       {std::pair("estimate", LossInput{silence, all.clean, {}}),
        {"clean", LossInput{all.estimate, silence, {}}},
        {"both", LossInput{silence, silence, {}}},
        {"both, padded", LossInput{silence, silence, all.mask}},
        {"clean of one item", LossInput{all.estimate, one_silent, all.mask}},
        {"both of one item", LossInput{one_silent, one_silent, {}}},
        {"an item without signal", LossInput{all.estimate, all.clean, one_absent}}}) {
    const auto results = run(*loss, input);
    expect_finite(results[0], std::string(what) + ", value");
    expect_finite(results[1], std::string(what) + ", gradient");
  }
}

/// Of one item, or of a third of the time, in both signals: what a mask on the estimate gets.
void check_quiet_gradients(const Build& build) {
  const auto loss = build();
  const auto of_mask = [&](const LossInput& input) {
    return (run(*loss, input)[1] * input.estimate).norm().item<double>();
  };
  const double usual = of_mask(speech());
  for (const double level : {0.0, 1e-12, 1e-8, 1e-4}) {
    auto item = speech();
    auto times = speech();
    for (const at::Tensor& x : {item.estimate, item.clean}) x.select(0, 1).mul_(level);
    for (const at::Tensor& x : {times.estimate, times.clean}) x.narrow(1, 60, 60).mul_(level);
    EXPECT_LT(of_mask(item), 10 * usual) << level;
    EXPECT_LT(of_mask(times), 10 * usual) << level;
  }
}

void check_precision(const Build& build) {
  const auto single = build();
  const auto wide = build();
  wide->to(torch::kDouble);
  const auto input = speech();
  const auto as = [&](at::ScalarType type) {
    return LossInput{input.estimate.to(type), input.clean.to(type), input.mask.to(type)};
  };
  const auto full = run(*single, input);
  const auto exact = run(*wide, as(torch::kDouble));
  EXPECT_EQ(exact[0].scalar_type(), torch::kDouble);
  EXPECT_LT(relative_difference(full[0], exact[0]), 1e-5);
  EXPECT_LT(relative_difference(full[1], exact[1]), 1e-4);
  for (const auto type : {torch::kHalf, torch::kBFloat16}) {
    const auto rounded = as(type);
    const auto half = single->forward(rounded);
    EXPECT_EQ(half.scalar_type(), torch::kFloat);
    EXPECT_TRUE(same_bits(half, single->forward({rounded.estimate.to(torch::kFloat),
                                                 rounded.clean.to(torch::kFloat), input.mask})));
  }
  expect_no_autocast([&](bool mixed) { return run(*single, input, mixed); });
}

void check_determinism(const Build& build) {
  const auto loss = build();
  const auto input = speech();
  const auto first = run(*loss, input);
  run(*loss, {input.clean, input.estimate, {}});  // leaves nothing behind
  for (const auto& again : {run(*loss, input), run(*build(), input)}) {
    EXPECT_TRUE(same_bits(first[0], again[0]));
    EXPECT_TRUE(same_bits(first[1], again[1]));
  }
}

class Losses : public testing::TestWithParam<Example> {
 protected:
  Build build = [] { return loss_from_yaml(GetParam().yaml()); };
};

TEST_P(Losses, GradientIsThatOfFiniteDifferences) { check_gradients(build); }
TEST_P(Losses, GarbageInPaddingChangesNothing) { check_padding(build); }
TEST_P(Losses, APaddedBatchIsTheMeanOfItsItemsAlone) { check_mean_of_items(build); }
TEST_P(Losses, SilenceGivesFiniteGradients) { check_silence(build); }
TEST_P(Losses, SilenceHasABoundedGradient) { check_quiet_gradients(build); }
TEST_P(Losses, SumsAreTakenInFloatAtLeast) { check_precision(build); }
TEST_P(Losses, TheSameInputGivesTheSameBits) { check_determinism(build); }

INSTANTIATE_TEST_SUITE_P(All, Losses, testing::ValuesIn(kLossExamples),
                         [](const auto& instance) { return instance.param.label(); });

TEST(LossExamples, EveryLossHasOne) {
  EXPECT_THAT(missing_rows(objective::losses(), kLossExamples), testing::IsEmpty());
}

/// A loss as somebody might write it.
class Careless : public objective::Loss {
 public:
  using Formula = at::Tensor (*)(const LossInput&);
  explicit Careless(Formula formula) : formula_(formula) {}

 private:
  at::Tensor compute(const LossInput& input) override { return formula_(input); }
  Formula formula_;
};

at::Tensor mask_of(const LossInput& i) {
  return i.mask.defined() ? i.mask : at::ones_like(i.estimate);
}

at::Tensor squares(const LossInput& i) {
  const auto mask = mask_of(i);
  const auto sums = ((i.estimate - i.clean) * mask).square().sum(1);
  return (sums / mask.sum(1).clamp_min(1)).mean();
}

TEST(LossExamples, ALossWithoutOneIsNamed) {
  objective::LossRegistry registry = objective::losses();
  registry.add<config::NoOptions>("squares", "",
                                  [](const config::NoOptions&) -> std::unique_ptr<objective::Loss> {
                                    return std::make_unique<Careless>(squares);
                                  });
  EXPECT_THAT(missing_rows(registry, kLossExamples),
              testing::ElementsAre("add a row for 'squares' to tests/objective/examples.h"));
}

TEST(LossSuite, CatchesWhatItLooksFor) {
  struct Case {
    const char* fault;
    void (*check)(const Build&);
    Careless::Formula formula;
  };
  const Case cases[] = {
      {"ignores the mask", check_padding,
       [](const LossInput& i) { return (i.estimate - i.clean).square().mean(); }},
      {"weighs items by their length", check_mean_of_items,
       [](const LossInput& i) {
         const auto mask = mask_of(i);
         return ((i.estimate - i.clean) * mask).square().sum() / mask.sum();
       }},
      {"divides by the energy", check_silence,
       [](const LossInput& i) {
         const auto mask = mask_of(i);
         return squares(i) / (i.clean * mask).square().sum();
       }},
      {"divides by the energy of each item twice", check_quiet_gradients,
       [](const LossInput& i) {
         const auto energy = (i.clean * mask_of(i)).square().sum(1, true).clamp_min(1e-12);
         return squares({i.estimate / energy, i.clean / energy, i.mask});
       }},
      {"drops a part of the gradient", check_gradients,
       [](const LossInput& i) {
         return squares({i.estimate, i.clean * i.estimate.detach(), i.mask});
       }},
      {"rounds", check_gradients,
       [](const LossInput& i) { return squares(i).to(torch::kHalf).to(i.clean.scalar_type()); }},
      {"knows one precision", check_precision,
       [](const LossInput& i) { return squares(i).to(torch::kFloat); }},
      {"draws", check_determinism,
       [](const LossInput& i) { return squares(i) * at::rand({}, i.clean.options()); }},
  };
  const auto failures = [](const Case& c, Careless::Formula formula) {
    testing::TestPartResultArray results;
    const testing::ScopedFakeTestPartResultReporter reporter(
        testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &results);
    c.check([&] { return std::make_unique<Careless>(formula); });
    return results.size();
  };
  for (const Case& c : cases) {
    EXPECT_GT(failures(c, c.formula), 0) << c.fault;
    EXPECT_EQ(failures(c, squares), 0) << c.fault;
  }
}

}  // namespace
}  // namespace limbeck::test
