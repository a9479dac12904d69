#include "limbeck/corpus/prepare.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "limbeck/core/csv.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/core/random.h"
#include "limbeck/data/place.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;

/// What `--splits` says of one file.
struct Assignment {
  std::string split;
  std::optional<std::string> speaker;  ///< where the table has a column for it
  std::string place;                   ///< file:line
};

class SplitTable {
 public:
  explicit SplitTable(const std::vector<fs::path>& paths) {
    for (const fs::path& path : paths) read(path);
  }

  /// The files, for messages.
  std::string names() const { return join(names_, ", "); }
  /// Each says who speaks, if only that nobody knows.
  bool all_have_speakers() const { return all_have_speakers_; }

  const Assignment* find(const fs::path& file) const {
    const auto found = rows_.find(key_of(file));
    return found == rows_.end() ? nullptr : &found->second;
  }

 private:
  void read(const fs::path& path) {
    const Csv csv = read_csv(path);
    const fs::path folder = place_of(path).parent_path();
    names_.push_back(path.string());
    const int file = csv.column("file");
    const int split = csv.column("split");
    if (file < 0 || split < 0) {
      throw DataError(path.string() + ":1: column '" + (file < 0 ? "file" : "split") +
                      "' is missing; needed are file and split");
    }
    const int speaker = csv.column("speaker") >= 0 ? csv.column("speaker") : csv.column("label");
    all_have_speakers_ = all_have_speakers_ && speaker >= 0;
    for (size_t i = 0; i < csv.rows.size(); ++i) {
      const auto text = [&](int column) { return csv.rows[i][static_cast<size_t>(column)]; };
      Assignment row{text(split), {}, format("%s:%d", path, csv.lines[i])};
      if (speaker >= 0) row.speaker = text(speaker);
      const auto [other, is_new] = rows_.emplace(key_of(folder / text(file)), row);
      if (is_new || other->second.split == row.split) continue;
      throw DataError(format("%s: '%s' has split '%s' here and '%s' in %s", row.place, text(file),
                             row.split, other->second.split, other->second.place));
    }
  }

  // The folder may be reached by two names (symbolic links, ".."); two links to one file are two.
  static std::string key_of(const fs::path& file) { return place_of(file).generic_string(); }

  std::vector<std::string> names_;
  bool all_have_speakers_ = true;
  std::map<std::string, Assignment> rows_;
};

void split_by_table(std::vector<ManifestEntry>& entries, const SplitTable& table,
                    SpeakerRule rule) {
  std::vector<std::string> missing;
  for (ManifestEntry& entry : entries) {
    const Assignment* row = table.find(entry.audio.path);
    if (row == nullptr) {
      missing.push_back(entry.audio.path.string());
      continue;
    }
    if (!parse_split(row->split, entry.split)) {
      throw DataError(
          format("%s: split '%s' is none of train, valid, test", row->place, row->split));
    }
    if (rule == SpeakerRule::automatic && row->speaker) entry.speaker = *row->speaker;
  }
  if (missing.empty()) return;
  throw DataError(
      format("%s: no row for %d of %d files:", table.names(), missing.size(), entries.size()) +
      listed(missing));
}

/// Which files have no speaker although one was looked for; empty: none.
std::string unknown_speakers(const std::vector<ManifestEntry>& entries, SpeakerRule rule) {
  std::vector<std::string> files;
  for (const ManifestEntry& entry : entries) {
    if (entry.speaker.empty()) files.push_back(entry.audio.path.string());
  }
  if (files.empty() || rule == SpeakerRule::none) return "";
  return format(
             "of %d files, %d have no speaker that folders and file name agree on: say with "
             "--speaker where it is (top: the first folder, folder: the last one, prefix of the "
             "file name):",
             entries.size(), files.size()) +
         listed(files, 3);
}

void split_by_speaker(std::vector<ManifestEntry>& entries, const RecordingsOptions& options) {
  if (options.speaker == SpeakerRule::none) {
    throw ConfigError("--speaker none leaves no speaker to split by");
  }
  const std::string unknown = unknown_speakers(entries, options.speaker);
  if (!unknown.empty()) throw ConfigError("nothing to split by: " + unknown);
  std::set<std::string> names;
  for (const ManifestEntry& entry : entries) names.insert(entry.speaker);
  const auto count = static_cast<int64_t>(names.size());
  if (options.valid_speakers + options.test_speakers >= count) {
    throw ConfigError(format("of %d speakers, %d for valid and %d for test leave none for train",
                             count, options.valid_speakers, options.test_speakers));
  }
  const std::vector<std::string> sorted(names.begin(), names.end());
  const auto order =
      permutation(count, SeedKey(static_cast<uint64_t>(options.seed)).with("split by speaker"));
  std::map<std::string, Split> split_of;
  for (int64_t i = 0; i < count; ++i) {
    const Split split = i < options.test_speakers                            ? Split::test
                        : i < options.test_speakers + options.valid_speakers ? Split::valid
                                                                             : Split::train;
    split_of[sorted[static_cast<size_t>(order[static_cast<size_t>(i)])]] = split;
  }
  for (ManifestEntry& entry : entries) entry.split = split_of.at(entry.speaker);
}

/// Stem → file; a second file of the same stem is a problem and leaves neither.
std::map<std::string, fs::path> by_stem(const fs::path& folder, std::vector<Problem>& problems) {
  std::map<std::string, fs::path> files;
  std::set<std::string> ambiguous;
  for (const fs::path& relative : find_audio(folder)) {
    const auto [other, is_new] = files.emplace(stem_of(relative), relative);
    if (is_new) continue;
    problems.push_back({(folder / relative).string(),
                        "has the same name as " + (folder / other->second).string()});
    ambiguous.insert(other->first);
  }
  for (const auto& stem : ambiguous) files.erase(stem);
  return files;
}

std::vector<Problem> measure_pair(ManifestEntry& entry, int64_t rate_hz) {
  const Waveform clean = read_at_rate(entry.audio.path, rate_hz);
  const Waveform noisy = read_at_rate(entry.noisy.path, rate_hz);
  if (clean.size() != noisy.size()) {
    throw DataError(format("%s: has %d samples and %s has %d", entry.audio.path, clean.size(),
                           entry.noisy.path, noisy.size()));
  }
  entry.samples = clean.size();
  entry.rate_hz = clean.rate_hz;
  entry.audio.hash = hash_audio(clean.samples);
  entry.noisy.hash = hash_audio(noisy.samples);
  std::vector<Problem> oddities;
  add_oddity(entry.audio.path, clean.samples, oddities);
  add_oddity(entry.noisy.path, noisy.samples, oddities);
  return oddities;
}

}  // namespace

Listing prepare_recordings(const RecordingsOptions& options, Logger& logger) {
  if (options.split_by_speaker && !options.splits.empty()) {
    throw ConfigError("splits come either from a file or by speaker, not both");
  }
  std::vector<ManifestEntry> entries = find_recordings(options.folders, options.speaker);
  SpeakerRule rule = options.speaker;
  if (!options.splits.empty()) {
    const SplitTable table(options.splits);
    split_by_table(entries, table, rule);
    if (table.all_have_speakers()) rule = SpeakerRule::none;  // an empty one was meant
  }
  if (options.split_by_speaker) split_by_speaker(entries, options);
  const std::string unknown = unknown_speakers(entries, rule);
  if (!unknown.empty()) logger.warn(unknown);
  return measure_all(
      Manifest::Kind::recordings, std::move(entries), options.threads, logger,
      [&](ManifestEntry& entry) { return measure_recording(entry, options.rate_hz); });
}

Listing prepare_pairs(const PairsOptions& options, Logger& logger) {
  std::vector<Problem> problems;
  const auto clean = by_stem(options.clean, problems);
  const auto noisy = by_stem(options.noisy, problems);
  std::vector<ManifestEntry> entries;
  for (const auto& [stem, relative] : clean) {
    const auto partner = noisy.find(stem);
    if (partner == noisy.end()) {
      problems.push_back({(options.clean / relative).string(),
                          "has no partner of its name, or several, in " + options.noisy.string()});
      continue;
    }
    ManifestEntry entry;
    entry.id = stem;
    entry.audio.path = options.clean / relative;
    entry.noisy.path = options.noisy / partner->second;
    entry.speaker = speaker_of(relative, options.clean, options.speaker);
    entry.split = options.split;
    entries.push_back(std::move(entry));
  }
  for (const auto& [stem, relative] : noisy) {
    if (clean.count(stem) > 0) continue;
    problems.push_back({(options.noisy / relative).string(),
                        "has no partner of its name, or several, in " + options.clean.string()});
  }
  const std::string unknown = unknown_speakers(entries, options.speaker);
  if (!unknown.empty()) logger.warn(unknown);
  Listing listing =
      measure_all(Manifest::Kind::pairs, std::move(entries), options.threads, logger,
                  [&](ManifestEntry& entry) { return measure_pair(entry, options.rate_hz); });
  listing.problems.insert(listing.problems.begin(), problems.begin(), problems.end());
  std::stable_sort(listing.problems.begin(), listing.problems.end(),
                   [](const Problem& a, const Problem& b) { return a.file < b.file; });
  return listing;
}

}  // namespace limbeck
