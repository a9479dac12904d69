#include "metric/pesq.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "metric/pesq_model.h"
#include "metric/signal_checks.h"

namespace limbeck::metric {
namespace {

using pesq::FilteredSignal;
using pesq::LevelledSignal;
using pesq::RateConstants;

void check_signals(std::span<const float> clean, std::span<const float> estimate, int rate_hz,
                   PesqMode mode) {
  if (rate_hz != 8000 && rate_hz != 16000) {
    throw DataError("PESQ: the rate must be 8000 or 16000 Hz, not " + std::to_string(rate_hz));
  }
  if (rate_hz == 8000 && mode != PesqMode::narrowband) {
    throw DataError("PESQ: the wideband mode needs 16000 Hz, not 8000");
  }
  for (const auto signal : {clean, estimate}) {
    if (signal.size() < static_cast<std::size_t>(rate_hz / 4)) {
      throw DataError("PESQ: a signal of " + std::to_string(signal.size()) +
                      " samples is shorter than 1/4 s");
    }
    if (signal.size() > (std::size_t{1} << 28)) throw DataError("PESQ: a signal is too long");
  }
  require_finite(clean, estimate, "PESQ");
  require_sound(clean, "PESQ", "clean");
  require_sound(estimate, "PESQ", "estimated");
}

// P.862.1 and P.862.2: mean opinion score a listening test would give.
/// What both mappings come to for the worst of raw scores.
constexpr double kWorstMos = 0.999;

double narrowband_mos(double raw) {
  return kWorstMos + 4.0 / (1.0 + std::exp(-1.4945 * raw + 4.6607));
}

double wideband_mos(double raw) {
  return kWorstMos + 4.0 / (1.0 + std::exp(-1.3669 * raw + 3.8224));
}

// Both signals of one mode on their way through alignment and model.
struct Pair {
  FilteredSignal clean;
  FilteredSignal estimate;
};

double score_pair(Pair& pair, const RateConstants& constants, const char* mode) {
  pair.clean.activity = detect_voice_activity(pair.clean, constants);
  pair.estimate.activity = detect_voice_activity(pair.estimate, constants);
  const auto utterances = align(pair.clean, pair.estimate, constants);
  if (utterances.empty()) {
    throw DataError(std::string("PESQ: no utterance found in the clean signal (") + mode + ")");
  }
  return perceptual_score(pair.clean, pair.estimate, utterances, constants);
}

}  // namespace

PesqScores pesq_scores(std::span<const float> clean, std::span<const float> estimate, int rate_hz,
                       PesqMode mode) {
  check_signals(clean, estimate, rate_hz, mode);
  const RateConstants& constants = pesq::rate_constants(rate_hz);
  const int longest =
      static_cast<int>(std::max(clean.size(), estimate.size())) + 2 * constants.margin;
  const LevelledSignal level_clean = normalize_level(clean, constants, longest, "clean");
  const LevelledSignal level_estimate = normalize_level(estimate, constants, longest, "estimated");

  Pair narrow;
  Pair wide;
  std::vector<FilteredSignal*> signals;
  for (Pair* pair : {&narrow, &wide}) {
    pair->clean.nominal_length = level_clean.nominal_length;
    pair->estimate.nominal_length = level_estimate.nominal_length;
  }
  if (mode != PesqMode::wideband) {
    narrow.clean.model = apply_handset_filter(level_clean, constants);
    narrow.estimate.model = apply_handset_filter(level_estimate, constants);
    signals.insert(signals.end(), {&narrow.clean, &narrow.estimate});
  }
  if (mode != PesqMode::narrowband) {
    wide.clean.model = apply_headphone_filter(level_clean, constants);
    wide.estimate.model = apply_headphone_filter(level_estimate, constants);
    signals.insert(signals.end(), {&wide.clean, &wide.estimate});
  }
  make_working_copies(signals, constants);

  PesqScores scores;
  if (mode != PesqMode::wideband) {
    const double raw = score_pair(narrow, constants, "narrowband");
    scores.narrowband = PesqScore{raw, narrowband_mos(raw)};
  }
  if (mode != PesqMode::narrowband) {
    const double raw = score_pair(wide, constants, "wideband");
    scores.wideband = PesqScore{raw, wideband_mos(raw)};
  }
  return scores;
}

const PesqScores& pesq_scores(ScoredPair& pair) {
  return pair.shared<PesqScores>([&] {
    const PesqMode mode = pair.rate_hz() == 8000 ? PesqMode::narrowband : PesqMode::both;
    return pesq_scores(pair.clean(), pair.estimate(), pair.rate_hz(), mode);
  });
}

double pesq_wideband(ScoredPair& pair) {
  if (pair.rate_hz() != 16000) {
    throw DataError(format("pesq_wb: is defined at 16000 Hz, not at %d Hz", pair.rate_hz()));
  }
  return pesq_scores(pair).wideband->mos_lqo;
}

void add_pesq(MetricRegistry& registry) {
  registry.add<config::NoOptions>("pesq_wb", "MOS-LQO of the wide-band model, 16 kHz only",
                                  [](const config::NoOptions&) {
                                    return std::make_unique<Metric>(Metric{.title = "PESQ-WB",
                                                                           .decimals = 3,
                                                                           .worst = kWorstMos,
                                                                           .version = 1,
                                                                           .score = pesq_wideband});
                                  });
  registry.add<config::NoOptions>(
      "pesq_nb", "MOS-LQO of the narrow-band model, 8 or 16 kHz", [](const config::NoOptions&) {
        return std::make_unique<Metric>(Metric{
            .title = "PESQ-NB",
            .decimals = 3,
            .worst = kWorstMos,
            .version = 1,
            .score = [](ScoredPair& pair) { return pesq_scores(pair).narrowband->mos_lqo; }});
      });
}

}  // namespace limbeck::metric
