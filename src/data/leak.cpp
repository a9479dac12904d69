#include "limbeck/data/leak.h"

#include <algorithm>
#include <cmath>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/data/listing.h"

namespace limbeck {
namespace {

/// Resampling rounds the length to a whole sample.
constexpr double kSameLengthSeconds = 0.001;

bool known_speakers(const Fingerprint& a, const Fingerprint& b) {
  return !a.speaker.empty() && !b.speaker.empty();
}

/// The name alone says too little.
bool needs_length(const Fingerprint& a, const Fingerprint& b) {
  return a.is_noise || !known_speakers(a, b);
}

/// "824 files (a, b, c, …)"
std::string counted(std::vector<std::string> names, const char* what) {
  const size_t count = names.size();
  if (count > 3) {
    names.resize(3);
    names.emplace_back("…");
  }
  return format("%d %s%s (%s)", count, what, count == 1 ? "" : "s", join(names, ", "));
}

}  // namespace

std::vector<Fingerprint> fingerprints(const std::vector<ManifestEntry>& entries, bool is_noise) {
  std::vector<Fingerprint> items;
  items.reserve(entries.size());
  for (const ManifestEntry& entry : entries) {
    const std::string speaker =
        is_noise ? entry.speaker : without_chapter(entry.audio.path, entry.speaker);
    items.push_back({entry.id, entry.audio.path.stem().string(), speaker, entry.audio.hash,
                     entry.noisy.hash, static_cast<double>(entry.samples) / entry.rate_hz,
                     is_noise});
  }
  return items;
}

void LeakIndex::add(const std::vector<Fingerprint>& items, const std::string& side) {
  for (const Fingerprint& item : items) {
    const size_t index = seen_.size();
    seen_.push_back({item, side});
    for (const std::string& hash : {item.hash, item.noisy_hash}) {
      if (!hash.empty()) by_hash_.emplace(hash, index);
    }
    by_stem_.emplace(item.stem, index);
    if (!item.is_noise && !item.speaker.empty()) ++files_of_speaker_[item.speaker][side];
  }
}

const LeakIndex::Seen* LeakIndex::same_samples(const Fingerprint& item) const {
  for (const std::string& hash : {item.hash, item.noisy_hash}) {
    const auto found = hash.empty() ? by_hash_.end() : by_hash_.find(hash);
    if (found != by_hash_.end()) return &seen_[found->second];
  }
  return nullptr;
}

const LeakIndex::Seen* LeakIndex::same_name(const Fingerprint& item) const {
  const Seen* first = nullptr;
  const auto [begin, end] = by_stem_.equal_range(item.stem);
  for (auto at = begin; at != end; ++at) {
    const Seen& seen = seen_[at->second];
    if (seen.item.is_noise != item.is_noise) continue;
    if (known_speakers(seen.item, item) && seen.item.speaker != item.speaker) continue;
    const bool same_length = std::abs(seen.item.seconds - item.seconds) <= kSameLengthSeconds;
    if (needs_length(seen.item, item) && !same_length) continue;
    if (first == nullptr || &seen < first) first = &seen;  // whatever the order of the table
  }
  return first;
}

std::vector<Leak> LeakIndex::find(const std::vector<Fingerprint>& items, const std::string& side,
                                  bool speakers_too) const {
  std::vector<Leak> leaks;
  std::map<std::string, int> files_of;
  for (const Fingerprint& item : items) {
    if (!item.is_noise && !item.speaker.empty()) ++files_of[item.speaker];
    const Seen* samples = same_samples(item);
    const Seen* seen = samples ? samples : same_name(item);
    if (seen == nullptr) continue;
    const char* what = samples                          ? "samples"
                       : needs_length(seen->item, item) ? "name and length"
                                                        : "name and speaker";
    leaks.push_back({Leak::Kind::file, item.id, side + " in " + seen->side,
                     format("%s of %s has the %s of %s of %s", item.id, side, what, seen->item.id,
                            seen->side)});
  }
  if (!speakers_too) return leaks;
  for (const auto& [speaker, count] : files_of) {
    const auto found = files_of_speaker_.find(speaker);
    if (found == files_of_speaker_.end()) continue;
    for (const auto& [other, files] : found->second) {
      leaks.push_back({Leak::Kind::speaker, speaker, side + " in " + other,
                       format("speaker %s is in %s (%d ×) and in %s (%d ×)", speaker, side, count,
                              other, files)});
    }
  }
  return leaks;
}

std::string leak_summary(const std::vector<Leak>& leaks) {
  struct Names {
    std::vector<std::string> files, speakers;
  };
  std::map<std::string, Names> names;
  for (const Leak& leak : leaks) {
    Names& group = names[leak.sides];
    (leak.kind == Leak::Kind::file ? group.files : group.speakers).push_back(leak.name);
  }
  std::vector<std::string> parts;
  for (const auto& [sides, group] : names) {
    std::vector<std::string> counts;
    if (!group.files.empty()) counts.push_back(counted(group.files, "file"));
    if (!group.speakers.empty()) counts.push_back(counted(group.speakers, "speaker"));
    parts.push_back(join(counts, " and ") + " of " + sides);
  }
  return join(parts, "; ");
}

std::string refuse_leaks(const std::vector<Leak>& leaks, bool allowed, const std::string& source,
                         Logger& logger) {
  if (leaks.empty()) return "";
  std::vector<std::string> texts;
  for (const Leak& leak : leaks) texts.push_back(leak.text);
  const std::string list = listed(texts, 10);
  const std::string what = source + ": " + leak_summary(leaks) + list;
  if (!allowed) {
    throw DataError(what +
                    "\nTake them from one side. (Different people of one name need different names "
                    "in the column 'speaker'.) Training, scoring and locking a protocol go on with "
                    "--allow-leak, and every result says so.");
  }
  logger.warn("LEAK ALLOWED: " + what);
  return "LEAK ALLOWED: " + leak_summary(leaks);
}

void add_note(std::vector<std::string>& notes, const std::string& note, const std::string& whose) {
  const auto said = [&](const std::string& other) {
    return other == note || other == whose + note;
  };
  if (!note.empty() && std::none_of(notes.begin(), notes.end(), said))
    notes.push_back(whose + note);
}

}  // namespace limbeck
