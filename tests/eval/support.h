#pragma once

#include <cmath>

#include "data/support.h"
#include "limbeck/core/error.h"
#include "limbeck/eval/job.h"

namespace limbeck::test {

/// A pair of sines, the noisy one with another sine added, as files in `folder`.
inline EvaluationItem put_pair(const std::filesystem::path& folder, const std::string& id,
                               double noise, int64_t samples = 1600) {
  Waveform clean{std::vector<float>(static_cast<size_t>(samples)), 16000};
  Waveform noisy = clean;
  for (size_t i = 0; i < clean.samples.size(); ++i) {
    const auto t = static_cast<double>(i);
    clean.samples[i] = static_cast<float>(0.3 * std::sin(0.1 * t));
    noisy.samples[i] = static_cast<float>(clean.samples[i] + noise * std::sin(1.3 * t));
  }
  EvaluationItem item;
  item.id = id;
  item.condition.speaker = "speaker";
  item.clean.path = folder / "clean" / (id + ".wav");
  item.noisy.path = folder / "noisy" / (id + ".wav");
  item.samples = samples;
  put_audio(item.clean.path, clean.samples, 16000, SampleFormat::float32);
  put_audio(item.noisy.path, noisy.samples, 16000, SampleFormat::float32);
  return item;
}

/// The noisy signals as they are.
inline std::vector<std::vector<float>> keep(const std::vector<const EvaluationItem*>&,
                                            const std::vector<std::vector<float>>& noisy, int) {
  return noisy;
}

/// A row of 1.5 s.
inline UtteranceScores scores_row(const std::string& id, const Condition& condition,
                                  std::vector<double> scores, std::vector<double> noisy) {
  return {id, 1.5, condition, {}, std::move(scores), std::move(noisy)};
}

/// Four utterances of two speakers; one has no PESQ.
inline ResultTable made_table() {
  RunResults run{"system"};
  run.rows = {scores_row("a,\"quoted\"", {"p1", "0", "bus"}, {2.0, 8.25}, {1.5, 3.0}),
              scores_row("b", {"p1", "10", "bus"}, {3.0, 12.5}, {2.0, 10.0}),
              scores_row("c", {"p2", "0", "cafe"}, {NAN, 1.0 / 3}, {1.0, -0.125}),
              scores_row("d", {"p2", "10", "cafe"}, {4.0, 16.0}, {2.5, 11.0})};
  run.failures = {{"c", "pesq_wb", "no speech, \"none\""}, {"e", "", "unreadable"}};
  return {build_metrics({"pesq_wb", "si_sdr"}), {run}};
}

/// One utterance, its SI-SDR 8 dB and that of its noisy side 3 dB.
inline ResultTable one_row_table(const std::string& name, double value = 8,
                                 const std::vector<std::string>& notes = {}) {
  RunResults run{name, {scores_row("x", {}, {value}, {3})}};
  run.notes = notes;
  return {build_metrics({"si_sdr"}), {run}};
}

}  // namespace limbeck::test
