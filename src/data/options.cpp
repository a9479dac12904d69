#include "limbeck/data/options.h"

#include <cmath>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/data/audio_store.h"
#include "limbeck/data/listing.h"
#include "limbeck/data/selection.h"

namespace limbeck {
namespace {

void require_rate(const std::vector<ManifestEntry>& entries, const std::string& source,
                  int64_t rate_hz) {
  for (const ManifestEntry& entry : entries) {
    if (entry.rate_hz == rate_hz) continue;
    throw DataError(format("%s: has %d Hz where data.rate_hz is %d (%s)", entry.audio.path,
                           entry.rate_hz, rate_hz, source));
  }
}

/// Throws DataError unless the split can be used as it is.
void require_usable(const SplitEntries& part, const DataSelection& data, Split split,
                    int64_t rate_hz) {
  const char* missing = !part.pairs.empty()   ? nullptr
                        : part.speech.empty() ? (part.noise.empty() ? "entry" : "speech")
                        : part.noise.empty()  ? "noise"
                                              : nullptr;
  if (missing != nullptr) {
    throw DataError(format("%s: no %s has split %s", data.source, missing, split_name(split)));
  }
  for (const auto* entries : {&part.speech, &part.noise, &part.pairs}) {
    require_rate(*entries, data.source, rate_hz);
  }
}

int64_t segment_of(double seconds, int64_t rate_hz) {
  return std::llround(seconds * static_cast<double>(rate_hz));
}

MixtureSources sources_of(const DataOptions& options, const SplitEntries& part, Split split) {
  return {part.speech, part.noise,
          find_responses(options.mixture.reverb.responses, split, options.rate_hz)};
}

std::shared_ptr<const AudioStore> make_store(const DataOptions& options, int64_t cache_mb) {
  return std::make_shared<const AudioStore>(static_cast<int>(options.rate_hz), cache_mb << 20);
}

std::unique_ptr<Dataset> make_dataset(const DataOptions& options, const DataSelection& data,
                                      Split split, double seconds, int64_t cache_mb) {
  const SplitEntries& part = data.of(split);
  require_usable(part, data, split, options.rate_hz);
  const int64_t segment = segment_of(seconds, options.rate_hz);
  const ShortItems short_ones = short_items(options.short_items);
  auto store = make_store(options, cache_mb);
  if (!part.pairs.empty()) {
    return std::make_unique<PairDataset>(part.pairs, segment, short_ones, std::move(store));
  }
  return std::make_unique<MixtureDataset>(sources_of(options, part, split), segment, short_ones,
                                          options.mixture, std::move(store));
}

}  // namespace

void DataOptions::describe(config::Visitor& v) {
  v.value("protocol", protocol, "protocol that names the manifests, instead of the next three",
          config::any().names_file());
  v.value("speech", speech, "manifest of clean recordings, with noise: mixed on the fly",
          config::any().names_file());
  v.value("noise", noise, "manifest of noise recordings", config::any().names_file());
  v.value("pairs", pairs, "manifest of recorded pairs, instead of speech and noise",
          config::any().names_file());
  v.value("allow_leak", allow_leak,
          "go on where train, valid and test share files or speakers; every result then says so",
          config::any().no_effect());
  v.value("rate_hz", rate_hz, "sample rate that all recordings must have",
          config::between(8000, 192000));
  v.value("segment_seconds", segment_seconds, "length of a training example",
          config::between(0.1, 60));
  v.value(
      "short_items", short_items,
      "recordings shorter than a segment: pad (masked in the loss), repeat, or concatenate with "
      "others of the speaker",
      config::one_of({"pad", "repeat", "concatenate"}));
  mixture.describe(v);
  v.section("augment", augment, "changes to whole batches, in training only");
  v.value("epochs_unique", epochs_unique,
          "epochs after which the batches come again, with their order and draws, so that what a "
          "teacher says of them can be kept; 0: every epoch draws anew",
          config::between(0, 1e6));
  v.value("valid_count", valid_count, "number of fixed validation examples; 0: one an entry",
          config::at_least(0));
  v.value("valid_segment_seconds", valid_segment_seconds,
          "length of a validation example; 0: whole recordings, in batches of like length",
          config::between(0, 60));
  v.value("valid_seed", valid_seed, "names the fixed set; independent of the training seed",
          config::at_least(0));
  v.value("valid_recipes", valid_recipes,
          "recipes of mixtures (limbeck-prepare mixtures) to validate on, all of them and whole; "
          "the other keys of validation then say nothing",
          config::any().names_file());
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
  v.require(valid_segment_seconds == 0 || valid_segment_seconds >= 0.1, "valid_segment_seconds",
            "must be 0 or at least 0.1");
  v.require(pairs.empty() || mixture.reverb.responses.empty(), "reverb",
            "pairs cannot be put in a room; it is for speech and noise");
  v.require(pairs.empty() || valid_recipes.empty(), "valid_recipes",
            "recipes are for speech and noise, not for pairs");
}

std::unique_ptr<Dataset> make_train_dataset(const DataOptions& options, const DataSelection& data) {
  return make_dataset(options, data, Split::train, options.segment_seconds, options.cache_mb);
}

std::unique_ptr<Dataset> make_train_dataset(const DataOptions& options) {
  return make_train_dataset(options, select_data(options));
}

std::unique_ptr<Dataset> make_fixed_dataset(const DataOptions& options, const DataSelection& data,
                                            Split split) {
  // Each recording is read once in a while, so nothing is kept.
  return make_dataset(options, data, split, options.valid_segment_seconds, 0);
}

ValidationSet make_validation_set(const DataOptions& options, const DataSelection& data,
                                  int64_t batch_size) {
  const auto seed = static_cast<uint64_t>(options.valid_seed);
  if (options.valid_recipes.empty()) {
    return {make_fixed_dataset(options, data, Split::valid), options.valid_count, seed, batch_size};
  }
  auto dataset = std::make_unique<RecipeDataset>(read_recipes(options.valid_recipes),
                                                 sources_of(options, data.valid, Split::valid),
                                                 options.valid_recipes, make_store(options, 0));
  return {std::move(dataset), 0, seed, batch_size};
}

std::vector<ManifestEntry> find_responses(const std::string& folder_or_manifest, Split split,
                                          int64_t rate_hz) {
  if (folder_or_manifest.empty()) return {};
  Manifest manifest;
  if (std::filesystem::is_directory(folder_or_manifest)) {
    Logger silent(Verbosity::quiet);
    Listing listing = measure_all(
        Manifest::Kind::recordings, find_recordings({folder_or_manifest}, SpeakerRule::none), 0,
        silent, [&](ManifestEntry& entry) { measure_recording(entry, rate_hz); });
    if (!listing.problems.empty()) {
      throw DataError(listing.problems[0].file + ": " + listing.problems[0].reason);
    }
    manifest = std::move(listing.manifest);
  } else {
    manifest = Manifest::read(folder_or_manifest).filter(split);
  }
  if (manifest.kind != Manifest::Kind::recordings || manifest.entries.empty()) {
    throw DataError(folder_or_manifest + ": lists no recording of split " + split_name(split));
  }
  require_rate(manifest.entries, folder_or_manifest, rate_hz);
  return std::move(manifest.entries);
}

LoaderOptions loader_options(const DataOptions& options, int64_t batch_size, Logger* logger) {
  return {batch_size,      options.workers, options.prefetch,
          options.augment, logger,          options.epochs_unique};
}

}  // namespace limbeck
