// Batch evaluation scores on all cores; what the metrics share must not show.

#include <barrier>
#include <thread>

#include "limbeck/metric/metric.h"
#include "metric/support.h"

namespace limbeck::metric::test {
namespace {

std::vector<double> all_scores(const std::vector<float>& clean, const std::vector<float>& estimate,
                               int rate_hz) {
  ScoredPair pair(clean, estimate, rate_hz);
  std::vector<double> scores;
  for (const Metric& metric : metrics()) scores.push_back(metric.score(pair));
  return scores;
}

TEST(MetricThreads, GiveTheSameBitsAsOneThread) {
  constexpr int kRate = 16000;
  constexpr std::size_t kThreads = 8;
  const auto clean = synthetic_speech(2.5, kRate);
  const auto noisy = mixed(clean, 0.02f);
  // The threads come first, so that they meet while the shared plans and tables are being made.
  std::vector<std::vector<double>> scores(kThreads);
  std::barrier start(static_cast<std::ptrdiff_t>(kThreads));
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        start.arrive_and_wait();
        scores[i] = all_scores(clean, noisy, kRate);
      });
    }
  }
  const std::vector<double> alone = all_scores(clean, noisy, kRate);
  for (std::size_t i = 0; i < kThreads; ++i) EXPECT_EQ(scores[i], alone) << "thread " << i;
}

}  // namespace
}  // namespace limbeck::metric::test
