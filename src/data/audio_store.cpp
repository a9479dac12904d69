#include "data/audio_store.h"

#include <algorithm>
#include <cmath>

#include "limbeck/audio/io.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"

namespace limbeck {
namespace {

[[noreturn]] void fail(const AudioFile& file, const std::string& reason) {
  throw DataError(file.path.string() + ": " + reason);
}

void require_length(const AudioFile& file, int64_t samples, int64_t expected) {
  if (samples == expected) return;
  fail(file, format("has %d samples where the manifest says %d; run limbeck-prepare again", samples,
                    expected));
}

/// True if 16-bit integers hold the samples exactly, which are then in `integers`.
bool to_integers(const std::vector<float>& samples, std::vector<int16_t>& integers) {
  integers.resize(samples.size());
  for (size_t i = 0; i < samples.size(); ++i) {
    const float scaled = samples[i] * 32768.0F;
    if (scaled != std::nearbyint(scaled) || scaled < -32768.0F || scaled > 32767.0F) return false;
    integers[i] = static_cast<int16_t>(scaled);
  }
  return true;
}

}  // namespace

AudioStore::AudioStore(int rate_hz, int64_t capacity_bytes)
    : rate_hz_(rate_hz), capacity_bytes_(capacity_bytes) {}

int64_t AudioStore::Decoded::size() const {
  return static_cast<int64_t>(std::max(integers.size(), floats.size()));
}

int64_t AudioStore::Decoded::bytes() const {
  return static_cast<int64_t>(integers.size() * sizeof(int16_t) + floats.size() * sizeof(float));
}

std::vector<float> AudioStore::Decoded::slice(int64_t start, int64_t count) const {
  std::vector<float> samples(static_cast<size_t>(count));
  if (floats.empty()) {
    for (size_t i = 0; i < samples.size(); ++i) {
      samples[i] = static_cast<float>(integers[static_cast<size_t>(start) + i]) / 32768.0F;
    }
  } else {
    std::copy_n(floats.begin() + start, count, samples.begin());
  }
  return samples;
}

std::shared_ptr<const AudioStore::Decoded> AudioStore::find(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = kept_.find(name);
  return found == kept_.end() ? nullptr : found->second;
}

bool AudioStore::has_room(int64_t bytes) const {
  const std::lock_guard lock(mutex_);
  return used_bytes_ + bytes <= capacity_bytes_;
}

/// Null if the file cannot be decoded to its end.
std::shared_ptr<const AudioStore::Decoded> AudioStore::decode_and_keep(
    const AudioFile& file) const {
  auto decoded = std::make_shared<Decoded>();
  try {
    decoded->floats = read_audio(file.path).samples;
  } catch (const DataError&) {
    return nullptr;  // the segment that is wanted may still be good
  }
  require_hash(file, decoded->floats);
  if (to_integers(decoded->floats, decoded->integers)) {
    decoded->floats = {};
  } else {
    decoded->integers = {};
  }
  // Two threads may decode the same file; one result is dropped.
  const std::lock_guard lock(mutex_);
  if (used_bytes_ + decoded->bytes() <= capacity_bytes_ &&
      kept_.emplace(file.path.string(), decoded).second) {
    used_bytes_ += decoded->bytes();
  }
  return decoded;
}

std::vector<float> AudioStore::read(const AudioFile& file, int64_t samples, int64_t start,
                                    int64_t count) const {
  auto decoded = find(file.path.string());
  if (!decoded) {
    const AudioInfo info = audio_info(file.path);
    if (info.rate_hz != rate_hz_) {
      fail(file, format("has %d Hz where %d Hz are expected", info.rate_hz, rate_hz_));
    }
    require_length(file, info.samples, samples + file.cut);
    if (has_room(info.samples * static_cast<int64_t>(sizeof(int16_t)))) {
      decoded = decode_and_keep(file);
    }
  }
  if (!decoded) {
    ReadOptions options;
    options.start = start;
    options.count = count;
    return read_audio(file.path, options).samples;
  }
  require_length(file, decoded->size(), samples + file.cut);
  return decoded->slice(start, count);
}

int64_t AudioStore::used_bytes() const {
  const std::lock_guard lock(mutex_);
  return used_bytes_;
}

}  // namespace limbeck
