#include "limbeck/data/options.h"

#include <cmath>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/data/audio_store.h"
#include "limbeck/data/selection.h"

namespace limbeck {
namespace {

/// Throws DataError unless the split can be used as it is.
void require_usable(const SplitEntries& part, const DataSelection& data, Split split,
                    int64_t rate_hz) {
  const char* missing = !part.pairs.empty()   ? nullptr
                        : part.speech.empty() ? (part.noise.empty() ? "entry" : "speech")
                        : part.noise.empty()  ? "noise"
                                              : nullptr;
  if (missing != nullptr) {
    throw DataError(
        format("%s: no %s has split %s", data.source.c_str(), missing, split_name(split)));
  }
  for (const auto* entries : {&part.speech, &part.noise, &part.pairs}) {
    for (const ManifestEntry& entry : *entries) {
      if (entry.rate_hz == rate_hz) continue;
      throw DataError(format("%s: has %d Hz where data.rate_hz is %lld (%s)",
                             entry.audio.path.c_str(), entry.rate_hz,
                             static_cast<long long>(rate_hz), data.source.c_str()));
    }
  }
}

std::unique_ptr<Dataset> make_dataset(const DataOptions& options, const DataSelection& data,
                                      Split split, double seconds, int64_t cache_mb) {
  const int64_t rate_hz = options.rate_hz;
  const SplitEntries& part = data.of(split);
  require_usable(part, data, split, rate_hz);
  const int64_t segment = std::llround(seconds * static_cast<double>(rate_hz));
  auto store = std::make_shared<const AudioStore>(static_cast<int>(rate_hz), cache_mb << 20);
  if (!part.pairs.empty()) {
    return std::make_unique<PairDataset>(part.pairs, segment, std::move(store));
  }
  return std::make_unique<MixtureDataset>(part.speech, part.noise, segment, options.mixture,
                                          std::move(store));
}

}  // namespace

void DataOptions::describe(config::Visitor& v) {
  v.value("protocol", protocol, "protocol that names the manifests, instead of the next three");
  v.value("speech", speech, "manifest of clean recordings, with noise: mixed on the fly");
  v.value("noise", noise, "manifest of noise recordings");
  v.value("pairs", pairs, "manifest of recorded pairs, instead of speech and noise");
  v.value("allow_leak", allow_leak,
          "go on where train, valid and test share files or speakers; every result then says so");
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
  const bool none = speech.empty() && noise.empty() && pairs.empty();
  v.require(protocol.empty() ? mixtures || recorded : none,
            !protocol.empty() ? "protocol"
            : pairs.empty()   ? "speech"
                              : "pairs",
            protocol.empty() ? "give either both speech and noise, or pairs, or a protocol"
                             : "a protocol names all manifests: leave speech, noise and pairs out");
}

std::unique_ptr<Dataset> make_train_dataset(const DataOptions& options, const DataSelection& data) {
  return make_dataset(options, data, Split::train, options.segment_seconds, options.cache_mb);
}

std::unique_ptr<Dataset> make_train_dataset(const DataOptions& options) {
  return make_train_dataset(options, select_data(options));
}

std::unique_ptr<Dataset> make_valid_dataset(const DataOptions& options, const DataSelection& data) {
  // Every example is made once and kept, so decoded recordings would be kept for nothing.
  return make_dataset(options, data, Split::valid, options.valid_segment_seconds, 0);
}

std::unique_ptr<Dataset> make_valid_dataset(const DataOptions& options) {
  return make_valid_dataset(options, select_data(options));
}

}  // namespace limbeck
