#include "limbeck/corpus/prepare.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "corpus/intake.h"
#include "limbeck/audio/find_audio.h"
#include "limbeck/core/csv.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/core/place.h"
#include "limbeck/core/random.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCleanSide = "clean";
constexpr const char* kNoisySide = "noisy";

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

  /// Which files of the rows are not on the disk; empty: none. A row of a file elsewhere is
  /// well: speech and noise may share a table.
  std::string about_absent() const {
    std::vector<std::string> absent;
    for (const auto& [file, row] : rows_) {
      std::error_code ignored;
      if (!fs::exists(file, ignored)) absent.push_back(row.place + ": " + file);
    }
    if (absent.empty()) return "";
    return format("%s: of %d files that are named, %d are not there:", names(), rows_.size(),
                  absent.size()) +
           listed(absent, 3);
  }

 private:
  void read(const fs::path& path) {
    const Csv csv = read_csv(path);
    const fs::path folder = place_of(path).parent_path();
    names_.push_back(path.string());
    const auto column = [&](const char* name) {
      if (std::ranges::count(csv.header, name) < 2) return csv.column(name);
      throw DataError(path.string() + ":1: column '" + name + "' occurs twice");
    };
    const int file = column("file");
    const int split = column("split");
    if (file < 0 || split < 0) {
      throw DataError(path.string() + ":1: column '" + (file < 0 ? "file" : "split") +
                      "' is missing; needed are file and split");
    }
    const int speaker = column("speaker") >= 0 ? column("speaker") : column("label");
    all_have_speakers_ = all_have_speakers_ && speaker >= 0;
    for (size_t i = 0; i < csv.rows.size(); ++i) {
      const auto text = [&](int at) { return csv.rows[i][static_cast<size_t>(at)]; };
      Assignment row{text(split), {}, format("%s:%d", path, csv.lines[i])};
      if (speaker >= 0) row.speaker = text(speaker);
      if (text(file).empty()) throw DataError(row.place + ": column 'file' is empty");
      const auto [known, is_new] = rows_.emplace(key_of(folder / text(file)), row);
      if (is_new) continue;
      Assignment& other = known->second;
      const auto require_same = [&](const char* what, const std::string& a, const std::string& b) {
        if (a == b) return;
        throw DataError(format("%s: '%s' has %s '%s' here and '%s' in %s", row.place, text(file),
                               what, a, b, other.place));
      };
      require_same("split", row.split, other.split);
      if (!other.speaker) other.speaker = row.speaker;
      if (row.speaker) require_same("speaker", *row.speaker, *other.speaker);
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

void require_train_left(int64_t count, const char* what, const RecordingsOptions& options) {
  if (options.valid_count < count - options.test_count) return;
  throw ConfigError(format("of %d %s, %d for valid and %d for test leave none for train", count,
                           what, options.valid_count, options.test_count));
}

/// Of what was drawn as number `place`.
Split split_at(int64_t place, const RecordingsOptions& options) {
  return place < options.test_count                         ? Split::test
         : place < options.test_count + options.valid_count ? Split::valid
                                                            : Split::train;
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
  require_train_left(count, "speakers", options);
  const std::vector<std::string> sorted(names.begin(), names.end());
  const auto order =
      permutation(count, SeedKey(static_cast<uint64_t>(options.seed)).with("split by speaker"));
  std::map<std::string, Split> split_of;
  for (int64_t i = 0; i < count; ++i) {
    const Split split = split_at(i, options);
    split_of[sorted[static_cast<size_t>(order[static_cast<size_t>(i)])]] = split;
  }
  for (ManifestEntry& entry : entries) entry.split = split_of.at(entry.speaker);
}

void split_by_file(std::vector<ManifestEntry>& entries, const RecordingsOptions& options,
                   Logger& logger) {
  const auto count = static_cast<int64_t>(entries.size());
  require_train_left(count, "files", options);
  const SeedKey key = SeedKey(static_cast<uint64_t>(options.seed)).with("split by file");
  std::vector<std::pair<uint64_t, ManifestEntry*>> drawn;
  for (ManifestEntry& entry : entries) drawn.emplace_back(key.with(entry.id).value(), &entry);
  std::sort(drawn.begin(), drawn.end());
  for (int64_t i = 0; i < count; ++i) {
    drawn[static_cast<size_t>(i)].second->split = split_at(i, options);
  }
  logger.warn(
      "split by file: cuts of one recording, and recordings of one speaker or place, may lie in "
      "several splits; no check can see that, and scores on valid and test may be too good");
}

/// Stem → file; a second file of the same stem is a problem and leaves neither.
std::map<std::string, fs::path> by_stem(const fs::path& folder, std::vector<Problem>& problems,
                                        Logger& logger) {
  std::map<std::string, fs::path> files;
  std::set<std::string> ambiguous;
  for (const fs::path& relative : find_audio(folder, &logger)) {
    const auto [other, is_new] = files.emplace(stem_of(relative), relative);
    if (is_new) continue;
    problems.push_back({(folder / relative).string(),
                        "has the same name as " + (folder / other->second).string()});
    ambiguous.insert(other->first);
  }
  for (const auto& stem : ambiguous) files.erase(stem);
  return files;
}

std::vector<Problem> take_recording(ManifestEntry& entry, const RecordingsOptions& options) {
  std::vector<Problem> oddities;
  Waveform wave = take_in(entry.audio.path, options.rate_hz, options.copies);
  entry.samples = wave.size();
  entry.rate_hz = wave.rate_hz;
  keep(entry.audio, std::move(wave), entry.id, "", options.copies, oddities);
  return oddities;
}

std::vector<Problem> take_pair(ManifestEntry& entry, const PairsOptions& options) {
  std::vector<Problem> oddities;
  AudioFile audio = entry.audio;
  AudioFile noisy = entry.noisy;
  Waveform clean_wave = take_in(audio.path, options.rate_hz, options.copies);
  Waveform noisy_wave = take_in(noisy.path, options.rate_hz, options.copies);
  entry.samples = common_length(audio.path.string(), clean_wave, noisy.path.string(), noisy_wave);
  entry.rate_hz = clean_wave.rate_hz;
  audio.cut = clean_wave.size() - entry.samples;
  noisy.cut = noisy_wave.size() - entry.samples;
  keep(audio, std::move(clean_wave), entry.id, kCleanSide, options.copies, oddities);
  try {
    keep(noisy, std::move(noisy_wave), entry.id, kNoisySide, options.copies, oddities);
  } catch (const DataError&) {  // no copy of one side alone
    if (audio.path != entry.audio.path) fs::remove(audio.path);
    throw;
  }
  entry.audio = std::move(audio);
  entry.noisy = std::move(noisy);
  return oddities;
}

}  // namespace

Listing prepare_recordings(const RecordingsOptions& options, Logger& logger) {
  if (options.split_by != SplitBy::nothing && !options.splits.empty()) {
    throw ConfigError("splits come either from a table or are drawn, not both");
  }
  std::vector<ManifestEntry> entries = find_recordings(options.folders, options.speaker, &logger);
  SpeakerRule rule = options.speaker;
  if (!options.splits.empty()) {
    const SplitTable table(options.splits);
    const std::string absent = table.about_absent();
    if (!absent.empty()) logger.warn(absent);
    split_by_table(entries, table, rule);
    if (table.all_have_speakers()) rule = SpeakerRule::none;  // an empty one was meant
  }
  if (options.split_by == SplitBy::speaker) split_by_speaker(entries, options);
  if (options.split_by == SplitBy::file) split_by_file(entries, options, logger);
  const std::string unknown = unknown_speakers(entries, rule);
  if (!unknown.empty()) logger.warn(unknown);
  require_places(entries, options.copies, {""});
  return measure_all(Manifest::Kind::recordings, std::move(entries), options.threads, logger,
                     [&](ManifestEntry& entry) { return take_recording(entry, options); });
}

Listing prepare_pairs(const PairsOptions& options, Logger& logger) {
  std::vector<Problem> problems;
  const auto clean = by_stem(options.clean, problems, logger);
  const auto noisy = by_stem(options.noisy, problems, logger);
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
  require_places(entries, options.copies, {kCleanSide, kNoisySide});
  Listing listing = measure_all(Manifest::Kind::pairs, std::move(entries), options.threads, logger,
                                [&](ManifestEntry& entry) { return take_pair(entry, options); });
  const std::string cuts = about_cuts(listing.manifest.entries);
  if (!cuts.empty()) logger.warn(cuts);
  listing.problems.insert(listing.problems.begin(), problems.begin(), problems.end());
  std::stable_sort(listing.problems.begin(), listing.problems.end(),
                   [](const Problem& a, const Problem& b) { return a.file < b.file; });
  return listing;
}

}  // namespace limbeck
