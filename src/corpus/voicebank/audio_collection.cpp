#include "corpus/voicebank/audio_collection.h"

#include <algorithm>

#include "corpus/voicebank/zip_archive.h"
#include "limbeck/audio/find_audio.h"
#include "limbeck/audio/io.h"
#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/core/place.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;

class FolderCollection : public AudioCollection {
 public:
  FolderCollection(const fs::path& folder, Logger& logger) : AudioCollection(folder) {
    for (const fs::path& relative : find_audio(folder, &logger)) {
      const fs::path file = folder / relative;
      std::error_code error;  // a file that went away is told of when it is read
      const auto size = static_cast<unsigned long long>(fs::file_size(file, error));
      const auto time = fs::last_write_time(file, error).time_since_epoch().count();
      add(relative, {file.string(), format("%d-%d", size, time)});
    }
  }

  Waveform read(const std::string& name) const override {
    return read_audio(items().at(name).label);
  }
};

class ZipCollection : public AudioCollection {
 public:
  ZipCollection(const fs::path& file, Logger& logger) : AudioCollection(file), archive_(file) {
    std::map<fs::path, const ZipArchive::Member*> by_name;
    for (const ZipArchive::Member& member : archive_.members()) {
      if (!is_hidden(member.name)) by_name[member.name] = &member;
    }
    FolderContents found;
    for (const auto& [name, member] : by_name) found.add(name);
    for (const fs::path& name : choose_audio(std::move(found), file, &logger)) {
      const ZipArchive::Member& member = *by_name.at(name);
      add(name, {archive_.label(member), format("%d-%08x", member.size, member.crc)});
      member_of_[name.stem().string()] = &member;
    }
  }

  Waveform read(const std::string& name) const override {
    return read_audio_bytes(archive_.read(*member_of_.at(name)), items().at(name).label);
  }

 private:
  /// Archives made on a Mac hold shadows of the files: __MACOSX/._NAME.
  static bool is_hidden(const fs::path& member) {
    return std::any_of(member.begin(), member.end(), [](const fs::path& part) {
      return (part.string().starts_with('.') && part != "..") || part == "__MACOSX";
    });
  }

  ZipArchive archive_;
  std::map<std::string, const ZipArchive::Member*> member_of_;
};

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

/// `source`, then its folders, sorted.
std::vector<fs::path> places(const fs::path& source) {
  std::vector<fs::path> folders;
  const auto take_all = [&] {
    for (const auto& entry : fs::directory_iterator(source)) {
      if (is_folder(entry.path())) folders.push_back(entry.path());
    }
  };
  on_disk(take_all, source);
  std::sort(folders.begin(), folders.end());
  folders.insert(folders.begin(), source);
  return folders;
}

}  // namespace

void AudioCollection::add(const fs::path& file, Item item) {
  const std::string name = file.stem().string();
  if (const auto before = twice_.find(name); before != twice_.end()) {
    problems_.push_back({item.label, "has the same name as " + before->second});
    return;
  }
  const auto [other, is_new] = items_.emplace(name, item);
  if (is_new) return;
  problems_.push_back({item.label, "has the same name as " + other->second.label});
  twice_.emplace(name, other->second.label);
  items_.erase(other);
}

std::unique_ptr<AudioCollection> open_collection(const fs::path& source, const std::string& name,
                                                 Logger& logger) {
  for (const fs::path& place : places(source)) {
    if (is_file(place / (name + ".zip"))) {
      return std::make_unique<ZipCollection>(place / (name + ".zip"), logger);
    }
    if (is_folder(place / name)) return std::make_unique<FolderCollection>(place / name, logger);
  }
  return nullptr;
}

std::optional<TextFile> find_text(const fs::path& source, const std::string& name,
                                  const std::string& archive) {
  const std::vector<fs::path> all = places(source);
  for (const fs::path& place : all) {
    const fs::path file = place / name;
    if (is_file(file)) return TextFile{file.string(), read_file(file)};
  }
  for (const fs::path& place : all) {
    const fs::path file = place / (archive + ".zip");
    if (!is_file(file)) continue;
    const ZipArchive zip(file);
    for (const ZipArchive::Member& member : zip.members()) {
      if (fs::path(member.name).filename() == name)
        return TextFile{zip.label(member), zip.read(member, ZipArchive::kLargestText)};
    }
  }
  return std::nullopt;
}

}  // namespace limbeck
