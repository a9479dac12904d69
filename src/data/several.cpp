#include "limbeck/data/several.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_set>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"

namespace limbeck {
namespace {

constexpr double kMostItems = 5e7;

std::string free_id(const std::string& id, size_t number,
                    const std::unordered_set<std::string>& taken) {
  std::string free = id;
  while (taken.contains(free)) free += format("#%d", number);
  return free;
}

}  // namespace

std::vector<Manifest> read_manifests(const std::vector<std::string>& paths, Manifest::Kind kind) {
  std::vector<Manifest> manifests;
  std::map<std::string, std::string> path_of_content;
  for (const std::string& path : paths) {
    const Manifest& manifest = manifests.emplace_back(Manifest::read(path));
    if (manifest.kind != kind) {
      throw DataError(path + (kind == Manifest::Kind::pairs
                                  ? ": lists recordings, and pairs are needed here"
                                  : ": lists pairs, and recordings are needed here"));
    }
    const auto [other, is_new] = path_of_content.emplace(manifest.content_hash(), path);
    if (is_new) continue;
    throw DataError(format("%s: lists what %s lists; name one of them", path, other->second));
  }
  return manifests;
}

void append(Manifest& all, const Manifest& more, size_t number) {
  std::vector<size_t> place_of;
  for (const std::string& column : more.extra_columns) {
    const auto found = std::find(all.extra_columns.begin(), all.extra_columns.end(), column);
    place_of.push_back(static_cast<size_t>(found - all.extra_columns.begin()));
    if (found == all.extra_columns.end()) all.extra_columns.push_back(column);
  }
  std::unordered_set<std::string> taken;
  for (ManifestEntry& entry : all.entries) {
    entry.extra.resize(all.extra_columns.size());
    taken.insert(entry.id);
  }
  for (const ManifestEntry& entry : more.entries) {
    ManifestEntry& added = all.entries.emplace_back(entry);
    added.id = free_id(entry.id, number, taken);
    taken.insert(added.id);
    added.extra.assign(all.extra_columns.size(), "");
    for (size_t i = 0; i < place_of.size(); ++i) added.extra[place_of[i]] = entry.extra.at(i);
  }
}

Manifest joined(const std::vector<Manifest>& manifests, Split split) {
  Manifest all;
  for (size_t i = 0; i < manifests.size(); ++i) {
    all.kind = manifests[i].kind;
    append(all, manifests[i].filter(split), i + 1);
  }
  return all;
}

Turns::Turns(int64_t entries, const std::vector<Corpus>& corpora)
    : entries_(entries), items_(entries) {
  double items = 0;
  for (const Corpus& corpus : corpora) shares_ += corpus.share;
  for (const Corpus& corpus : corpora) {
    items = std::max(items, static_cast<double>(corpus.entries) * shares_ / corpus.share);
  }
  if (items > kMostItems) {
    throw DataError(
        format("shares that lie so far apart need an epoch of %.0f items, in which each of %d "
               "entries comes; bring them nearer to each other",
               items, entries));
  }
  if (!corpora.empty()) items_ = 0;
  int64_t first_entry = 0;
  for (const Corpus& corpus : corpora) {
    if (corpus.entries == 0) throw DataError("nothing has the share that it is to have");
    parts_.push_back({corpus, first_entry, items_});
    first_entry += corpus.entries;
    items_ += std::max<int64_t>(corpus.entries, std::llround(items * corpus.share / shares_));
  }
}

int64_t Turns::entry_of(int64_t item) const {
  if (parts_.empty()) return item;
  const auto after =
      std::upper_bound(parts_.begin(), parts_.end(), item,
                       [](int64_t one, const Part& part) { return one < part.first_item; });
  const Part& part = *std::prev(after);
  return part.first_entry + (item - part.first_item) % part.corpus.entries;
}

int64_t Turns::draw(Random& random) const {
  const auto below = [&](int64_t count) {
    return static_cast<int64_t>(random.below(static_cast<uint64_t>(count)));
  };
  if (parts_.empty()) return below(entries_);
  double left = random.uniform(0, shares_);
  size_t part = 0;
  while (part + 1 < parts_.size() && left >= parts_[part].corpus.share) {
    left -= parts_[part++].corpus.share;
  }
  return parts_[part].first_entry + below(parts_[part].corpus.entries);
}

}  // namespace limbeck
