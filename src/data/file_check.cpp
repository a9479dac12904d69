#include "limbeck/data/file_check.h"

#include <algorithm>
#include <map>
#include <set>

#include "data/source.h"
#include "limbeck/audio/find_audio.h"
#include "limbeck/audio/io.h"
#include "limbeck/audio/mix.h"
#include "limbeck/core/cause.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/core/parallel.h"
#include "limbeck/data/options.h"

namespace limbeck {
namespace {

constexpr Role kRoles[] = {Role::speech, Role::noise, Role::pairs};

/// Empty if the file is as is said.
std::string fault_of(const NamedFile& file) {
  try {
    const AudioInfo info = audio_info(file.path);
    if (file.samples > 0 && info.samples != file.samples) {
      return format("%s: has %d samples where %d are listed", file.path, info.samples,
                    file.samples);
    }
    if (file.rate_hz > 0 && info.rate_hz != file.rate_hz) {
      return format("%s: has %d Hz where %d Hz are listed", file.path, info.rate_hz, file.rate_hz);
    }
    require_channel(file.path, info.channels, file.channel);
    return "";
  } catch (const DataError& e) {
    return e.what();
  }
}

/// True if something is to be heard in one of the entries, or none can be read.
bool any_sound(const std::vector<ManifestEntry>& entries, Role role) {
  bool any_read = false;
  for (const ManifestEntry& entry : entries) {
    if (role == Role::pairs && entry.noisy.hash == entry.audio.hash) {
      any_read = true;
      continue;
    }
    try {
      const std::filesystem::path& file = entry.audio.path;
      if (!within_memory(file, [&] { return is_silent(read_audio(file).samples); })) return true;
    } catch (const DataError&) {
      continue;  // whoever needs the file will say so
    }
    any_read = true;
  }
  return !any_read;
}

}  // namespace

void add_files(const std::vector<ManifestEntry>& entries, std::vector<NamedFile>& files) {
  for (const ManifestEntry& entry : entries) {
    for (const AudioFile* audio : {&entry.audio, &entry.noisy}) {
      if (!audio->path.empty())
        files.push_back({audio->path, entry.samples_of(*audio), entry.rate_hz});
    }
  }
}

void add_files(const SplitEntries& part, std::vector<NamedFile>& files) {
  for (const Role role : kRoles) add_files(part.of(role), files);
}

void require_files(const std::vector<NamedFile>& files, Logger& logger) {
  std::map<std::filesystem::path, NamedFile> by_path;
  for (const NamedFile& file : files) by_path.emplace(file.path, file);
  std::vector<NamedFile> once;
  for (const auto& [path, file] : by_path) once.push_back(file);
  std::vector<std::string> faults(once.size());
  const auto count = static_cast<int64_t>(once.size());
  Progress progress(logger, "opening", "files", count);
  parallel_for(count, 0, progress, [&](int64_t i) {
    faults[static_cast<size_t>(i)] = fault_of(once[static_cast<size_t>(i)]);
  });
  std::erase(faults, "");
  if (faults.empty()) return;
  throw DataError(format("%d of %d files cannot be used:", faults.size(), once.size()) +
                  listed(faults));
}

std::vector<NamedFile> validation_files(const DataSelection& data) {
  std::vector<NamedFile> files;
  add_files(data.valid, files);
  for (const DataSelection& set : data.valid_sets) add_files(set.valid, files);
  return files;
}

std::vector<NamedFile> files_of(const DataOptions& options, const DataSelection& data) {
  std::vector<NamedFile> files = validation_files(data);
  add_files(data.train, files);
  add_files(make_source(options.source)->listed_responses(), files);
  for (const ValidSetOptions& set : options.valid_sets) {
    add_files(make_source(set.source)->listed_responses(), files);
  }
  return files;
}

void tell_of_response_folders(const DataOptions& options, Logger& logger) {
  std::set<std::string> folders = {make_source(options.source)->response_folder()};
  for (const ValidSetOptions& set : options.valid_sets) {
    folders.insert(make_source(set.source)->response_folder());
  }
  folders.erase("");
  for (const std::string& folder : folders) find_audio(folder, &logger);
}

std::string silence_text(const std::string& source, Split split, Role role, size_t entries) {
  const char* what = role == Role::pairs ? "the clean side is silent, or the noisy side is the same"
                                         : "nothing is to be heard";
  return format("%s: in all %d entries of %s in split %s %s", source, entries, role_name(role),
                split_name(split), what);
}

void require_sound(const DataSelection& data, Split split) {
  for (const Role role : kRoles) {
    const auto& entries = data.of(split).of(role);
    if (entries.empty() || any_sound(entries, role)) continue;
    throw DataError(silence_text(data.source, split, role, entries.size()));
  }
}

}  // namespace limbeck
