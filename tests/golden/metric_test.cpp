// Scores of the reference implementations on 103 pairs of real recordings (shared/data/README.md).
// Prints how far ours are from them.

#include <algorithm>
#include <cstdio>

#include "limbeck/core/format.h"
#include "limbeck/core/table.h"
#include "limbeck/metric/metric.h"
#include "metric/support.h"

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
  for (const CsvRow& row : read_csv(mixtures / "oracle.csv")) {
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
