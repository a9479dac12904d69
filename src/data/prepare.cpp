#include "limbeck/data/prepare.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "limbeck/core/csv.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/core/random.h"
#include "parallel.h"
#include "scan.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;

/// What `--splits` says of one file.
struct Assignment {
  std::string split;
  std::string speaker;
  size_t line = 0;
};

class SplitTable {
 public:
  explicit SplitTable(const fs::path& path) : path_(path), folder_(folder_of(path)) {
    const Csv csv = read_csv(path);
    const int file = csv.column("file");
    const int split = csv.column("split");
    if (file < 0 || split < 0) {
      throw DataError(path.string() + ":1: column '" + (file < 0 ? "file" : "split") +
                      "' is missing; needed are file and split");
    }
    const int speaker = csv.column("speaker") >= 0 ? csv.column("speaker") : csv.column("label");
    has_speakers_ = speaker >= 0;
    for (size_t i = 0; i < csv.rows.size(); ++i) {
      const auto text = [&](int column) { return csv.rows[i][static_cast<size_t>(column)]; };
      const Assignment row{text(split), has_speakers_ ? text(speaker) : "", csv.lines[i]};
      const auto [other, is_new] = rows_.emplace(key_of(folder_ / text(file)), row);
      if (is_new || other->second.split == row.split) continue;
      throw DataError(format("%s:%zu: '%s' has split '%s' here and '%s' in line %zu", path.c_str(),
                             row.line, text(file).c_str(), row.split.c_str(),
                             other->second.split.c_str(), other->second.line));
    }
  }

  bool has_speakers() const { return has_speakers_; }
  const fs::path& path() const { return path_; }

  const Assignment* find(const fs::path& file) const {
    const auto found = rows_.find(key_of(file));
    return found == rows_.end() ? nullptr : &found->second;
  }

 private:
  static fs::path folder_of(const fs::path& file) { return fs::absolute(file).parent_path(); }

  // The folder may be reached by two names (symbolic links, "..").
  static std::string key_of(const fs::path& file) {
    return fs::weakly_canonical(fs::absolute(file)).generic_string();
  }

  fs::path path_;
  fs::path folder_;
  bool has_speakers_ = false;
  std::map<std::string, Assignment> rows_;
};

std::string folder_name(const fs::path& folder) {
  return fs::weakly_canonical(fs::absolute(folder) / ".").filename().string();
}

/// Entries with id, path and speaker; nothing is decoded yet.
std::vector<ManifestEntry> list_recordings(const RecordingsOptions& options) {
  std::vector<ManifestEntry> entries;
  std::map<std::string, std::string> path_of_id;
  for (const fs::path& folder : options.folders) {
    const std::string front = options.folders.size() > 1 ? folder_name(folder) + "/" : "";
    for (const fs::path& relative : find_audio(folder)) {
      ManifestEntry entry;
      entry.id = front + stem_of(relative);
      entry.audio.path = folder / relative;
      entry.speaker = speaker_of(relative, folder, options.speaker);
      const auto [other, is_new] = path_of_id.emplace(entry.id, entry.audio.path.string());
      if (!is_new) {
        throw DataError("two files would have the id '" + entry.id + "': " + other->second +
                        " and " + entry.audio.path.string());
      }
      entries.push_back(std::move(entry));
    }
  }
  return entries;
}

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
      throw DataError(format("%s:%zu: split '%s' is none of train, valid, test",
                             table.path().c_str(), row->line, row->split.c_str()));
    }
    if (rule == SpeakerRule::automatic && table.has_speakers()) entry.speaker = row->speaker;
  }
  if (missing.empty()) return;
  throw DataError(format("%s: has no row for %zu of %zu files:", table.path().c_str(),
                         missing.size(), entries.size()) +
                  listed(missing));
}

void split_by_speaker(std::vector<ManifestEntry>& entries, const RecordingsOptions& options) {
  std::set<std::string> names;
  for (const ManifestEntry& entry : entries) {
    if (entry.speaker.empty()) {
      throw ConfigError(entry.audio.path.string() +
                        ": has no speaker to split by; choose --speaker");
    }
    names.insert(entry.speaker);
  }
  const auto count = static_cast<int64_t>(names.size());
  if (options.valid_speakers + options.test_speakers >= count) {
    throw ConfigError(
        format("of %3$lld speakers, %1$lld for valid and %2$lld for test leave none for train",
               static_cast<long long>(options.valid_speakers),
               static_cast<long long>(options.test_speakers), static_cast<long long>(count)));
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

/// Runs `fill` on every entry; those for which it throws DataError become problems.
template <class Fill>
Prepared fill_all(Manifest::Kind kind, std::vector<ManifestEntry> entries, int64_t threads,
                  Logger& logger, const Fill& fill) {
  std::vector<std::optional<std::string>> reasons(entries.size());
  Progress progress(logger, "reading", "files", static_cast<int64_t>(entries.size()));
  parallel_for(static_cast<int64_t>(entries.size()), threads, progress, [&](int64_t i) {
    const auto at = static_cast<size_t>(i);
    try {
      fill(entries[at]);
    } catch (const DataError& e) {
      reasons[at] = e.what();
    }
  });
  Prepared prepared;
  prepared.manifest.kind = kind;
  for (size_t i = 0; i < entries.size(); ++i) {
    if (!reasons[i]) {
      prepared.manifest.entries.push_back(std::move(entries[i]));
      continue;
    }
    const bool about_noisy = reasons[i]->starts_with(entries[i].noisy.path.string() + ": ");
    const fs::path& path = about_noisy ? entries[i].noisy.path : entries[i].audio.path;
    prepared.problems.push_back({path.string(), without_path(*reasons[i], path)});
  }
  return prepared;
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

}  // namespace

Prepared prepare_recordings(const RecordingsOptions& options, Logger& logger) {
  if (options.split_by_speaker && !options.splits.empty()) {
    throw ConfigError("splits come either from a file or by speaker, not both");
  }
  std::vector<ManifestEntry> entries = list_recordings(options);
  if (!options.splits.empty()) split_by_table(entries, SplitTable(options.splits), options.speaker);
  if (options.split_by_speaker) split_by_speaker(entries, options);
  return fill_all(Manifest::Kind::recordings, std::move(entries), options.threads, logger,
                  [&](ManifestEntry& entry) {
                    const Waveform wave = read_at_rate(entry.audio.path, options.rate_hz);
                    entry.samples = wave.size();
                    entry.rate_hz = wave.rate_hz;
                    entry.audio.hash = hash_audio(wave.samples);
                  });
}

Prepared prepare_pairs(const PairsOptions& options, Logger& logger) {
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
  Prepared prepared = fill_all(
      Manifest::Kind::pairs, std::move(entries), options.threads, logger,
      [&](ManifestEntry& entry) {
        const Waveform a = read_at_rate(entry.audio.path, options.rate_hz);
        const Waveform b = read_at_rate(entry.noisy.path, options.rate_hz);
        if (a.size() != b.size()) {
          throw DataError(format("%s: has %lld samples and %s has %lld", entry.audio.path.c_str(),
                                 static_cast<long long>(a.size()), entry.noisy.path.c_str(),
                                 static_cast<long long>(b.size())));
        }
        entry.samples = a.size();
        entry.rate_hz = a.rate_hz;
        entry.audio.hash = hash_audio(a.samples);
        entry.noisy.hash = hash_audio(b.samples);
      });
  prepared.problems.insert(prepared.problems.begin(), problems.begin(), problems.end());
  std::stable_sort(prepared.problems.begin(), prepared.problems.end(),
                   [](const Problem& a, const Problem& b) { return a.file < b.file; });
  return prepared;
}

}  // namespace limbeck
