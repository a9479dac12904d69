// The table of metrics and what a pair shares between them.

#include "limbeck/metric/metric.h"

#include <algorithm>

#include "limbeck/core/error.h"
#include "metric/composite.h"
#include "metric/segmental_snr.h"
#include "metric/support.h"

namespace limbeck::metric::test {
namespace {

constexpr int kRate = 16000;

double score(const std::string& name, ScoredPair& pair) {
  return select_metrics({name}).front().score(pair);
}

TEST(Metrics, AreSelectedByName) {
  EXPECT_EQ(select_metrics({"all"}).size(), metrics().size());
  EXPECT_EQ(select_metrics({"si_sdr"}).front().name, "si_sdr");
  EXPECT_THROW(select_metrics({"si_sdrr"}), ConfigError);
  EXPECT_THROW(select_metrics({"si_sdr", "si_sdr"}), ConfigError);
  EXPECT_THROW(select_metrics({}), ConfigError);
}

TEST(Metrics, StandInTheOrderOfPublishedTables) {
  std::vector<std::string> names;
  for (const Metric& metric : metrics()) names.push_back(metric.name);
  EXPECT_EQ(names, (std::vector<std::string>{"pesq_wb", "pesq_nb", "csig", "cbak", "covl", "stoi",
                                             "estoi", "si_sdr", "ssnr", "llr", "wss"}));
}

TEST(Metrics, SayWhichDirectionIsBetter) {
  const auto clean = synthetic_speech(3.0, kRate);
  const auto good = mixed(clean, 0.003f);
  const auto bad = mixed(clean, 0.1f);
  ScoredPair better(clean, good, kRate);
  ScoredPair worse(clean, bad, kRate);
  for (const Metric& metric : metrics()) {
    const double gain = metric.score(better) - metric.score(worse);
    EXPECT_GT(metric.higher_is_better ? gain : -gain, 0) << metric.name;
  }
}

TEST(Metrics, ShareTheirPartsWithoutChangingThem) {
  const auto clean = synthetic_speech(3.0, kRate);
  const auto noisy = mixed(clean, 0.02f);
  ScoredPair pair(clean, noisy, kRate);
  const double csig = score("csig", pair);  // computes PESQ, LLR, WSS and SSNR on its way
  const SpectralDistances distances = spectral_distances(clean, noisy, kRate);
  EXPECT_EQ(score("llr", pair), distances.llr);
  EXPECT_EQ(score("wss", pair), distances.wss);
  EXPECT_EQ(score("ssnr", pair), segmental_snr(clean, noisy, kRate));
  EXPECT_EQ(csig, composite_scores(distances, score("ssnr", pair), score("pesq_wb", pair)).signal);
  for (const Metric& metric : metrics()) {
    ScoredPair alone(clean, noisy, kRate);
    EXPECT_EQ(metric.score(alone), metric.score(pair)) << metric.name;
  }
}

TEST(Metrics, InfiniteLlrIsANamedFailureOfLlrOnly) {
  const auto clean = synthetic_speech(3.0, kRate);
  auto gap = clean;
  std::fill(gap.begin() + 8000, gap.begin() + 16000, 0.0f);
  ScoredPair pair(clean, gap, kRate);
  try {
    score("llr", pair);
    FAIL();
  } catch (const DataError& error) {
    EXPECT_NE(std::string(error.what()).find("LLR"), std::string::npos);
  }
  EXPECT_TRUE(std::isfinite(score("wss", pair)));
  EXPECT_EQ(score("csig", pair), 1.0);
}

}  // namespace
}  // namespace limbeck::metric::test
