// Scores of the reference implementations on 103 pairs of real recordings (shared/data/README.md),
// and of composite.py where frames are digital silence. Prints how far ours are from them.

#include <algorithm>
#include <cstdio>
#include <sstream>

#include "limbeck/core/format.h"
#include "limbeck/core/table.h"
#include "limbeck/metric/metric.h"
#include "metric/composite.h"
#include "metric/segmental_snr.h"
#include "metric/support.h"
#include "paths.h"

namespace limbeck::metric::test {
namespace {

/// What the differences to the reference must keep.
struct Limit {
  double usual;  // on 99 % of the pairs
  double largest;
};

const std::map<std::string, Limit> kLimits{
    {"pesq_wb", {0.005, 0.02}}, {"pesq_nb", {0.005, 0.02}}, {"stoi", {1e-4, 1e-4}},
    {"estoi", {1e-4, 1e-4}},    {"si_sdr", {1e-3, 1e-3}},   {"ssnr", {1e-3, 1e-3}},
    {"csig", {0.01, 0.01}},     {"cbak", {0.01, 0.01}},     {"covl", {0.01, 0.01}}};

using Differences = std::map<std::string, std::vector<double>>;

std::vector<CsvRow> composite_rows() {
  return read_csv(::limbeck::test::source_dir() / "tests/golden/data/composite.csv");
}

/// composite.py's made_pair.
std::pair<std::vector<float>, std::vector<float>> made_pair(int rate_hz, const std::string& side,
                                                            int percent) {
  const auto size = static_cast<std::size_t>(3 * rate_hz);
  const long length = std::lround(0.03 * rate_hz);
  const long count = (static_cast<long>(size) - length) / (length / 4);
  const long silent =
      percent == 0 ? 0 : length + (std::lround(percent / 100.0 * count) - 1) * (length / 4);
  Random noise(1), steps(2);
  std::vector<float> clean(size), estimate(size);
  for (std::size_t n = 0; n < size; ++n) {
    double tones = 0;
    for (int k = 1; k < 12; ++k) {
      tones +=
          4000.0 / k * std::sin(2 * std::numbers::pi * 137 * k * static_cast<double>(n) / rate_hz);
    }
    if (static_cast<double>(n % static_cast<std::size_t>(rate_hz)) >= 0.8 * rate_hz) tones = 0;
    const double step = std::floor(9 * noise.uniform()) - 4;
    const bool is_silent = static_cast<long>(n) < silent;
    const double value = is_silent && side != "estimate" ? 0 : std::nearbyint(tones) + step;
    const double near = value + std::floor(3 * steps.uniform()) - 1;
    clean[n] = static_cast<float>(value / 32768);
    estimate[n] = is_silent && side != "clean" ? 0.0f : static_cast<float>(near / 32768);
  }
  return {clean, estimate};
}

TEST(Composite, HasTheValuesOfTheReferenceWhereFramesAreSilent) {
  int pairs = 0;
  for (const CsvRow& row : composite_rows()) {
    std::istringstream name(row.at("pair"));
    std::string side;
    int rate_hz = 0, percent = 0;
    if (!(name >> rate_hz >> side >> percent)) continue;  // a recording
    const auto [clean, estimate] = made_pair(rate_hz, side, percent);
    const SpectralDistances distances = spectral_distances(clean, estimate, rate_hz);
    const double llr = std::stod(row.at("llr"));
    EXPECT_NEAR(distances.llr, llr, 1e-4 * std::max(1.0, llr)) << row.at("pair");
    EXPECT_NEAR(distances.wss, std::stod(row.at("wss")), 1e-3) << row.at("pair");
    EXPECT_NEAR(segmental_snr(clean, estimate, rate_hz), std::stod(row.at("ssnr")), 1e-4)
        << row.at("pair");
    ++pairs;
  }
  EXPECT_EQ(pairs, 20);
}

/// Values of CSIG and COVL that the reference values have without the offset that `composite.m`
/// adds, by file: a frame of digital silence in one signal only then counts as infinitely far.
void add_offset(CsvRow& row) {
  for (const CsvRow& with_offset : composite_rows()) {
    if (with_offset.at("pair") != row.at("file")) continue;
    for (const char* rating : {"csig", "covl"}) row[rating] = with_offset.at(rating);
  }
}

void add_differences(const CsvRow& row, const std::filesystem::path& clean_path,
                     const std::filesystem::path& estimate_path, Differences& differences) {
  const auto clean = read_audio(clean_path);
  const auto estimate = read_audio(estimate_path);
  ScoredPair pair(clean, estimate, 16000);
  for (const Metric& metric : build_metrics({"all"})) {
    if (kLimits.count(metric.name) == 0) continue;
    const double difference = metric.score(pair) - std::stod(row.at(metric.name));
    ASSERT_TRUE(std::isfinite(difference)) << metric.name << " of " << estimate_path;
    differences[metric.name].push_back(std::abs(difference));
  }
}

/// The smallest value that at least this part of the sorted values does not exceed.
double quantile(const std::vector<double>& sorted, double part) {
  const auto rank = static_cast<std::size_t>(std::ceil(part * static_cast<double>(sorted.size())));
  return sorted.at(std::max<std::size_t>(rank, 1) - 1);
}

TEST(MetricOracle, AllPairs) {
  const auto data = shared_data();
  if (data.empty()) GTEST_SKIP() << "no real recordings: set LIMBECK_SHARED_DATA to their folder";
  Differences differences;
  for (const CsvRow& row : read_csv(data / "oracle.csv")) {
    std::string clean = row.at("file");
    clean.replace(clean.find("/noisy/"), 7, "/clean/");
    add_differences(row, data / clean, data / row.at("file"), differences);
  }
  const auto mixtures = data / "oracle_mix";
  for (CsvRow row : read_csv(mixtures / "oracle.csv")) {
    add_offset(row);
    add_differences(row, mixtures / "clean" / row.at("file"),
                    mixtures / "degraded" / row.at("file"), differences);
  }

  ASSERT_EQ(differences.size(), kLimits.size());
  std::vector<std::vector<std::string>> lines;
  for (const Metric& metric : build_metrics({"all"})) {
    if (kLimits.count(metric.name) == 0) continue;
    std::vector<double>& d = differences.at(metric.name);
    ASSERT_EQ(d.size(), 103u) << metric.name;
    std::sort(d.begin(), d.end());
    const Limit& limit = kLimits.at(metric.name);
    EXPECT_LE(quantile(d, 0.99), limit.usual) << metric.name;
    EXPECT_LE(d.back(), limit.largest) << metric.name;
    std::vector<std::string> line = {metric.name};
    for (const double part : {0.5, 0.95, 0.99, 1.0})
      line.push_back(format("%.2g", quantile(d, part)));
    line.push_back(format("%g", limit.usual));
    lines.push_back(line);
  }
  std::printf("%s",
              markdown_table({"metric", "median", "95 %", "99 %", "max", "limit"}, lines).c_str());
}

}  // namespace
}  // namespace limbeck::metric::test
