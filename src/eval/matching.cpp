#include "eval/matching.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "limbeck/audio/find_audio.h"
#include "limbeck/core/csv.h"
#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/core/interrupt.h"
#include "limbeck/data/listing.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;

/// The name of a file without its extension and what goes around it; empty: it has not all of that.
std::string plain_name(const fs::path& file, const Naming& naming) {
  const std::string name = stem_of(file.filename());
  const size_t around = naming.prefix.size() + naming.suffix.size();
  if (name.size() <= around || !name.starts_with(naming.prefix) || !name.ends_with(naming.suffix)) {
    return "";
  }
  return name.substr(naming.prefix.size(), name.size() - around);
}

/// The audio files of a folder by name.
class Folder {
 public:
  Folder(std::string path, const Naming& naming, Logger* logger) : path_(std::move(path)) {
    for (const fs::path& relative : find_audio(path_, logger)) {
      const std::string name = plain_name(relative, naming);
      if (name.empty()) continue;
      by_path_[(relative.parent_path() / name).generic_string()].push_back(relative);
      by_name_[name].push_back(relative);
    }
    if (!by_name_.empty()) return;
    throw DataError(path_ + ": no file is named " + naming.prefix + "…" + naming.suffix);
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

  /// The names of files that nobody took.
  std::vector<std::string> untaken_names() const {
    std::vector<std::string> names;
    for (const auto& [name, files] : by_name_) {
      for (const fs::path& file : files) {
        if (taken_.count(file) == 0) names.push_back(name);
      }
    }
    return names;
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

/// What of `name` follows the longest of `ids` that it begins with; empty: it begins with none.
std::string rest_behind(const std::string& name, const std::set<std::string>& ids) {
  for (size_t kept = name.size() - 1; kept > 0; --kept) {
    if (ids.count(name.substr(0, kept)) > 0) return name.substr(kept);
  }
  return "";
}

/// The same for what stands before the longest that it ends with.
std::string rest_before(const std::string& name, const std::set<std::string>& ids) {
  for (size_t cut = 1; cut < name.size(); ++cut) {
    if (ids.count(name.substr(cut)) > 0) return name.substr(0, cut);
  }
  return "";
}

/// See Matched::hint.
std::string naming_hint(const std::vector<std::string>& ids, const Folder& estimates,
                        const std::string& folder, const Naming& naming) {
  std::set<std::string> wanted;
  for (const std::string& id : ids) wanted.insert(fs::path(id).filename().string());
  const std::vector<std::string> names = estimates.untaken_names();
  std::map<std::pair<const char*, std::string>, size_t> counts;
  for (const std::string& name : names) {
    ++counts[{"suffix", rest_behind(name, wanted)}];
    ++counts[{"prefix", rest_before(name, wanted)}];
  }
  for (const auto& [rest, count] : counts) {
    const std::string where = rest.first;
    if (rest.second.empty() || count * 2 <= names.size()) continue;
    // The names lack already what is stripped now.
    const std::string text =
        where == "suffix" ? rest.second + naming.suffix : naming.prefix + rest.second;
    return format(
        "%d of %d files in %s without a partner have the name of one with the %s '%s'; "
        "--strip-%s=%s takes it away",
        count, names.size(), folder, where, text, where, text);
  }
  return "";
}

/// The ids that are not among the items.
std::vector<std::string> without_items(const std::vector<std::string>& ids,
                                       const std::vector<EvaluationItem>& items) {
  std::set<std::string> left(ids.begin(), ids.end());
  for (const EvaluationItem& item : items) left.erase(item.id);
  return {left.begin(), left.end()};
}

}  // namespace

Matched match_folders(const std::string& clean, const std::string& estimate,
                      const std::string& noisy, const Naming& naming, Logger* logger) {
  Matched matched;
  Folder clean_files(clean, {}, logger);
  Folder estimates(estimate, naming, logger);
  std::optional<Folder> noisy_files;
  if (!noisy.empty()) noisy_files.emplace(noisy, Naming{}, logger);
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
  matched.hint = naming_hint(without_items(ids, matched.items), estimates, estimate, naming);
  estimates.list_untaken(clean, matched.failures);
  if (noisy_files) noisy_files->list_untaken(clean, matched.failures);
  return matched;
}

Matched match_manifest(const Manifest& manifest, const std::string& estimate, const Naming& naming,
                       Logger* logger) {
  Matched matched;
  Folder estimates(estimate, naming, logger);
  auto items = items_of(manifest);
  std::vector<std::string> ids;
  for (const EvaluationItem& item : items) ids.push_back(item.id);
  estimates.claim(ids);
  for (EvaluationItem& item : items) {
    item.estimate.path = estimates.take(item.id, matched.failures);
    if (!item.estimate.path.empty()) matched.items.push_back(std::move(item));
  }
  matched.hint = naming_hint(without_items(ids, matched.items), estimates, estimate, naming);
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
    throw_if_interrupted();
    std::string hash;
    try {
      hash = hash_file((item.*side).path);
    } catch (const DataError&) {
      hash = "unreadable";  // scoring will say why
    }
    text += csv_line({item.id, hash});
  }
  return hash_bytes(text.data(), text.size());
}

}  // namespace limbeck
