// The values that the metrics' versions stand for: who changes a value raises the version.
//
// LIMBECK_RENEW_METRICS=1 writes the values of versions that the file does not have; a value that
// is held for the version of today is never replaced.

#include <cstdlib>
#include <optional>

#include "limbeck/core/csv.h"
#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/metric/metric.h"
#include "metric/examples.h"
#include "metric/support.h"
#include "paths.h"

namespace limbeck::metric::test {
namespace {

constexpr const char* kHowToRenew =
    "LIMBECK_RENEW_METRICS=1 build/release/bin/metric_test --gtest_filter=MetricConformance.*";
const std::string kNoScore = "no score";

struct MadePair {
  std::string name;
  int rate_hz;
  std::vector<float> clean, estimate;
};

/// Never to be changed: what is held is about these samples.
std::vector<MadePair> made_pairs() {
  MadePair noisy{"noisy", 16000, synthetic_speech(3, 16000), {}};
  noisy.estimate = mixed(noisy.clean, 0.003f);
  MadePair distorted{"distorted", 16000, synthetic_speech(4, 16000, 3), {}};
  distorted.estimate = delayed(mixed(distorted.clean, 0.005f, 4), 9);
  for (float& x : distorted.estimate) x = 0.5f * std::clamp(x, -0.12f, 0.12f) + 0.01f;
  MadePair narrow{"narrow", 8000, synthetic_speech(3, 8000, 5), {}};
  narrow.estimate = mixed(narrow.clean, 0.05f, 6);
  return {noisy, distorted, narrow};
}

double energy(const std::vector<float>& signal) {
  double sum = 0;
  for (const double x : signal) sum += x * x;
  return sum;
}

std::string value_of(const Metric& metric, const MadePair& made) {
  ScoredPair pair(made.clean, made.estimate, made.rate_hz);
  try {
    return format("%.12g", metric.score(pair));
  } catch (const DataError&) {
    return kNoScore;
  }
}

bool agree(const std::string& held, const std::string& value, double tolerance) {
  if (held == kNoScore || value == kNoScore) return held == value;
  const double expected = std::stod(held);
  return std::abs(std::stod(value) - expected) <= tolerance * std::max(1.0, std::abs(expected));
}

/// Lines "pair,metric,version,value".
class HeldValues {
 public:
  explicit HeldValues(const std::filesystem::path& path) {
    if (!std::filesystem::exists(path)) return;
    for (const auto& row : read_csv(path)) {
      values_[{row.at("pair"), row.at("metric"), row.at("version")}] = row.at("value");
    }
  }
  std::optional<std::string> find(const std::string& pair, const Metric& metric) {
    const auto found = values_.find({pair, metric.name, std::to_string(metric.version)});
    if (found == values_.end()) return std::nullopt;
    used_ += 1;
    return found->second;
  }
  bool all_used() const { return used_ == values_.size(); }

 private:
  std::map<std::vector<std::string>, std::string> values_;
  size_t used_ = 0;
};

TEST(MetricConformance, TheSignalsAreThoseThatTheValuesAreAbout) {
  const auto pairs = made_pairs();
  const double expected[][2] = {
      {59.9554744, 60.0441295}, {94.4377282, 26.4593965}, {29.9786908, 45.205767}};
  for (size_t i = 0; i < pairs.size(); ++i) {
    EXPECT_NEAR(energy(pairs[i].clean) / expected[i][0], 1, 1e-6) << pairs[i].name;
    EXPECT_NEAR(energy(pairs[i].estimate) / expected[i][1], 1, 1e-6) << pairs[i].name;
  }
}

TEST(MetricConformance, ValuesChangeWithTheVersionOnly) {
  const auto path =
      ::limbeck::test::source_dir() / "tests" / "golden" / "data" / "metric_conformance.csv";
  const bool renew = std::getenv("LIMBECK_RENEW_METRICS") != nullptr;
  HeldValues held(path);
  std::string csv = csv_line({"pair", "metric", "version", "value"});
  for (const MadePair& pair : made_pairs()) {
    for (const Example& example : examples()) {
      const Metric metric = metric_of_column(example.column).value();
      const std::string value = value_of(metric, pair);
      const auto known = held.find(pair.name, metric);
      if (!known && !renew) {
        ADD_FAILURE() << "version " << metric.version << " of " << metric.name
                      << " has no value for '" << pair.name << "': renew the file with "
                      << kHowToRenew;
      } else if (known && !agree(*known, value, example.tolerance)) {
        ADD_FAILURE() << "the value of " << metric.name << " for '" << pair.name
                      << "' changed from " << *known << " to " << value
                      << ": raise its version, then renew the file with " << kHowToRenew;
      }
      csv +=
          csv_line({pair.name, metric.name, std::to_string(metric.version), known.value_or(value)});
    }
  }
  if (renew) {
    write_file_atomically(path, csv);
  } else {
    EXPECT_TRUE(held.all_used()) << "there are values of what is no metric's version any more: "
                                 << "renew the file with " << kHowToRenew;
  }
}

}  // namespace
}  // namespace limbeck::metric::test
