#include "eval/matching.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "limbeck/core/csv.h"
#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/data/listing.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;

/// The audio files of a folder by name.
class Folder {
 public:
  explicit Folder(std::string path) : path_(std::move(path)) {
    for (const fs::path& relative : find_audio(path_)) {
      by_path_[stem_of(relative)].push_back(relative);
      by_name_[stem_of(relative.filename())].push_back(relative);
    }
  }

  /// Says which ids will ask for a file, before any does.
  void claim(const std::vector<std::string>& ids) {
    for (const std::string& id : ids) {
      if (const auto* found = find(id)) claims_[found->front()].push_back(id);
    }
  }

  /// The file of this id; adds a failure and returns "" if there is none, or several, or if it may
  /// as well be that of another id.
  fs::path take(const std::string& id, std::vector<UtteranceFailure>& failures) {
    const auto* found = find(id);
    if (found == nullptr) {
      failures.push_back({id, "", "no file of this name in " + path_});
      return {};
    }
    for (const fs::path& relative : *found) taken_.insert(relative);
    if (found->size() > 1) {
      failures.push_back({id, "",
                          format("%d files of this name in %s: %s and %s", found->size(), path_,
                                 (*found)[0], (*found)[1])});
      return {};
    }
    const std::string other = other_owner(id, found->front());
    if (!other.empty()) {
      failures.push_back({id, "",
                          format("the only file of this name in %s, %s, may be that of %s", path_,
                                 found->front(), other)});
      return {};
    }
    return fs::path(path_) / found->front();
  }

  void list_untaken(const std::string& other, std::vector<UtteranceFailure>& failures) const {
    for (const auto& [id, files] : by_path_) {
      if (!taken_.count(files.front())) {
        failures.push_back({id, "", "in " + path_ + " only: no file of this name in " + other});
      }
    }
  }

  std::vector<std::string> ids() const {
    std::vector<std::string> all;
    for (const auto& [id, files] : by_path_) all.push_back(id);
    return all;
  }

 private:
  /// The files of the same path, or else of the same bare name; null if there are none.
  const std::vector<fs::path>* find(const std::string& id) const {
    if (const auto exact = by_path_.find(id); exact != by_path_.end()) return &exact->second;
    const auto named = by_name_.find(fs::path(id).filename().string());
    return named == by_name_.end() ? nullptr : &named->second;
  }

  /// Another id that has claimed the file; "" if there is none, or if the file has the path of `id`
  /// itself and theirs only the name.
  std::string other_owner(const std::string& id, const fs::path& file) const {
    if (by_path_.count(id) > 0) return "";
    for (const std::string& other : claims_.at(file)) {
      if (other != id) return other;
    }
    return "";
  }

  std::string path_;
  std::map<std::string, std::vector<fs::path>> by_path_, by_name_;
  std::map<fs::path, std::vector<std::string>> claims_;
  std::set<fs::path> taken_;
};

}  // namespace

Matched match_folders(const std::string& clean, const std::string& estimate,
                      const std::string& noisy) {
  Matched matched;
  Folder clean_files(clean);
  Folder estimates(estimate);
  std::optional<Folder> noisy_files;
  if (!noisy.empty()) noisy_files.emplace(noisy);
  const auto ids = clean_files.ids();
  estimates.claim(ids);
  if (noisy_files) noisy_files->claim(ids);
  for (const std::string& id : ids) {
    const size_t failures = matched.failures.size();
    EvaluationItem item;
    item.id = id;
    item.condition.speaker = speaker_of(id, clean, SpeakerRule::automatic);
    item.clean.path = clean_files.take(id, matched.failures);
    item.estimate.path = estimates.take(id, matched.failures);
    if (noisy_files) item.noisy.path = noisy_files->take(id, matched.failures);
    if (matched.failures.size() == failures) matched.items.push_back(std::move(item));
  }
  estimates.list_untaken(clean, matched.failures);
  if (noisy_files) noisy_files->list_untaken(clean, matched.failures);
  return matched;
}

Matched match_manifest(const Manifest& manifest, const std::string& estimate) {
  Matched matched;
  Folder estimates(estimate);
  auto items = items_of(manifest);
  std::vector<std::string> ids;
  for (const EvaluationItem& item : items) ids.push_back(item.id);
  estimates.claim(ids);
  for (EvaluationItem& item : items) {
    item.estimate.path = estimates.take(item.id, matched.failures);
    if (!item.estimate.path.empty()) matched.items.push_back(std::move(item));
  }
  estimates.list_untaken(manifest.path.string(), matched.failures);
  return matched;
}

std::vector<EvaluationItem> items_of(const Manifest& manifest) {
  if (manifest.kind != Manifest::Kind::pairs) {
    throw DataError(manifest.path.string() +
                    ": lists recordings; a set to evaluate on lists pairs");
  }
  const auto column = [&](const std::string& name) {
    const auto found =
        std::find(manifest.extra_columns.begin(), manifest.extra_columns.end(), name);
    return static_cast<size_t>(found - manifest.extra_columns.begin());
  };
  const size_t snr = column("snr_db");
  const size_t noise = column("noise");
  std::vector<EvaluationItem> items;
  for (const auto& entry : manifest.entries) {
    const auto extra = [&](size_t at) { return at < entry.extra.size() ? entry.extra[at] : ""; };
    items.push_back({.id = entry.id,
                     .condition = {entry.speaker, extra(snr), extra(noise)},
                     .clean = entry.audio,
                     .noisy = entry.noisy,
                     .samples = entry.samples,
                     .rate_hz = entry.rate_hz});
  }
  return items;
}

std::string content_of(const std::vector<EvaluationItem>& items, AudioFile EvaluationItem::* side) {
  std::string text;
  for (const EvaluationItem& item : items) {
    std::string hash = "unreadable";
    try {
      hash = hash_file((item.*side).path);
    } catch (const DataError&) {  // scoring will say why
    }
    text += csv_line({item.id, hash});
  }
  return hash_bytes(text.data(), text.size());
}

}  // namespace limbeck
