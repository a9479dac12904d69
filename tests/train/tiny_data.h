#pragma once

#include <filesystem>
#include <string>

#include "data/support.h"
#include "limbeck/data/manifest.h"

namespace limbeck::test {

/// Five short tones in noise, three of them for training, and their manifest, pairs.csv.
inline void put_pairs(const std::filesystem::path& data) {
  Manifest manifest;
  manifest.kind = Manifest::Kind::pairs;
  for (int i = 0; i < 5; ++i) {
    ManifestEntry& entry = manifest.entries.emplace_back();
    entry.id = std::to_string(i);
    entry.speaker = "s" + entry.id;
    entry.split = i < 3 ? Split::train : Split::valid;
    entry.samples = 1600;
    entry.rate_hz = 16000;
    const auto put = [&](AudioFile& file, const char* side, std::vector<float> samples) {
      file.path = data / (entry.id + side);
      file.hash = hash_audio(samples);
      put_audio(file.path, std::move(samples), 16000, SampleFormat::float32);
    };
    auto noisy = sine(1600, 200 + 90 * i, 0.3);
    const auto noise = white(1600, static_cast<uint64_t>(i + 1), 0.1);
    put(entry.audio, "-clean.wav", noisy);
    for (size_t n = 0; n < noisy.size(); ++n) noisy[n] += noise[n];
    put(entry.noisy, "-noisy.wav", noisy);
  }
  manifest.write(data / "pairs.csv");
}

}  // namespace limbeck::test
