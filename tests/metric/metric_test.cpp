// How metrics are chosen, and what a pair shares between them.

#include "limbeck/metric/metric.h"

#include <algorithm>
#include <atomic>

#include "limbeck/config/reader.h"
#include "limbeck/core/error.h"
#include "metric/composite.h"
#include "metric/segmental_snr.h"
#include "metric/si_sdr.h"
#include "metric/support.h"

namespace limbeck::metric::test {
namespace {

constexpr int kRate = 16000;

struct Scoring {
  std::vector<MetricConfig> metrics = {"si_sdr"};
  void describe(config::Visitor& v) { describe_metrics(v, metrics); }
};

std::vector<std::string> names_of(const std::vector<MetricConfig>& configs) {
  std::vector<std::string> names;
  for (const Metric& metric : build_metrics(configs)) names.push_back(metric.name);
  return names;
}

std::vector<std::string> names_in(const std::string& yaml) {
  return names_of(config::read_text<Scoring>(yaml, "f.yaml").metrics);
}

std::string error_in(const std::string& yaml) {
  try {
    names_in(yaml);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}

double score(const std::string& column, ScoredPair& pair) {
  return metric_of_column(column).value().score(pair);
}

using Names = std::vector<std::string>;
const Names kAll = {"pesq_wb", "pesq_nb", "csig", "cbak", "covl", "stoi",
                    "estoi",   "si_sdr",  "ssnr", "llr",  "wss"};

TEST(Metrics, StandInTheOrderOfPublishedTables) { EXPECT_EQ(names_of({"all"}), kAll); }

TEST(Metrics, AreChosenByName) {
  EXPECT_EQ(names_in(""), Names{"si_sdr"});
  EXPECT_EQ(names_in("metrics: stoi"), Names{"stoi"});
  EXPECT_EQ(names_in("metrics: all"), kAll);
  EXPECT_EQ(names_in("metrics: [all]"), kAll);
  EXPECT_EQ(names_in("metrics: ['stoi', pesq_wb]"), (Names{"stoi", "pesq_wb"}));
  EXPECT_EQ(names_in("metrics: [stoi, {name: si_sdr}]"), (Names{"stoi", "si_sdr"}));
}

TEST(Metrics, TakeOptionsWhichTheirNamesShow) {
  EXPECT_EQ(names_in("metrics: {name: si_sdr, zero_mean: true}"), Names{"si_sdr{zero_mean: true}"});
  EXPECT_EQ(names_in("metrics: [si_sdr, {name: si_sdr, zero_mean: true}]"),
            (Names{"si_sdr", "si_sdr{zero_mean: true}"}));
  EXPECT_EQ(names_in("metrics: {name: si_sdr, zero_mean: false}"), Names{"si_sdr"});
  EXPECT_EQ(names_in("metrics: {name: ssnr, maximum_db: 40.0, minimum_db: -20}"),
            Names{"ssnr{minimum_db: -20, maximum_db: 40}"});
}

TEST(Metrics, SayWhereAChoiceIsWrong) {
  EXPECT_EQ(error_in("metrics: [stoi,\n  si_sdrr]"),
            "f.yaml:2:3: metrics.1: 'si_sdrr' is not one of pesq_wb, pesq_nb, csig, cbak, covl, "
            "stoi, estoi, si_sdr, ssnr, llr, wss, all; did you mean 'si_sdr'?");
  EXPECT_EQ(error_in("metrics: [si_sdr, stoi, si_sdr]"),
            "f.yaml:1:10: metrics: metric 'si_sdr' is listed twice");
  EXPECT_EQ(error_in("metrics: [all, {name: stoi}]"),
            "f.yaml:1:10: metrics: metric 'stoi' is listed twice");
  EXPECT_EQ(error_in("metrics: []"), "f.yaml:1:10: metrics: no metric is named");
  EXPECT_EQ(error_in("metrics: {name: stoi, zero_mean: true}"),
            "f.yaml:1:23: metrics.zero_mean: unknown key; known here: name");
  EXPECT_EQ(error_in("metrics: [{name: ssnr, minimum_db: 40}]"),
            "f.yaml:1:36: metrics.0.minimum_db: must lie below maximum_db");
}

TEST(Metrics, AreNamedInCodeToo) {
  EXPECT_THROW(build_metrics({"si_sdrr"}), ConfigError);
  EXPECT_THROW(build_metrics({"si_sdr", "si_sdr"}), ConfigError);
  EXPECT_THROW(build_metrics({}), ConfigError);
}

TEST(Metrics, ReadBackFromADump) {
  const auto written =
      config::read_text<Scoring>("metrics: [all, {name: ssnr, maximum_db: 60}]", "f.yaml");
  const std::string dump = config::to_yaml(config::to_node(written));
  EXPECT_EQ(names_in(dump), names_of(written.metrics)) << dump;
}

TEST(Metrics, AreKnownByTheirColumns) {
  const auto metric = metric_of_column("ssnr{minimum_db: -20, maximum_db: 60}");
  ASSERT_TRUE(metric.has_value());
  EXPECT_EQ(metric->title, "SSNR (dB) {minimum_db: -20, maximum_db: 60}");
  for (const char* other : {"", "id", "all", "stoi_noisy", "stoi{a: 1}", "ssnr{maximum_db: 35}",
                            "ssnr{", "ssnr{}", "si_sdr{zero_mean: 3}", "si_sdr_improvement"}) {
    EXPECT_FALSE(metric_of_column(other).has_value()) << other;
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
}

TEST(Metrics, OptionsOfOneDoNotReachWhatOthersShare) {
  const auto clean = synthetic_speech(3.0, kRate);
  const auto noisy = mixed(clean, 0.3f);
  ScoredPair pair(clean, noisy, kRate), other(clean, noisy, kRate);
  const double wide = score("ssnr{minimum_db: -60, maximum_db: 60}", pair);
  EXPECT_EQ(score("cbak", pair), score("cbak", other));
  EXPECT_LT(wide, score("ssnr", pair));
}

TEST(Metrics, DigitalSilenceOnOneSideHasANumber) {
  const auto clean = synthetic_speech(3.0, kRate);
  auto gap = clean;
  std::fill(gap.begin() + 8000, gap.begin() + 16000, 0.0f);
  for (const bool in_clean : {false, true}) {
    ScoredPair pair(in_clean ? gap : clean, in_clean ? clean : gap, kRate);
    EXPECT_GT(score("llr", pair), 0.3);
    EXPECT_LT(score("llr", pair), 6);
    EXPECT_TRUE(std::isfinite(score("csig", pair)));
  }
  ScoredPair both(gap, gap, kRate);
  EXPECT_EQ(score("llr", both), 0);
  EXPECT_EQ(score("wss", both), 0);
  EXPECT_EQ(score("csig", both), 5);
}

/// A metric as somebody else may add it: options, a table made once, a part that two share.
struct LevelOptions : config::Component<LevelOptions> {
  double full_scale = 1;
  void describe(config::Visitor& v) override { v.value("full_scale", full_scale, "of 0 dB"); }
};

std::atomic<int> tables_made = 0, parts_made = 0;

std::unique_ptr<Metric> level_difference(const LevelOptions& options) {
  ++tables_made;
  const auto table = std::make_shared<const std::vector<double>>(10, options.full_scale);
  return std::make_unique<Metric>(Metric{.title = "level", .score = [table](ScoredPair& pair) {
                                           struct Peak {
                                             double value;
                                           };
                                           const Peak& peak = pair.shared<Peak>([&] {
                                             ++parts_made;
                                             return Peak{pair.estimate()[0]};
                                           });
                                           return peak.value / table->front();
                                         }});
}

TEST(Metrics, MayHaveOptionsStateAndPartsOfTheirOwn) {
  MetricRegistry registry("metric");
  registry.add<LevelOptions>("level", "of the first sample", level_difference);
  LevelOptions half;
  half.full_scale = 0.5;
  const auto one = registry.build("level", LevelOptions());
  const auto other = registry.build("level", half);
  const std::vector<float> clean = {1, 2}, estimate = {0.25f, 0};
  for (int i = 0; i < 3; ++i) {
    ScoredPair pair(clean, estimate, kRate);
    EXPECT_EQ(one->score(pair), 0.25);
    EXPECT_EQ(other->score(pair), 0.5);
  }
  EXPECT_EQ(tables_made, 2);
  EXPECT_EQ(parts_made, 3);
}

TEST(ScoredPairs, MakeAPartAgainOnlyIfItFailed) {
  struct Part {
    int value;
  };
  const std::vector<float> signal = {1, 2};
  ScoredPair pair(signal, signal, kRate);
  EXPECT_THROW(pair.shared<Part>([]() -> Part { throw DataError("no"); }), DataError);
  EXPECT_EQ(pair.shared<Part>([] { return Part{1}; }).value, 1);
  EXPECT_EQ(pair.shared<Part>([] { return Part{2}; }).value, 1);
  EXPECT_EQ(pair.shared<Part>([] { return Part{3}; }, "other").value, 3);
  EXPECT_THROW(ScoredPair(signal, std::span(signal).first(1), kRate), DataError);
}

}  // namespace
}  // namespace limbeck::metric::test
