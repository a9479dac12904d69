#pragma once

// A corpus of a few short files, as entries of a manifest.

#include <memory>
#include <string>
#include <vector>

#include "limbeck/data/audio_store.h"
#include "limbeck/data/mixture.h"
#include "support.h"

namespace limbeck::test {

inline ManifestEntry put_entry(const std::filesystem::path& path, const std::vector<float>& samples,
                               int rate_hz = 16000) {
  put_audio(path, samples, rate_hz);
  ManifestEntry entry;
  entry.id = path.stem().string();
  entry.audio = {path, hash_audio(read_audio(path).samples)};
  entry.samples = static_cast<int64_t>(samples.size());
  entry.rate_hz = rate_hz;
  return entry;
}

/// Tone bursts of 0.3 s with pauses of 0.2 s.
inline std::vector<float> bursts(int64_t count, double hz) {
  std::vector<float> samples = sine(count, hz, 0.2);
  for (size_t i = 0; i < samples.size(); ++i) {
    if (i % 8000 >= 4800) samples[i] = 0;
  }
  return samples;
}

struct MadeCorpus {
  TempDir dir;
  std::vector<ManifestEntry> speech;
  std::vector<ManifestEntry> noise;
  std::shared_ptr<const AudioStore> store = std::make_shared<const AudioStore>(16000, 1 << 24);

  explicit MadeCorpus(int speech_files = 5, int noise_files = 3) {
    for (int i = 0; i < speech_files; ++i) {
      speech.push_back(put_entry(dir / ("speech" + std::to_string(i) + ".flac"),
                                 bursts(20000 + 3001 * i, 200 + 50 * i)));
    }
    for (int i = 0; i < noise_files; ++i) {
      noise.push_back(put_entry(dir / ("noise" + std::to_string(i) + ".wav"),
                                white(9000 + 9000 * i, 50 + static_cast<uint64_t>(i), 0.1)));
    }
  }

  MixtureDataset mixtures(int64_t segment = 16000, const MixtureOptions& options = {}) const {
    return {speech, noise, segment, options, store};
  }
};

inline std::string hash_of(const Example& example) {
  return example.id + hash_of(example.noisy) + hash_of(example.clean) +
         std::to_string(example.valid_samples);
}

}  // namespace limbeck::test
