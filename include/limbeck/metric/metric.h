#pragma once

#include <any>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <typeindex>
#include <utility>
#include <vector>

#include "limbeck/config/schema.h"
#include "limbeck/core/registry.h"

namespace limbeck {

/// A clean reference and an estimate of it that are about to be scored; full scale ±1. Used by one
/// thread.
class ScoredPair {
 public:
  /// The samples must outlive the pair. Throws DataError where the lengths differ.
  ScoredPair(std::span<const float> clean, std::span<const float> estimate, int rate_hz);
  ScoredPair(const ScoredPair&) = delete;
  ScoredPair& operator=(const ScoredPair&) = delete;

  std::span<const float> clean() const { return clean_; }
  std::span<const float> estimate() const { return estimate_; }
  int rate_hz() const { return rate_hz_; }

  /// What several metrics need of the pair (PESQ inside the composite measures, STOI and ESTOI):
  /// `make()`, called when one of them first asks. A part is known by its type, a struct that
  /// stands for nothing else; where options change it, `variant` tells the parts of one type apart.
  template <class Part, class Make>
  const Part& shared(const Make& make, const std::string& variant = "") {
    static_assert(std::is_class_v<Part>, "two metrics could mean different things by one number");
    std::any& part = parts_[{typeid(Part), variant}];
    if (!part.has_value()) part.emplace<Part>(make());
    return std::any_cast<const Part&>(part);
  }

 private:
  std::span<const float> clean_, estimate_;
  int rate_hz_;
  std::map<std::pair<std::type_index, std::string>, std::any> parts_;
};

/// A score of an estimate against its clean reference.
struct Metric {
  /// Key in files. Options that are not the default ones stand in it, so that scores of different
  /// meaning never share a column: "si_sdr{zero_mean: true}". Set by build_metrics(), which adds
  /// them to the title, too.
  std::string name = {};
  std::string title = {};  ///< column head in tables, with unit
  int decimals = 2;        ///< in tables
  bool higher_is_better = true;
  /// No score is worse: what an estimate counts that has none, where a network must not gain by
  /// breaking.
  double worst = std::numeric_limits<double>::quiet_NaN();
  /// Raised by every change after which a pair may get another value. The values of each version
  /// are in tests/golden/data/metric_conformance.csv.
  int version = 1;
  /// Throws DataError where the score is not defined; never gives a number that is not finite.
  /// Called by many threads at a time, each with a pair of its own; what it holds (tables, options)
  /// was made once, by the builder.
  std::function<double(ScoredPair& pair)> score = {};
};

using MetricRegistry = Registry<config::ComponentOptions, Metric>;

/// All metrics by name. Filled in builtin_metrics.cpp, in the order of tables: pesq_wb, pesq_nb,
/// csig, cbak, covl, stoi, estoi, si_sdr, ssnr, llr, wss.
const MetricRegistry& metric_registry();

/// A metric with its options, or "all" for every one with default options.
struct MetricConfig {
  config::Chosen chosen;

  MetricConfig() = default;
  /// With default options. Throws ConfigError for a name that is not known.
  MetricConfig(const std::string& name);
  MetricConfig(const char* name) : MetricConfig(std::string(name)) {}

  void describe(config::Visitor& v);
  /// See Metric::name.
  std::string column() const;
};

/// Describes the key `metrics` of a configuration: a list of names, each with or without options,
/// of which none may be there twice; one may stand without a list.
void describe_metrics(config::Visitor& v, std::vector<MetricConfig>& metrics);

/// Throws ConfigError if there is none, or one twice.
std::vector<Metric> build_metrics(const std::vector<MetricConfig>& configs);

/// The metric whose scores stand under this name in a file; none if it is no metric's.
std::optional<Metric> metric_of_column(const std::string& column);

/// Scale-invariant signal-to-distortion ratio in dB, without mean removal (Le Roux et al., arXiv
/// 1811.02508, equation 3). Distortion below the rounding of double precision counts as that
/// rounding, so equal signals give 156.5 dB. Throws DataError: lengths differ, not finite, clean or
/// estimate silent.
double si_sdr(std::span<const float> clean, std::span<const float> estimate);

}  // namespace limbeck
