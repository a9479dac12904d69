// What holds for every registered metric.

#include <barrier>
#include <limits>
#include <thread>

#include "limbeck/core/error.h"
#include "limbeck/metric/metric.h"
#include "metric/examples.h"
#include "metric/support.h"

namespace limbeck::metric::test {

void PrintTo(const Example& example, std::ostream* out) { *out << example.column; }

namespace {

constexpr int kRate = 16000;
using Signal = std::vector<float>;

Metric metric_of(const Example& example) {
  const auto metric = metric_of_column(example.column);
  if (!metric) throw ConfigError(example.column + " is no metric");
  return *metric;
}

double score(const Metric& metric, const Signal& clean, const Signal& estimate, int rate = kRate) {
  ScoredPair pair(clean, estimate, rate);
  return metric.score(pair);
}

void expect_number_or_reason(const Metric& metric, const Signal& clean, const Signal& estimate,
                             int rate = kRate) {
  try {
    EXPECT_TRUE(std::isfinite(score(metric, clean, estimate, rate)));
  } catch (const DataError& error) {
    EXPECT_STRNE(error.what(), "");
  }
}

class AllMetrics : public ::testing::TestWithParam<Example> {
 protected:
  const Metric metric_ = metric_of(GetParam());
  const Signal clean_ = synthetic_speech(2.5, kRate);
  const Signal noisy_ = mixed(clean_, 0.02f);

  void expect_effect(Effect effect, double before, double after) const {
    const double change = std::abs(after - before) / std::max(1.0, std::abs(before));
    if (effect == Effect::none) {
      EXPECT_LT(change, 1e-4);
    } else if (effect == Effect::visible) {
      EXPECT_GT(change, 1e-3);
    }
  }
};

TEST_P(AllMetrics, EqualSignalsAreTheBest) {
  const double best = score(metric_, clean_, clean_);
  EXPECT_NEAR(best, GetParam().best, 1e-4);
  const double sign = metric_.higher_is_better ? 1 : -1;
  double better = best;
  for (const float noise : {0.003f, 0.02f, 0.1f}) {
    const double worse = score(metric_, clean_, mixed(clean_, noise));
    EXPECT_LE(sign * worse, sign * better) << "noise of " << noise;
    better = worse;
  }
  EXPECT_LT(sign * better, sign * best);
}

TEST_P(AllMetrics, NothingIsWorseThanTheWorst) {
  ASSERT_TRUE(std::isfinite(metric_.worst));
  const double sign = metric_.higher_is_better ? 1 : -1;
  Signal click(clean_.size(), 0.0f);
  click[click.size() / 2] = 1e6f;
  const Signal noise = white_noise(clean_.size(), 1.0f, 3);
  for (const Signal& estimate :
       {noisy_, scaled(clean_, -1.0f), mixed(clean_, 1000.0f), scaled(noise, 1e-6f), click,
        ::limbeck::test::sine(static_cast<int64_t>(clean_.size()), 3000, 0.3)}) {
    try {
      EXPECT_GE(sign * score(metric_, clean_, estimate), sign * metric_.worst - 1e-9);
    } catch (const DataError&) {  // which counts as the worst
    }
  }
}

TEST_P(AllMetrics, LevelOfTheEstimate) {
  const double value = score(metric_, clean_, noisy_);
  for (const float gain : {0.3f, 4.0f}) {
    expect_effect(GetParam().gain, value, score(metric_, clean_, scaled(noisy_, gain)));
  }
}

TEST_P(AllMetrics, ConstantInTheEstimate) {
  Signal shifted = noisy_;
  for (float& x : shifted) x += 0.05f;
  expect_effect(GetParam().offset, score(metric_, clean_, noisy_), score(metric_, clean_, shifted));
}

TEST_P(AllMetrics, SilenceIsANumberOrAReason) {
  const Signal silent(clean_.size(), 0.0f);
  const Signal constant(clean_.size(), 0.25f);
  for (const Signal* flat : {&silent, &constant}) {
    expect_number_or_reason(metric_, *flat, noisy_);
    expect_number_or_reason(metric_, clean_, *flat);
    expect_number_or_reason(metric_, *flat, *flat);
  }
  Signal gap = noisy_;
  std::fill(gap.begin() + 8000, gap.begin() + 20000, 0.0f);
  expect_number_or_reason(metric_, clean_, gap);
  expect_number_or_reason(metric_, gap, clean_);
}

TEST_P(AllMetrics, ShortSignalsAreANumberOrAReason) {
  for (const size_t samples : {0, 1, 2, 100, 479, 480, 481, 1000, 4000, 6400, 9000}) {
    SCOPED_TRACE(samples);
    const auto end = static_cast<std::ptrdiff_t>(samples);
    expect_number_or_reason(metric_, {clean_.begin(), clean_.begin() + end},
                            {noisy_.begin(), noisy_.begin() + end});
  }
}

TEST_P(AllMetrics, AnyRateIsANumberOrAReason) {
  for (const int rate : {1, 4000, 8000, 44100, 48000}) {
    SCOPED_TRACE(rate);
    expect_number_or_reason(metric_, clean_, noisy_, rate);
  }
}

TEST_P(AllMetrics, WhatIsNoNumberIsRefused) {
  for (const float wrong : {std::nanf(""), std::numeric_limits<float>::infinity(), 2e6f}) {
    Signal broken = noisy_;
    broken[12345] = wrong;
    EXPECT_THROW(score(metric_, clean_, broken), DataError) << wrong;
    EXPECT_THROW(score(metric_, broken, clean_), DataError) << wrong;
  }
}

TEST_P(AllMetrics, OneMetricServesManyThreads) {
  constexpr size_t kThreads = 8;
  // The threads come first, so that they meet while the shared plans and tables are being made.
  std::vector<double> values(kThreads);
  std::barrier start(static_cast<std::ptrdiff_t>(kThreads));
  {
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        start.arrive_and_wait();
        values[i] = score(metric_, clean_, noisy_);
      });
    }
  }
  const double alone = score(metric_, clean_, noisy_);
  for (size_t i = 0; i < kThreads; ++i) EXPECT_EQ(values[i], alone) << "thread " << i;
}

TEST_P(AllMetrics, OthersDoNotChangeTheValue) {
  ScoredPair pair(clean_, noisy_, kRate);
  for (const Example& other : examples()) metric_of(other).score(pair);
  EXPECT_EQ(metric_.score(pair), score(metric_, clean_, noisy_));
}

TEST_P(AllMetrics, TheColumnSaysWhatIsInIt) {
  EXPECT_EQ(metric_.name, GetParam().column);
  EXPECT_GE(metric_.version, 1);
  const auto braces = metric_.name.find('{');
  if (braces != std::string::npos) {
    EXPECT_NE(metric_.title.find(metric_.name.substr(braces)), std::string::npos);
  }
}

std::string name_of(const ::testing::TestParamInfo<Example>& info) {
  std::string name;
  for (const char c : info.param.column) name += std::isalnum(c) ? c : '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(Of, AllMetrics, ::testing::ValuesIn(examples()), name_of);

TEST(Metrics, HaveAnExampleEach) {
  for (const std::string& name : metric_registry().names()) {
    const auto all = examples();
    EXPECT_TRUE(std::any_of(all.begin(), all.end(),
                            [&](const Example& example) { return example.column == name; }))
        << name << " needs a row in tests/metric/examples.h";
  }
}

}  // namespace
}  // namespace limbeck::metric::test
