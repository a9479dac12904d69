#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace limbeck {

/// A clean reference and an estimate of it that are about to be scored; full scale ±1. What several
/// metrics need (PESQ inside the composite measures, STOI and ESTOI) is computed once, when it is
/// first asked for.
class ScoredPair {
 public:
  /// The samples must outlive the pair. Throws DataError where the lengths differ.
  ScoredPair(std::span<const float> clean, std::span<const float> estimate, int rate_hz);
  ~ScoredPair();

  struct Parts;
  Parts& parts() { return *parts_; }

 private:
  std::unique_ptr<Parts> parts_;
};

/// A score of an estimate against its clean reference.
struct Metric {
  std::string name;   ///< key in files and on the command line
  std::string title;  ///< column head in tables, with unit
  int decimals = 2;   ///< in tables
  bool higher_is_better = true;
  /// Throws DataError where the score is not defined; never gives a number that is not finite.
  double (*score)(ScoredPair& pair) = nullptr;
  int version = 1;  ///< changes when a value would
};

/// All metrics in the order of tables: pesq_wb, pesq_nb (MOS-LQO of P.862.2 and P.862.1), csig,
/// cbak, covl, stoi, estoi, si_sdr, ssnr, llr, wss.
const std::vector<Metric>& metrics();

/// Metrics by name; "all" stands for every one. Throws ConfigError for an unknown or repeated name.
std::vector<Metric> select_metrics(const std::vector<std::string>& names);

/// Scale-invariant signal-to-distortion ratio in dB, without mean removal (Le Roux et al., arXiv
/// 1811.02508, equation 3). Distortion below the rounding of double precision counts as that
/// rounding, so equal signals give 156.5 dB. Throws DataError: lengths differ, not finite, clean or
/// estimate silent.
double si_sdr(std::span<const float> clean, std::span<const float> estimate);

}  // namespace limbeck
