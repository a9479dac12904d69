#include "data/segments.h"

#include <algorithm>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"

namespace limbeck {

ShortItems short_items(std::string_view name) {
  if (name == "pad") return ShortItems::pad;
  if (name == "repeat") return ShortItems::repeat;
  if (name == "concatenate") return ShortItems::concatenate;
  throw ConfigError("unknown way with short items '" + std::string(name) +
                    "'; known: pad, repeat, concatenate");
}

int64_t draw_below(Random& random, int64_t count) {
  return static_cast<int64_t>(random.below(static_cast<uint64_t>(count)));
}

void require_rate(const std::vector<ManifestEntry>& entries, const std::string& source,
                  int64_t rate_hz) {
  for (const ManifestEntry& entry : entries) {
    if (entry.rate_hz == rate_hz) continue;
    throw DataError(format("%s: has %d Hz where data.rate_hz is %d (%s)", entry.audio.path,
                           entry.rate_hz, rate_hz, source));
  }
}

Segments::Segments(std::vector<ManifestEntry> entries, std::shared_ptr<const AudioStore> store)
    : entries_(std::move(entries)), store_(std::move(store)) {
  for (int64_t i = 0; i < size(); ++i) {
    index_of_.emplace(entry(i).id, i);
    if (!entry(i).speaker.empty()) of_speaker_[entry(i).speaker].push_back(i);
  }
}

int64_t Segments::samples(int64_t index, int64_t length, ShortItems short_items) const {
  const int64_t all = entry(index).samples;
  if (length == 0) return all;
  return short_items == ShortItems::pad ? std::min(length, all) : length;
}

std::vector<Piece> Segments::draw(int64_t index, int64_t length, ShortItems short_items,
                                  Random& random) const {
  const ManifestEntry& own = entry(index);
  if (length == 0) return {{own.id, 0, own.samples}};
  if (own.samples >= length) {
    return {{own.id, draw_below(random, own.samples - length + 1), length}};
  }
  std::vector<Piece> pieces = {{own.id, 0, own.samples}};
  if (short_items == ShortItems::pad) return pieces;
  if (short_items == ShortItems::repeat) {
    const int64_t start = draw_below(random, own.samples);
    pieces[0] = {own.id, start, own.samples - start};
  }
  for (int64_t left = length - pieces[0].count; left > 0; left -= pieces.back().count) {
    const ManifestEntry& next =
        short_items == ShortItems::repeat ? own : entry(another_of_speaker(index, random));
    pieces.push_back({next.id, 0, std::min(left, next.samples)});
  }
  return pieces;
}

int64_t Segments::another_of_speaker(int64_t index, Random& random) const {
  const auto found = of_speaker_.find(entry(index).speaker);
  if (found == of_speaker_.end() || found->second.size() < 2) return index;
  // Every one but `index`: the last takes its place.
  const auto& all = found->second;
  const int64_t drawn =
      all[static_cast<size_t>(draw_below(random, static_cast<int64_t>(all.size()) - 1))];
  return drawn == index ? all.back() : drawn;
}

std::vector<float> Segments::read(const std::vector<Piece>& pieces, Side side) const {
  std::vector<float> samples;
  samples.reserve(static_cast<size_t>(samples_of(pieces)));
  for (const Piece& piece : pieces) {
    const ManifestEntry& from = entry(piece.id);
    const auto part = store_->read(side == Side::clean ? from.audio : from.noisy, from.samples,
                                   piece.start, piece.count);
    samples.insert(samples.end(), part.begin(), part.end());
  }
  return samples;
}

}  // namespace limbeck
