#include "limbeck/corpus/doctor.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "limbeck/audio/io.h"
#include "limbeck/audio/mix.h"
#include "limbeck/core/cause.h"
#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/core/parallel.h"
#include "limbeck/core/place.h"
#include "limbeck/corpus/voicebank_demand.h"
#include "limbeck/data/file_check.h"
#include "limbeck/data/listing.h"
#include "limbeck/data/protocol.h"
#include "limbeck/data/training_record.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;

constexpr Split kSplits[] = {Split::train, Split::valid, Split::test};
constexpr Role kRoles[] = {Role::speech, Role::noise, Role::pairs};

/// One audio file and what a manifest says of it.
struct ListedFile {
  AudioFile audio;
  int64_t samples = 0;
  int rate_hz = 0;

  bool operator<(const ListedFile& other) const {
    return std::tie(audio.path, audio.hash, samples, rate_hz) <
           std::tie(other.audio.path, other.audio.hash, other.samples, other.rate_hz);
  }
};

/// The samples. Throws DataError unless the file is as listed.
std::vector<float> read_checked(const ListedFile& file) {
  const fs::path& path = file.audio.path;
  Waveform wave = read_audio(path);
  if (wave.rate_hz != file.rate_hz) {
    throw DataError(
        format("%s: has %d Hz where the manifest says %d Hz", path, wave.rate_hz, file.rate_hz));
  }
  if (wave.size() != file.samples) {
    throw DataError(
        format("%s: has %d samples where the manifest says %d", path, wave.size(), file.samples));
  }
  if (!is_lossy_path(path) && hash_audio(wave.samples) != file.audio.hash) {
    throw DataError(path.string() + ": has other samples than the manifest's hash says");
  }
  return std::move(wave.samples);
}

/// What decoding a file showed.
struct Finding {
  std::string fault;
  std::string oddity;
  bool silent = false;
};

fs::path behind_link(const fs::path& file) {
  std::error_code failed;
  const fs::path target = fs::weakly_canonical(file, failed);
  return failed ? file : target;
}

class Doctor {
 public:
  Doctor(int64_t threads, Logger& logger) : threads_(threads), logger_(logger) {}

  Checkup check_protocol(const fs::path& path) {
    const Protocol protocol = Protocol::read(path);
    checkup_.subject = path.string();
    data_.source = checkup_.subject;
    for (const std::string& note : protocol.notes()) checkup_.remarks.push_back(note);
    for (const Split split : kSplits) {
      for (const Role role : kRoles) {
        for (const LockedManifest& locked : protocol.of(split).of(role)) {
          take(protocol, split, role, locked);
        }
      }
    }
    const bool voicebank = protocol.name == kVoiceBankName;
    if (voicebank) {
      std::vector<ManifestEntry> entries;
      for (const Split split : kSplits) {
        const auto& pairs = data_.of(split).pairs;
        entries.insert(entries.end(), pairs.begin(), pairs.end());
      }
      for (const std::string& fault : check_voicebank(protocol, entries)) add_fault(fault);
    }
    check_leaks(protocol.leak.empty());
    check_files();
    check_sound();
    find_unlisted(voicebank);
    return finish();
  }

  Checkup check_manifest(const fs::path& path) {
    const Manifest manifest = Manifest::read(path);
    checkup_.subject = path.string();
    data_.source = checkup_.subject;
    const Role role = manifest.kind == Manifest::Kind::pairs ? Role::pairs : Role::speech;
    for (const Split split : kSplits) {
      data_.of(split).of(role) = manifest.filter(split).entries;
      list(data_.of(split).of(role));
    }
    check_leaks(true);
    check_files();
    check_sound();
    find_unlisted(false);
    return finish();
  }

 private:
  void add_fault(const std::string& text) {
    if (std::find(checkup_.faults.begin(), checkup_.faults.end(), text) == checkup_.faults.end()) {
      checkup_.faults.push_back(text);  // one manifest may serve several splits
    }
  }

  /// A manifest that changed is a fault, but its entries are looked at all the same.
  void take(const Protocol& protocol, Split split, Role role, const LockedManifest& locked) {
    try {
      const Manifest manifest = Manifest::read(locked.path);
      if (manifest.content_hash() != locked.hash) {
        add_fault(locked.path + ": changed since " + protocol.file.string() + " was locked");
      }
      if ((manifest.kind == Manifest::Kind::pairs) != (role == Role::pairs)) {
        add_fault(format("%s: is not a manifest of %s", locked.path, role_name(role)));
      }
      const std::vector<ManifestEntry> entries = manifest.filter(split).entries;
      if (entries.empty()) {
        add_fault(format("%s: no entry has split %s", locked.path, split_name(split)));
      }
      auto& all = data_.of(split).of(role);
      all.insert(all.end(), entries.begin(), entries.end());
      list(entries);
    } catch (const DataError& e) {
      add_fault(e.what());
    }
  }

  void list(const std::vector<ManifestEntry>& entries) {
    checkup_.entries += static_cast<int64_t>(entries.size());
    for (const ManifestEntry& entry : entries) {
      for (const AudioFile* audio : {&entry.audio, &entry.noisy}) {
        if (!audio->path.empty()) files_.insert({*audio, entry.samples_of(*audio), entry.rate_hz});
      }
      if (!entry.noisy.path.empty() && entry.noisy.hash == entry.audio.hash) {
        checkup_.remarks.push_back(entry.id + ": clean and noisy hold the same samples");
      }
    }
  }

  void check_leaks(bool are_faults) {
    remark_on_speakers();
    const std::vector<Leak> leaks = TrainingRecord(data_).leaks(data_);
    if (leaks.empty() || !are_faults) return;  // what was allowed when it was locked is a remark
    add_fault("leak: " + leak_summary(leaks));
    for (const Leak& leak : leaks) {
      if (leak.kind == Leak::Kind::file) checkup_.problems.push_back({leak.name, leak.text});
    }
  }

  /// What has no speaker cannot be on two sides.
  void remark_on_speakers() {
    int64_t all = 0;
    int64_t unknown = 0;
    int64_t sides = 0;
    for (const Split split : kSplits) {
      const int64_t before = all;
      for (const Role role : {Role::speech, Role::pairs}) {
        for (const ManifestEntry& entry : data_.of(split).of(role)) {
          ++all;
          unknown += entry.speaker.empty();
        }
      }
      sides += all > before;
    }
    if (unknown == 0 || sides < 2) return;
    checkup_.remarks.push_back(format(
        "%d of %d entries have no speaker: one on two sides would not be seen", unknown, all));
  }

  void check_files() {
    const std::vector<ListedFile> files(files_.begin(), files_.end());
    std::vector<Finding> findings(files.size());
    Progress progress(logger_, "decoding", "files", static_cast<int64_t>(files.size()));
    parallel_for(static_cast<int64_t>(files.size()), threads_, progress, [&](int64_t i) {
      const auto at = static_cast<size_t>(i);
      try {
        findings[at] = within_memory(files[at].audio.path, [&]() -> Finding {
          const std::vector<float> samples = read_checked(files[at]);
          return {"", oddity_of(samples), is_silent(samples)};
        });
      } catch (const DataError& e) {
        findings[at].fault = e.what();
      }
    });
    for (size_t i = 0; i < files.size(); ++i) {
      const fs::path& path = files[i].audio.path;
      const Finding& found = findings[i];
      if (!found.fault.empty()) {
        checkup_.problems.push_back({path.string(), without_path(found.fault, path)});
        continue;
      }
      checkup_.seconds += static_cast<double>(files[i].samples) / files[i].rate_hz;
      if (found.silent) silent_.insert(path);
      if (!found.oddity.empty()) checkup_.remarks.push_back(path.string() + ": " + found.oddity);
    }
    checkup_.files = static_cast<int64_t>(files.size());
  }

  /// A split of which nothing is to be heard.
  void check_sound() {
    for (const Split split : kSplits) {
      for (const Role role : kRoles) {
        const auto& entries = data_.of(split).of(role);
        const bool any = std::any_of(entries.begin(), entries.end(), [&](const auto& entry) {
          const bool alike = role == Role::pairs && entry.noisy.hash == entry.audio.hash;
          return !alike && !silent_.contains(entry.audio.path);
        });
        if (entries.empty() || any) continue;
        add_fault(silence_text(checkup_.subject, split, role, entries.size()));
      }
    }
  }

  /// Audio beside the listed files that is not listed itself.
  void find_unlisted(bool is_wrong) {
    std::set<fs::path> places;
    std::set<fs::path> targets;  // of links among them
    std::set<fs::path> folders;
    std::set<fs::path> stems;
    for (const ListedFile& file : files_) {
      fs::path place;
      try {
        place = place_of(file.audio.path);
      } catch (const DataError&) {
        continue;  // it cannot be read either, which is a problem already
      }
      places.insert(place);
      stems.insert(fs::path(place).replace_extension());
      targets.insert(behind_link(place));
      folders.insert(place.parent_path());
    }
    std::vector<std::string> unlisted;
    for (const fs::path& folder : folders) {
      std::error_code failed;  // what is in a folder that cannot be read is a problem already
      fs::directory_iterator entry(folder, failed);
      for (; !failed && entry != fs::directory_iterator(); entry.increment(failed)) {
        const fs::path& path = entry->path();
        if (!is_audio_path(path) || places.contains(path)) continue;
        const bool is_preview =
            is_lossy_path(path) && stems.contains(fs::path(path).replace_extension());
        if (is_preview) continue;  // as in find_audio
        if (behind_link(path) != path && targets.contains(behind_link(path))) continue;
        unlisted.push_back(path.string());
      }
    }
    std::sort(unlisted.begin(), unlisted.end());
    if (is_wrong) {
      for (const std::string& file : unlisted) {
        checkup_.problems.push_back({file, "is in no manifest of the set"});
      }
    } else if (!unlisted.empty()) {
      checkup_.remarks.push_back(
          format("%d audio files lie beside the listed ones and are not listed:", unlisted.size()) +
          listed(unlisted, 3));
    }
  }

  Checkup finish() {
    std::stable_sort(checkup_.problems.begin(), checkup_.problems.end(),
                     [](const Problem& a, const Problem& b) { return a.file < b.file; });
    return std::move(checkup_);
  }

  int64_t threads_;
  Logger& logger_;
  Checkup checkup_;
  DataSelection data_;
  std::set<ListedFile> files_;
  std::set<fs::path> silent_;
};

}  // namespace

Checkup check_data(const fs::path& path, int64_t threads, Logger& logger) {
  if (!on_disk([&] { return fs::exists(path); })) {
    throw DataError(path.string() + ": does not exist");
  }
  if (!is_folder(path)) {
    const std::string type = lower_extension(path);
    if (type == ".csv") return Doctor(threads, logger).check_manifest(path);
    if (type == ".yaml" || type == ".yml") return Doctor(threads, logger).check_protocol(path);
    throw DataError(path.string() +
                    ": is neither a manifest (.csv) nor a protocol (.yaml) by its name");
  }
  if (!on_disk([&] { return fs::exists(path / "protocol.yaml"); })) {
    throw DataError(path.string() +
                    ": holds no protocol.yaml; name a manifest (.csv), or lock the set with "
                    "limbeck-prepare protocol");
  }
  return Doctor(threads, logger).check_protocol(path / "protocol.yaml");
}

}  // namespace limbeck
