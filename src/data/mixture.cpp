#include "limbeck/data/mixture.h"

#include <algorithm>

#include "limbeck/audio/mix.h"
#include "limbeck/core/error.h"
#include "limbeck/data/audio_store.h"

namespace limbeck {
namespace {

constexpr int kAttempts = 4;

int64_t draw_below(Random& random, int64_t count) {
  return static_cast<int64_t>(random.below(static_cast<uint64_t>(count)));
}

}  // namespace

void MixtureOptions::describe(config::Visitor& v) {
  v.value("snr_db_min", snr_db_min, "lowest SNR of a mixture", config::between(-30, 60));
  v.value("snr_db_max", snr_db_max, "highest SNR of a mixture", config::between(-30, 60));
  v.value("level_dbfs_min", level_dbfs_min, "lowest level of the speech, over its active parts",
          config::between(-55, -5));
  v.value("level_dbfs_max", level_dbfs_max, "highest level of the speech, over its active parts",
          config::between(-55, -5));
  v.require(snr_db_min <= snr_db_max, "snr_db_max", "is below snr_db_min");
  v.require(level_dbfs_min <= level_dbfs_max, "level_dbfs_max", "is below level_dbfs_min");
}

MixtureDataset::MixtureDataset(std::vector<ManifestEntry> speech, std::vector<ManifestEntry> noise,
                               int64_t segment_samples, const MixtureOptions& options,
                               std::shared_ptr<const AudioStore> store)
    : speech_(std::move(speech)),
      noise_(std::move(noise)),
      segment_(segment_samples),
      options_(options),
      store_(std::move(store)) {
  if (speech_.empty()) throw DataError("mixtures need at least one recording of speech");
  if (noise_.empty()) throw DataError("mixtures need at least one recording of noise");
}

int64_t MixtureDataset::size() const { return static_cast<int64_t>(speech_.size()); }

std::vector<float> MixtureDataset::speech_segment(const ManifestEntry& entry,
                                                  Random& random) const {
  if (entry.samples < segment_) {
    const int64_t offset = draw_below(random, segment_ - entry.samples + 1);
    const auto speech = store_->read(entry.audio, entry.samples, 0, entry.samples);
    std::vector<float> segment(static_cast<size_t>(segment_));
    std::copy(speech.begin(), speech.end(), segment.begin() + offset);
    return segment;
  }
  std::vector<float> segment;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const int64_t start = draw_below(random, entry.samples - segment_ + 1);
    segment = store_->read(entry.audio, entry.samples, start, segment_);
    if (active_level_dbfs(segment, store_->rate_hz()) >= kSilentSpeechDbfs) break;
  }
  return segment;
}

std::vector<float> MixtureDataset::noise_segment(Random& random) const {
  std::vector<float> segment;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const auto which = static_cast<size_t>(draw_below(random, static_cast<int64_t>(noise_.size())));
    const ManifestEntry& entry = noise_[which];
    if (entry.samples >= segment_) {
      const int64_t start = draw_below(random, entry.samples - segment_ + 1);
      segment = store_->read(entry.audio, entry.samples, start, segment_);
    } else {
      auto from = static_cast<size_t>(draw_below(random, entry.samples));
      const auto noise = store_->read(entry.audio, entry.samples, 0, entry.samples);
      segment.resize(static_cast<size_t>(segment_));
      for (float& x : segment) {
        x = noise[from];
        from = from + 1 == noise.size() ? 0 : from + 1;
      }
    }
    if (level_dbfs(segment) >= kSilentNoiseDbfs) break;
  }
  return segment;
}

Example MixtureDataset::get(int64_t index, SeedKey key) const {
  const ManifestEntry& entry = speech_.at(static_cast<size_t>(index));
  // One stream a purpose: how often one of them is drawn from cannot shift another.
  Random speech_random(key.with("speech"));
  Random noise_random(key.with("noise"));
  const double snr_db = Random(key.with("snr")).uniform(options_.snr_db_min, options_.snr_db_max);
  const double level_db =
      Random(key.with("level")).uniform(options_.level_dbfs_min, options_.level_dbfs_max);

  Example example;
  example.id = entry.id;
  example.valid_samples = segment_;
  example.clean = speech_segment(entry, speech_random);
  std::vector<float> noise = noise_segment(noise_random);
  const double speech_db = active_level_dbfs(example.clean, store_->rate_hz());
  if (speech_db >= kSilentSpeechDbfs) {
    apply_gain(example.clean, gain_of_db(level_db - speech_db));
  } else if (const double noise_db = level_dbfs(noise); noise_db >= kSilentNoiseDbfs) {
    apply_gain(noise, gain_of_db(level_db - snr_db - noise_db));
  }
  example.noisy = mix_at_snr(example.clean, noise, store_->rate_hz(), snr_db);
  limit_peak(example.noisy, example.clean);
  return example;
}

}  // namespace limbeck
