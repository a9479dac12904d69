#include "limbeck/data/options.h"

#include <cmath>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/data/audio_store.h"

namespace limbeck {
namespace {

using Kind = Manifest::Kind;

std::vector<ManifestEntry> entries_of(const std::string& path, Kind kind, Split split,
                                      int64_t rate_hz) {
  const Manifest manifest = Manifest::read(path);
  if (manifest.kind != kind) {
    const bool pairs = manifest.kind == Kind::pairs;
    throw DataError(path + (pairs ? ": lists pairs, and recordings are needed here"
                                  : ": lists recordings, and pairs are needed here"));
  }
  Manifest part = manifest.filter(split);
  if (part.entries.empty()) {
    throw DataError(format("%s: no entry has split %s (of %zu in the file)", path.c_str(),
                           split_name(split), manifest.entries.size()));
  }
  for (const ManifestEntry& entry : part.entries) {
    if (entry.rate_hz == rate_hz) continue;
    throw DataError(format("%s: has %d Hz where data.rate_hz is %lld (%s)",
                           entry.audio.path.c_str(), entry.rate_hz, static_cast<long long>(rate_hz),
                           path.c_str()));
  }
  return std::move(part.entries);
}

std::unique_ptr<Dataset> make_dataset(const DataOptions& options, Split split, double seconds,
                                      int64_t cache_mb) {
  const int64_t rate_hz = options.rate_hz;
  const int64_t segment = std::llround(seconds * static_cast<double>(rate_hz));
  auto store = std::make_shared<const AudioStore>(static_cast<int>(rate_hz), cache_mb << 20);
  if (!options.pairs.empty()) {
    return std::make_unique<PairDataset>(entries_of(options.pairs, Kind::pairs, split, rate_hz),
                                         segment, std::move(store));
  }
  auto speech = entries_of(options.speech, Kind::recordings, split, rate_hz);
  auto noise = entries_of(options.noise, Kind::recordings, split, rate_hz);
  return std::make_unique<MixtureDataset>(std::move(speech), std::move(noise), segment,
                                          options.mixture, std::move(store));
}

}  // namespace

void DataOptions::describe(config::Visitor& v) {
  v.value("speech", speech, "manifest of clean recordings, with noise: mixed on the fly");
  v.value("noise", noise, "manifest of noise recordings");
  v.value("pairs", pairs, "manifest of recorded pairs, instead of speech and noise");
  v.value("rate_hz", rate_hz, "sample rate that all recordings must have",
          config::between(8000, 192000));
  v.value("segment_seconds", segment_seconds, "length of a training example",
          config::between(0.1, 60));
  mixture.describe(v);
  v.value("valid_count", valid_count, "number of fixed validation examples", config::at_least(1));
  v.value("valid_segment_seconds", valid_segment_seconds, "length of a validation example",
          config::between(0.1, 60));
  v.value("valid_seed", valid_seed, "names the fixed set; independent of the training seed",
          config::at_least(0));
  v.value("workers", workers, "threads that make batches; 0 makes them in the training thread",
          config::between(0, 256).no_effect());
  v.value("prefetch", prefetch, "batches made ahead", config::between(1, 1024).no_effect());
  v.value("cache_mb", cache_mb, "memory for decoded recordings",
          config::between(0, 1 << 20).no_effect());
  const bool mixtures = !speech.empty() && !noise.empty() && pairs.empty();
  const bool recorded = speech.empty() && noise.empty() && !pairs.empty();
  v.require(mixtures || recorded, pairs.empty() ? "speech" : "pairs",
            "give either both speech and noise, or pairs");
}

std::unique_ptr<Dataset> make_train_dataset(const DataOptions& options) {
  return make_dataset(options, Split::train, options.segment_seconds, options.cache_mb);
}

std::unique_ptr<Dataset> make_valid_dataset(const DataOptions& options) {
  // Every example is made once and kept, so decoded recordings would be kept for nothing.
  return make_dataset(options, Split::valid, options.valid_segment_seconds, 0);
}

}  // namespace limbeck
