#pragma once

#include <cmath>

#include "data/support.h"
#include "limbeck/core/error.h"
#include "limbeck/eval/evaluator.h"

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

}  // namespace limbeck::test
