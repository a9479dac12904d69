#include "scan.h"

#include <algorithm>
#include <set>

#include "limbeck/audio/io.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/data/prepare.h"

namespace limbeck {

namespace fs = std::filesystem;

SpeakerRule speaker_rule(std::string_view name) {
  if (name == "auto") return SpeakerRule::automatic;
  if (name == "folder") return SpeakerRule::folder;
  if (name == "prefix") return SpeakerRule::prefix;
  if (name == "none") return SpeakerRule::none;
  throw ConfigError("unknown speaker rule '" + std::string(name) +
                    "'; known: auto, folder, prefix, none");
}

std::string speaker_of(const fs::path& relative, const fs::path& root, SpeakerRule rule) {
  if (rule == SpeakerRule::none) return "";
  if (rule == SpeakerRule::automatic) {
    rule = relative.has_parent_path() ? SpeakerRule::folder : SpeakerRule::prefix;
  }
  if (rule == SpeakerRule::folder) {
    return fs::absolute(root / relative).lexically_normal().parent_path().filename().string();
  }
  const std::string stem = relative.stem().string();
  return stem.substr(0, stem.find_first_of("_-"));
}

std::vector<fs::path> find_audio(const fs::path& folder) {
  if (!fs::is_directory(folder)) {
    throw DataError(folder.string() +
                    (fs::exists(folder) ? ": is not a folder" : ": does not exist"));
  }
  std::vector<fs::path> found;
  try {
    auto entry =
        fs::recursive_directory_iterator(folder, fs::directory_options::follow_directory_symlink);
    for (; entry != fs::recursive_directory_iterator(); ++entry) {
      if (entry->path().filename().string().starts_with('.')) {
        if (entry->is_directory()) entry.disable_recursion_pending();
      } else if (is_audio_path(entry->path()) && !entry->is_directory()) {
        found.push_back(entry->path().lexically_relative(folder));
      }
    }
  } catch (const fs::filesystem_error& e) {
    throw DataError(folder.string() + ": cannot be searched: " + e.what());
  }
  if (found.empty()) throw DataError(folder.string() + ": holds no .wav, .flac or .ogg file");
  std::sort(found.begin(), found.end());
  return found;
}

Waveform read_at_rate(const fs::path& path, int64_t rate_hz) {
  const AudioInfo info = audio_info(path);
  if (info.rate_hz != rate_hz) {
    throw DataError(format("%s: has %d Hz where %lld Hz are asked for (--rate)", path.c_str(),
                           info.rate_hz, static_cast<long long>(rate_hz)));
  }
  return read_audio(path);
}

std::string stem_of(const fs::path& relative) {
  return fs::path(relative).replace_extension().generic_string();
}

std::string listed(const std::vector<std::string>& names, size_t limit) {
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), limit); ++i) text += "\n  " + names[i];
  if (names.size() > limit) text += format("\n  and %zu more", names.size() - limit);
  return text;
}

std::string without_path(const std::string& message, const fs::path& path) {
  const std::string front = path.string() + ": ";
  return message.starts_with(front) ? message.substr(front.size()) : message;
}

std::string summary(const Manifest& manifest) {
  std::set<std::string> speakers;
  for (const ManifestEntry& entry : manifest.entries) speakers.insert(entry.speaker);
  speakers.erase("");
  const bool pairs = manifest.kind == Manifest::Kind::pairs;
  std::string text = format("%zu %s", manifest.entries.size(), pairs ? "pairs" : "recordings");
  // Noise has kinds, and a label of one is as good as a speaker for splitting.
  if (!speakers.empty()) text += format(", %zu speakers or labels", speakers.size());
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
