#pragma once

// A corpus of a few short files, as entries of a manifest.

#include <memory>
#include <string>
#include <vector>

#include "data/audio_store.h"
#include "data/mixture_dataset.h"
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

/// An impulse response: a direct path after `delay`, then decaying noise.
inline std::vector<float> made_response(int64_t count, int64_t delay, uint64_t seed) {
  std::vector<float> response = white(count, seed, 0.4);
  for (int64_t i = 0; i < count; ++i) {
    const double decay = std::exp(-4.0 * static_cast<double>(i - delay) / count);
    response[static_cast<size_t>(i)] *= static_cast<float>(i < delay ? 0 : decay);
  }
  response[static_cast<size_t>(delay)] = 0.9F;
  return response;
}

struct MadeCorpus {
  TempDir dir;
  std::vector<ManifestEntry> speech;
  std::vector<ManifestEntry> noise;
  std::vector<ManifestEntry> responses;
  std::shared_ptr<const AudioStore> store = std::make_shared<const AudioStore>(16000, 1 << 24);

  /// Rooms with direct paths at different delays.
  void add_responses() {
    for (const int64_t delay : {0, 83, 1600}) {
      responses.push_back(put_entry(dir / ("room" + std::to_string(delay) + ".wav"),
                                    made_response(4000 + delay, delay, 5)));
    }
  }

  explicit MadeCorpus(int speech_files = 5, int noise_files = 3) {
    for (int i = 0; i < speech_files; ++i) {
      speech.push_back(put_entry(dir / ("speech" + std::to_string(i) + ".flac"),
                                 bursts(20000 + 3001 * i, 200 + 50 * i)));
      speech.back().speaker = i % 2 == 0 ? "even" : "odd";
    }
    for (int i = 0; i < noise_files; ++i) {
      noise.push_back(put_entry(dir / ("noise" + std::to_string(i) + ".wav"),
                                white(9000 + 9000 * i, 50 + static_cast<uint64_t>(i), 0.1)));
    }
  }

  MixtureSources sources() const { return {speech, noise, responses}; }

  MixtureDataset mixtures(int64_t segment = 16000, const MixtureOptions& options = {},
                          ShortItems short_items = ShortItems::repeat) const {
    return {sources(), segment, short_items, options, store};
  }
};

inline std::string hash_of(const Example& example) {
  return example.recipe.id + hash_of(example.noisy) + hash_of(example.clean);
}

}  // namespace limbeck::test
