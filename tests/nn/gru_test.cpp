#include "nn/gru.h"

#include <cmath>

#include "nn/double_leaf.h"
#include "nn/levels/gru.h"
#include "nn/support.h"

// Legend: B batch, T frame, F bin, C channel, N rows, S steps.

namespace limbeck::test {
namespace {

// The kernel at every level that this processor has, against LibTorch's operator in double.

struct GruCase {
  int64_t steps, rows, inputs, units;  ///< inputs and units of a group and direction
  int64_t groups = 1;
  bool bidirectional = false, with_start = false;
  nn::Along along = nn::Along::frames;
  int64_t items = 1;            ///< that the rows are split over
  bool channels_first = false;  ///< memory of x and of the gradient is [B, C, T, F]
};

std::string describe(const GruCase& c, CpuLevel level) {
  return format("%s: %d steps, %d rows of %d items, %d groups of %d -> %d, %d %d %d %d",
                to_string(level), c.steps, c.rows, c.items, c.groups, c.inputs, c.units,
                c.bidirectional, c.with_start, static_cast<int>(c.along), c.channels_first);
}

at::Tensor reorder(const at::Tensor& x, const GruCase& c) {
  return c.channels_first ? x.permute({0, 3, 1, 2}).contiguous().permute({0, 2, 3, 1}) : x;
}

struct Problem {
  at::Tensor x, start;
  std::vector<at::Tensor> weights;

  std::vector<at::Tensor> leaves() const {
    std::vector<at::Tensor> all = {x};
    if (start.defined()) all.push_back(start);
    all.insert(all.end(), weights.begin(), weights.end());
    return all;
  }
};

Problem make_problem(const GruCase& c) {
  const int64_t directions = c.bidirectional ? 2 : 1, others = c.rows / c.items;
  const auto sizes = c.along == nn::Along::frames
                         ? std::vector<int64_t>{c.items, c.steps, others, c.groups * c.inputs}
                         : std::vector<int64_t>{c.items, others, c.steps, c.groups * c.inputs};
  Problem p;
  p.x = reorder(normal(sizes, 1), c).requires_grad_();
  if (c.with_start) {
    p.start = normal({c.groups, directions, c.rows, c.units}, 2).requires_grad_();
  }
  for (int64_t i = 0; i < c.groups * directions; ++i) {
    const double scale = 1 / std::sqrt(static_cast<double>(c.inputs + c.units));
    const auto seed = static_cast<uint64_t>(10 * (i + 1));
    p.weights.push_back(normal({3 * c.units, c.inputs}, seed, scale).requires_grad_());
    p.weights.push_back(normal({3 * c.units, c.units}, seed + 1, scale).requires_grad_());
    p.weights.push_back(normal({3 * c.units}, seed + 2, 0.3).requires_grad_());
    p.weights.push_back(normal({3 * c.units}, seed + 3, 0.3).requires_grad_());
  }
  return p;
}

Problem in_double(const Problem& p) {
  Problem q = {double_leaf(p.x), double_leaf(p.start), {}};
  for (const auto& w : p.weights) q.weights.push_back(double_leaf(w));
  return q;
}

at::Tensor reference(const Problem& p, const GruCase& c) {
  const int64_t directions = c.bidirectional ? 2 : 1;
  const bool frames = c.along == nn::Along::frames;
  const auto rows = p.x.permute({frames ? 1 : 2, 0, frames ? 2 : 1, 3}).flatten(1, 2);
  std::vector<at::Tensor> outputs;
  for (int64_t g = 0; g < c.groups; ++g) {
    const auto weights = at::TensorList(p.weights).slice(static_cast<size_t>(4 * directions * g),
                                                         static_cast<size_t>(4 * directions));
    const auto start =
        p.start.defined() ? p.start[g] : at::zeros({directions, c.rows, c.units}, rows.options());
    outputs.push_back(std::get<0>(at::gru(rows.narrow(2, g * c.inputs, c.inputs), start, weights,
                                          true, 1, 0.0, true, c.bidirectional, false)));
  }
  const auto y = at::cat(outputs, 2).view({c.steps, c.items, c.rows / c.items, -1});
  return frames ? y.permute({1, 0, 2, 3}) : y.permute({1, 2, 0, 3});
}

at::Tensor by_kernel(const Problem& p, const GruCase& c, CpuLevel level) {
  return nn::gru_layer(p.x, p.start, p.weights, {c.along, c.groups, c.bidirectional, level});
}

void expect_equal(const GruCase& c) {
  auto expected = in_double(make_problem(c));
  const auto y2 = reference(expected, c);
  const auto probe = reorder(normal(y2.sizes().vec(), 3), c);
  (y2 * probe).sum().backward();
  for (const CpuLevel level : cpu_levels()) {
    SCOPED_TRACE(describe(c, level));
    auto p = make_problem(c);
    const auto y = by_kernel(p, c, level);
    EXPECT_LT(relative_difference(y, y2), 1e-5);
    {
      at::NoGradGuard no_grad;
      EXPECT_TRUE(same_bits(by_kernel(p, c, level), y.detach()));
    }
    (y * probe).sum().backward();
    const auto leaves = p.leaves(), leaves2 = expected.leaves();
    for (size_t i = 0; i < leaves.size(); ++i) {
      ASSERT_TRUE(leaves[i].grad().defined());
      EXPECT_LT(relative_difference(leaves[i].grad(), leaves2[i].grad()), 1e-4) << i;
    }
  }
}

TEST(GruKernel, EqualsLibTorchForAnySizes) {
  for (const int64_t rows : {1, 3, 8, 31, 32, 33}) {
    for (const int64_t steps : {1, 2, 17}) {
      for (const int64_t units : {1, 5, 12, 24}) {
        for (const int64_t inputs : {1, 7, 24}) expect_equal({steps, rows, inputs, units});
      }
    }
  }
  expect_equal({3, 200, 80, 112});
  expect_equal({9, 33, 80, 56});
  expect_equal({2, 5, 37, 65});
}

TEST(GruKernel, EqualsLibTorchInGroupsAndDirectionsFromAStartOverFramesAndBins) {
  for (const auto along : {nn::Along::frames, nn::Along::bins}) {
    for (const bool bidirectional : {false, true}) {
      for (const bool channels_first : {false, true}) {
        for (const int64_t groups : {1, 3}) {
          for (const auto& [inputs, units] : {std::pair(8, 12), std::pair(3, 5), std::pair(1, 1)}) {
            expect_equal(
                {5, 42, inputs, units, groups, bidirectional, true, along, 2, channels_first});
          }
        }
      }
    }
  }
}

TEST(GruKernel, TakesAnExpandedGradient) {
  const GruCase c = {4, 6, 5, 7};
  auto expected = in_double(make_problem(c)), p = make_problem(c);
  reference(expected, c).sum().backward();
  by_kernel(p, c, cpu_level()).sum().backward();
  EXPECT_LT(relative_difference(p.x.grad(), expected.x.grad()), 1e-4);
}

TEST(GruKernel, DerivesOnlyWhatIsAskedFor) {
  const GruCase c = {4, 6, 5, 7, 1, true, true};
  auto expected = make_problem(c);
  by_kernel(expected, c, cpu_level()).sum().backward();
  auto p = make_problem(c);
  p.x = p.x.detach();
  p.start = p.start.detach();
  by_kernel(p, c, cpu_level()).sum().backward();
  EXPECT_FALSE(p.x.grad().defined());
  for (size_t i = 0; i < p.weights.size(); ++i) {
    EXPECT_TRUE(same_bits(p.weights[i].grad(), expected.weights[i].grad())) << i;
  }
}

TEST(GruKernel, NumberOfThreadsChangesNoBit) {
  const GruCase c = {6, 1100, 9, 10, 2, true, true, nn::Along::bins, 4};
  const auto run = [&](int threads) {
    at::set_num_threads(threads);
    const auto p = make_problem(c);
    const auto y = by_kernel(p, c, cpu_level());
    (y * normal(y.sizes().vec(), 3)).sum().backward();
    at::set_num_threads(1);
    std::vector<at::Tensor> all = {y.detach()};
    for (const auto& leaf : p.leaves()) all.push_back(leaf.grad());
    return all;
  };
  const auto one = run(1), three = run(3);
  for (size_t i = 0; i < one.size(); ++i) EXPECT_TRUE(same_bits(one[i], three[i])) << i;
}

TEST(GruKernel, GatesAreWithinTheirStatedErrors) {
  std::vector<float> x;
  for (int i = -400000; i <= 400000; ++i) x.push_back(static_cast<float>(i) * 5e-5F);
  for (const float far : {-1e30F, -1e3F, -90.F, 90.F, 1e3F, 1e30F}) x.push_back(far);
  std::vector<float> sigmoid(x.size()), tanh(x.size());
  for (const CpuLevel level : cpu_levels()) {
    nn::gru_kernels(level).gate_functions(x.data(), sigmoid.data(), tanh.data(),
                                          static_cast<int64_t>(x.size()));
    double worst_sigmoid = 0, worst_tanh = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      const double v = x[i];
      worst_sigmoid = std::max(worst_sigmoid, std::abs(sigmoid[i] - 1 / (1 + std::exp(-v))));
      worst_tanh = std::max(worst_tanh, std::abs(tanh[i] - std::tanh(v)));
    }
    EXPECT_LT(worst_sigmoid, 1e-7) << to_string(level);
    EXPECT_LT(worst_tanh, 2e-7) << to_string(level);
    // What has diverged must not look well.
    const std::vector<float> none(20, NAN);
    nn::gru_kernels(level).gate_functions(none.data(), sigmoid.data(), tanh.data(), 20);
    for (size_t i = 0; i < none.size(); ++i) {
      EXPECT_TRUE(std::isnan(sigmoid[i]) && std::isnan(tanh[i])) << to_string(level);
    }
  }
}

class GruModule : public testing::TestWithParam<std::pair<int64_t, bool>> {
 protected:
  nn::Gru make() const {
    const auto [groups, bidirectional] = GetParam();
    nn::Gru gru(nn::GruOptions{
        .input = 12, .hidden = 24, .layers = 3, .groups = groups, .bidirectional = bidirectional});
    at::NoGradGuard no_grad;
    uint64_t seed = 20;
    for (auto& parameter : gru->parameters()) {
      parameter.copy_(normal(parameter.sizes().vec(), seed++, 0.3));
    }
    return gru;
  }
};

TEST_P(GruModule, KernelsAndReferenceGiveTheSame) {
  auto gru = make();
  for (const auto along : {nn::Along::frames, nn::Along::bins}) {
    std::vector<std::vector<at::Tensor>> results;
    for (const auto kernels : {nn::Kernels::fused, nn::Kernels::reference}) {
      nn::KernelUse use;
      gru->zero_grad();
      auto x = normal({2, 7, 9, 12}, 5).requires_grad_();
      const auto y = gru(x, along, nn::Pass{.kernels = kernels, .use = &use});
      (y * normal(y.sizes().vec(), 6)).sum().backward();
      auto& all = results.emplace_back(std::vector<at::Tensor>{y, x.grad()});
      for (const auto& parameter : gru->parameters()) all.push_back(parameter.grad().clone());
      const bool fused = kernels == nn::Kernels::fused;
      ASSERT_EQ(use.calls().size(), 1U);
      EXPECT_EQ(use.calls().begin()->first,
                (nn::KernelUse::Line{"gru", fused ? "" : "run.kernels: reference",
                                     fused ? "kernel" : "libtorch"}));
    }
    for (size_t i = 0; i < results[0].size(); ++i) {
      EXPECT_LT(relative_difference(results[0][i], results[1][i]), i == 0 ? 1e-5 : 1e-4) << i;
    }
  }
}

TEST_P(GruModule, DoubleTakesTheReference) {
  auto gru = make();
  gru->to(torch::kDouble);
  nn::KernelUse use;
  gru(normal({1, 3, 2, 12}, 5).to(torch::kDouble), nn::Along::frames, nn::Pass{.use = &use});
  ASSERT_EQ(use.calls().size(), 1U);
  EXPECT_EQ(use.calls().begin()->first.fall_back, "not float32");
}

TEST_P(GruModule, AStreamInChunksEqualsTheWhole) {
  at::NoGradGuard no_grad;
  auto gru = make();
  const auto x = normal({2, 11, 5, 12}, 7);
  if (GetParam().second) {  // sees what comes
    nn::StreamState state;
    EXPECT_THROW(gru(x, nn::Along::frames, nn::Pass{.stream = &state}), c10::Error);
    return;
  }
  for (const auto kernels : {nn::Kernels::fused, nn::Kernels::reference}) {
    const auto whole = gru(x, nn::Along::frames, nn::Pass{.kernels = kernels});
    nn::StreamState state;
    std::vector<at::Tensor> pieces;
    for (const auto& [from, count] : {std::pair(0, 1), std::pair(1, 1), std::pair(2, 9)}) {
      pieces.push_back(gru(x.narrow(1, from, count), nn::Along::frames,
                           nn::Pass{.stream = &state, .kernels = kernels}));
      EXPECT_EQ(state.values(), 2 * 5 * gru->state_values());
    }
    EXPECT_LT(relative_difference(at::cat(pieces, 1), whole), 1e-6);
  }
}

INSTANTIATE_TEST_SUITE_P(GroupsAndDirections, GruModule,
                         testing::Values(std::pair<int64_t, bool>(1, false),
                                         std::pair<int64_t, bool>(1, true),
                                         std::pair<int64_t, bool>(2, false),
                                         std::pair<int64_t, bool>(3, true)));

}  // namespace
}  // namespace limbeck::test
