#include "limbeck/data/listing.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "limbeck/audio/find_audio.h"
#include "limbeck/audio/io.h"
#include "limbeck/audio/mix.h"
#include "limbeck/core/cause.h"
#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/core/parallel.h"
#include "limbeck/core/place.h"

namespace limbeck {

namespace fs = std::filesystem;

namespace {

/// True if `name` is `front`, or goes on with '_' or '-' behind it.
bool begins_with(std::string_view name, const std::string& front) {
  if (front.empty() || !name.starts_with(front)) return false;
  return name.size() == front.size() || name[front.size()] == '_' || name[front.size()] == '-';
}

/// The speaker of LibriSpeech's layout, SPEAKER/CHAPTER/SPEAKER-CHAPTER-…; empty for another.
std::string speaker_of_chapter(const fs::path& file) {
  const fs::path chapter = written_out(file).parent_path();
  const std::string speaker = chapter.parent_path().filename().string();
  for (const char* sign : {"-", "_"}) {
    if (speaker.empty()) break;
    if (begins_with(file.stem().string(), speaker + sign + chapter.filename().string())) {
      return speaker;
    }
  }
  return "";
}

/// See SpeakerRule::automatic. The scanned folder itself counts only with a chapter below it: any
/// "speech" has files that begin so.
std::string speaker_by_layout(const fs::path& relative, const fs::path& root) {
  const fs::path folder = relative.parent_path();
  if (folder.empty()) return speaker_of(relative, root, SpeakerRule::prefix);
  for (const fs::path& part : folder) {
    if (begins_with(relative.stem().string(), part.string())) return part.string();
  }
  const std::string of_chapter = speaker_of_chapter(root / relative);
  if (!of_chapter.empty()) return of_chapter;
  return folder.has_parent_path() ? "" : folder.string();
}

/// The last `parts` parts of a path, with a '/' behind; fewer where it has no more.
std::string end_of_path(const fs::path& path, size_t parts) {
  std::string end = path.filename().string() + "/";
  fs::path above = path.parent_path();
  for (; parts > 1 && above.has_filename(); --parts, above = above.parent_path()) {
    end = above.filename().string() + "/" + end;
  }
  return end;
}

/// Throws DataError if one folder lies in another: its files would be listed twice.
void require_apart(const std::vector<fs::path>& folders) {
  std::vector<fs::path> places;
  for (const fs::path& folder : folders) {
    places.push_back(on_disk([&] { return fs::weakly_canonical(folder); }));
  }
  for (size_t inner = 0; inner < folders.size(); ++inner) {
    for (size_t outer = 0; outer < folders.size(); ++outer) {
      const fs::path& above = places[outer];
      if (inner == outer || std::ranges::mismatch(above, places[inner]).in1 != above.end())
        continue;
      throw DataError(format("%s: lies in %s, which is searched, too; name one of them",
                             folders[inner], folders[outer]));
    }
  }
}

/// What stands in front of the ids of each folder: as much of its path as tells it from the others.
std::vector<std::string> fronts_of(const std::vector<fs::path>& folders) {
  if (folders.size() == 1) return {""};
  std::vector<fs::path> paths;
  for (const fs::path& folder : folders) {
    paths.push_back(folder_path(folder));
    const auto first = std::ranges::find(paths, paths.back()) - paths.begin();
    if (const fs::path& same = folders[static_cast<size_t>(first)]; &same != &folder) {
      throw DataError(same.string() + ": is named twice");
    }
  }
  require_apart(folders);
  std::vector<std::string> fronts;
  for (const fs::path& path : paths) {
    size_t parts = 1;
    const auto is_shared = [&] {
      const std::string own = end_of_path(path, parts);
      return std::ranges::count_if(paths, [&](const fs::path& other) {
               return end_of_path(other, parts) == own;
             }) > 1;
    };
    while (is_shared()) ++parts;  // ends, as whole paths differ
    fronts.push_back(end_of_path(path, parts));
  }
  return fronts;
}

}  // namespace

SpeakerRule speaker_rule(std::string_view name) {
  if (name == "auto") return SpeakerRule::automatic;
  if (name == "folder") return SpeakerRule::folder;
  if (name == "top") return SpeakerRule::top;
  if (name == "prefix") return SpeakerRule::prefix;
  if (name == "none") return SpeakerRule::none;
  throw ConfigError("unknown speaker rule '" + std::string(name) +
                    "'; known: auto, folder, top, prefix, none");
}

std::string speaker_of(const fs::path& relative, const fs::path& root, SpeakerRule rule) {
  if (rule == SpeakerRule::none) return "";
  if (rule == SpeakerRule::automatic) return speaker_by_layout(relative, root);
  if (rule == SpeakerRule::prefix) {
    const std::string stem = relative.stem().string();
    return stem.substr(0, stem.find_first_of("_-"));
  }
  if (!relative.has_parent_path()) return folder_name(root);
  return rule == SpeakerRule::top ? relative.begin()->string()
                                  : relative.parent_path().filename().string();
}

std::string without_chapter(const fs::path& file, const std::string& speaker) {
  if (speaker.empty() || written_out(file).parent_path().filename() != speaker) return speaker;
  const std::string of_chapter = speaker_of_chapter(file);
  return of_chapter.empty() ? speaker : of_chapter;
}

std::string stem_of(const fs::path& relative) {
  return fs::path(relative).replace_extension().generic_string();
}

std::vector<ManifestEntry> find_recordings(const std::vector<fs::path>& folders, SpeakerRule rule,
                                           Logger* logger) {
  std::vector<ManifestEntry> entries;
  std::map<std::string, std::string> path_of_id;
  const std::vector<std::string> fronts = fronts_of(folders);
  for (size_t i = 0; i < folders.size(); ++i) {
    const fs::path& folder = folders[i];
    for (const fs::path& relative : find_audio(folder, logger)) {
      ManifestEntry entry;
      entry.id = fronts[i] + stem_of(relative);
      entry.audio.path = folder / relative;
      entry.speaker = speaker_of(relative, folder, rule);
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

std::string oddity_of(const std::vector<float>& samples) {
  if (is_silent(samples)) {
    return format("is silent: its level is below %.0f dBFS", kSilentNoiseDbfs);
  }
  if (!has_offset(samples)) return "";
  return format("has a mean of %.3f of full scale (a DC offset); levels and SNRs leave it out",
                mean_of(samples));
}

void add_oddity(const fs::path& file, const std::vector<float>& samples,
                std::vector<Problem>& oddities) {
  const std::string oddity = oddity_of(samples);
  if (!oddity.empty()) oddities.push_back({file.string(), oddity});
}

std::vector<Problem> measure_recording(ManifestEntry& entry, int64_t rate_hz) {
  const fs::path& path = entry.audio.path;
  const int found_hz = audio_info(path).rate_hz;
  if (found_hz != rate_hz) {
    throw DataError(format("%s: has %d Hz where %d Hz are expected", path, found_hz, rate_hz));
  }
  const Waveform wave = read_audio(path);
  entry.samples = wave.size();
  entry.rate_hz = wave.rate_hz;
  entry.audio.hash = hash_audio(wave.samples);
  std::vector<Problem> oddities;
  add_oddity(path, wave.samples, oddities);
  return oddities;
}

Listing measure_all(Manifest::Kind kind, std::vector<ManifestEntry> entries, int64_t threads,
                    Logger& logger,
                    const std::function<std::vector<Problem>(ManifestEntry&)>& measure) {
  std::vector<std::optional<std::string>> reasons(entries.size());
  std::vector<std::vector<Problem>> oddities(entries.size());
  Progress progress(logger, "reading", "files", static_cast<int64_t>(entries.size()));
  parallel_for(static_cast<int64_t>(entries.size()), threads, progress, [&](int64_t i) {
    const auto at = static_cast<size_t>(i);
    try {
      oddities[at] = within_memory(entries[at].audio.path, [&] { return measure(entries[at]); });
    } catch (const DataError& e) {
      reasons[at] = e.what();
    }
  });
  Listing listing;
  listing.manifest.kind = kind;
  for (size_t i = 0; i < entries.size(); ++i) {
    if (!reasons[i]) {
      listing.manifest.entries.push_back(std::move(entries[i]));
      listing.oddities.insert(listing.oddities.end(), oddities[i].begin(), oddities[i].end());
      continue;
    }
    const bool about_noisy = reasons[i]->starts_with(entries[i].noisy.path.string() + ": ");
    const fs::path& path = about_noisy ? entries[i].noisy.path : entries[i].audio.path;
    listing.problems.push_back({path.string(), without_path(*reasons[i], path)});
  }
  return listing;
}

std::string summary(const Manifest& manifest) {
  std::set<std::string> speakers;
  for (const ManifestEntry& entry : manifest.entries) speakers.insert(entry.speaker);
  speakers.erase("");
  const bool pairs = manifest.kind == Manifest::Kind::pairs;
  std::string text = format("%d %s", manifest.entries.size(), pairs ? "pairs" : "recordings");
  // Noise has kinds, and a label of one is as good as a speaker for splitting.
  if (!speakers.empty()) text += format(", %d speakers or labels", speakers.size());
  text += ", " + duration_text(manifest.seconds());
  std::vector<std::string> parts;
  for (const Split split : {Split::train, Split::valid, Split::test}) {
    const Manifest part = manifest.filter(split);
    if (part.entries.empty()) continue;
    parts.push_back(std::string(split_name(split)) + " " + duration_text(part.seconds()));
  }
  return text + " (" + join(parts, ", ") + ")";
}

}  // namespace limbeck
