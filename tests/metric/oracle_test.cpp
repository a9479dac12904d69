// Values of the reference implementations on real recordings (shared/data/README.md).

#include <algorithm>

#include "metric/composite.h"
#include "metric/pesq.h"
#include "metric/segmental_snr.h"
#include "metric/si_sdr.h"
#include "metric/stoi.h"
#include "metric/support.h"

namespace limbeck::metric::test {
namespace {

using Errors = std::map<std::string, std::vector<double>>;

void add_errors(const CsvRow& row, const std::filesystem::path& clean_path,
                const std::filesystem::path& estimate_path, Errors& errors) {
  const auto clean = read_audio(clean_path);
  const auto estimate = read_audio(estimate_path);
  const PesqScores pesq = pesq_scores(clean, estimate, 16000, PesqMode::both);
  const StoiScores stoi = stoi_scores(clean, estimate, 16000);
  const double ssnr = segmental_snr(clean, estimate, 16000);
  const CompositeScores composite =
      composite_scores(spectral_distances(clean, estimate, 16000), ssnr, pesq.wideband->mos_lqo);
  const std::map<std::string, double> values{{"pesq_wb", pesq.wideband->mos_lqo},
                                             {"pesq_nb", pesq.narrowband->mos_lqo},
                                             {"stoi", stoi.stoi},
                                             {"estoi", stoi.estoi},
                                             {"si_sdr", si_sdr(clean, estimate)},
                                             {"ssnr", ssnr},
                                             {"csig", composite.signal},
                                             {"cbak", composite.background},
                                             {"covl", composite.overall}};
  for (const auto& [name, value] : values) {
    ASSERT_TRUE(std::isfinite(value)) << name << " of " << estimate_path;
    errors[name].push_back(std::abs(value - std::stod(row.at(name))));
  }
}

void expect_within(const Errors& errors, std::size_t pairs) {
  const std::map<std::string, double> limits{
      {"pesq_wb", 0.005}, {"pesq_nb", 0.005}, {"stoi", 1e-4}, {"estoi", 1e-4}, {"si_sdr", 1e-3},
      {"ssnr", 1e-3},     {"csig", 0.01},     {"cbak", 0.01}, {"covl", 0.01}};
  ASSERT_EQ(errors.size(), limits.size());
  for (const auto& [name, limit] : limits) {
    const std::vector<double>& e = errors.at(name);
    EXPECT_EQ(e.size(), pairs);
    EXPECT_LE(*std::max_element(e.begin(), e.end()), limit) << name;
  }
}

TEST(MetricOracle, VoiceBankDemand) {
  const auto data = shared_data();
  if (data.empty()) GTEST_SKIP() << "no real recordings: set LIMBECK_SHARED_DATA to their folder";
  const auto rows = read_csv(data / "oracle.csv");
  Errors errors;
  for (const CsvRow& row : rows) {
    std::string clean = row.at("file");
    clean.replace(clean.find("/noisy/"), 7, "/clean/");
    add_errors(row, data / clean, data / row.at("file"), errors);
  }
  expect_within(errors, 31);
}

TEST(MetricOracle, Mixtures) {
  const auto data = shared_data();
  if (data.empty()) GTEST_SKIP() << "no real recordings: set LIMBECK_SHARED_DATA to their folder";
  const auto folder = data / "oracle_mix";
  const auto rows = read_csv(folder / "oracle.csv");
  Errors errors;
  for (const CsvRow& row : rows) {
    add_errors(row, folder / "clean" / row.at("file"), folder / "degraded" / row.at("file"),
               errors);
  }
  expect_within(errors, 72);
}

}  // namespace
}  // namespace limbeck::metric::test
