#include "limbeck/metric/metric.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "metric/composite.h"
#include "metric/pesq.h"
#include "metric/segmental_snr.h"
#include "metric/si_sdr.h"
#include "metric/signal_checks.h"
#include "metric/stoi.h"

namespace limbeck {

struct ScoredPair::Parts {
  std::span<const float> clean, estimate;
  int rate_hz;
  std::optional<metric::PesqScores> pesq_scores;
  std::optional<metric::StoiScores> stoi_scores;
  std::optional<metric::SpectralDistances> spectral_distances;
  std::optional<double> segmental_snr_db;
  std::optional<metric::CompositeScores> composite_scores;

  const metric::PesqScores& pesq() {
    if (!pesq_scores) {
      const auto mode = rate_hz == 8000 ? metric::PesqMode::narrowband : metric::PesqMode::both;
      pesq_scores = metric::pesq_scores(clean, estimate, rate_hz, mode);
    }
    return *pesq_scores;
  }

  double pesq_wideband() {
    if (rate_hz != 16000)
      throw DataError(format("pesq_wb: is defined at 16000 Hz, not at %d Hz", rate_hz));
    return pesq().wideband->mos_lqo;
  }

  const metric::StoiScores& stoi() {
    if (!stoi_scores) stoi_scores = metric::stoi_scores(clean, estimate, rate_hz);
    return *stoi_scores;
  }

  const metric::SpectralDistances& distances() {
    if (!spectral_distances) {
      spectral_distances = metric::spectral_distances(clean, estimate, rate_hz);
    }
    return *spectral_distances;
  }

  double log_likelihood_ratio() {
    if (!std::isfinite(distances().llr)) {
      throw DataError("LLR: more than 5 % of the frames are digital silence in one signal only");
    }
    return distances().llr;
  }

  double segmental_snr() {
    if (!segmental_snr_db) segmental_snr_db = metric::segmental_snr(clean, estimate, rate_hz);
    return *segmental_snr_db;
  }

  const metric::CompositeScores& composite() {
    if (!composite_scores) {
      composite_scores = metric::composite_scores(distances(), segmental_snr(), pesq_wideband());
    }
    return *composite_scores;
  }
};

ScoredPair::ScoredPair(std::span<const float> clean, std::span<const float> estimate, int rate_hz)
    : parts_(std::make_unique<Parts>(Parts{clean, estimate, rate_hz, {}, {}, {}, {}, {}})) {
  metric::require_equal_length(clean, estimate, "scoring");
}

ScoredPair::~ScoredPair() = default;

double si_sdr(std::span<const float> clean, std::span<const float> estimate) {
  return metric::si_sdr(clean, estimate);
}

const std::vector<Metric>& metrics() {
  static const std::vector<Metric> table = {
      {"pesq_wb", "PESQ-WB", 3, true, [](ScoredPair& p) { return p.parts().pesq_wideband(); }},
      {"pesq_nb", "PESQ-NB", 3, true,
       [](ScoredPair& p) { return p.parts().pesq().narrowband->mos_lqo; }},
      {"csig", "CSIG", 3, true, [](ScoredPair& p) { return p.parts().composite().signal; }},
      {"cbak", "CBAK", 3, true, [](ScoredPair& p) { return p.parts().composite().background; }},
      {"covl", "COVL", 3, true, [](ScoredPair& p) { return p.parts().composite().overall; }},
      {"stoi", "STOI", 4, true, [](ScoredPair& p) { return p.parts().stoi().stoi; }},
      {"estoi", "ESTOI", 4, true, [](ScoredPair& p) { return p.parts().stoi().estoi; }},
      {"si_sdr", "SI-SDR (dB)", 2, true,
       [](ScoredPair& p) { return si_sdr(p.parts().clean, p.parts().estimate); }},
      {"ssnr", "SSNR (dB)", 2, true, [](ScoredPair& p) { return p.parts().segmental_snr(); }},
      {"llr", "LLR", 3, false, [](ScoredPair& p) { return p.parts().log_likelihood_ratio(); }},
      {"wss", "WSS", 2, false, [](ScoredPair& p) { return p.parts().distances().wss; }},
  };
  return table;
}

std::vector<Metric> select_metrics(const std::vector<std::string>& names) {
  if (names == std::vector<std::string>{"all"}) return metrics();
  std::vector<Metric> selected;
  for (const std::string& name : names) {
    const auto is_named = [&](const Metric& metric) { return metric.name == name; };
    const auto found = std::find_if(metrics().begin(), metrics().end(), is_named);
    if (found == metrics().end()) {
      std::vector<std::string> known;
      for (const Metric& metric : metrics()) known.push_back(metric.name);
      throw ConfigError("unknown metric '" + name + "'; known: " + join(known, ", ") + ", all");
    }
    if (std::any_of(selected.begin(), selected.end(), is_named)) {
      throw ConfigError("metric '" + name + "' is listed twice");
    }
    selected.push_back(*found);
  }
  if (selected.empty()) throw ConfigError("no metric is named");
  return selected;
}

}  // namespace limbeck
