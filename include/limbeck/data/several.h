#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "limbeck/core/random.h"
#include "limbeck/data/manifest.h"

namespace limbeck {

// Manifests that are used as one, in the order in which they are named.

/// Reads them. Throws DataError, also where two hold the same, or one is of another kind.
std::vector<Manifest> read_manifests(const std::vector<std::string>& paths, Manifest::Kind kind);

/// Adds the entries of manifest `number` (from 1) of a list, with the extra columns of all; what an
/// entry has no value for is empty. An id that is there already gets the number of its manifest
/// behind it, "p1/001#2": what is made of an entry goes by its id.
void append(Manifest& all, const Manifest& more, size_t number);

/// The entries of a split, manifest after manifest.
Manifest joined(const std::vector<Manifest>& manifests, Split split);

/// Entries that follow each other, as they come from one manifest, and how much of what training
/// draws comes from them, in proportion to the other shares.
struct Corpus {
  int64_t entries = 0;
  double share = 1;
};

/// How often each of a number of entries comes.
class Turns {
 public:
  /// Without corpora every entry as often as any other. Else throws DataError: one has no entries,
  /// or it takes more than 50 million items to meet the shares.
  explicit Turns(int64_t entries, const std::vector<Corpus>& corpora = {});

  /// Items of an epoch: the fewest that meet the shares (each rounded to one item) and in which
  /// every entry comes. Entries of one corpus come equally often, but for one time.
  int64_t items() const { return items_; }
  int64_t entry_of(int64_t item) const;

  /// An entry, drawn as the shares say.
  int64_t draw(Random& random) const;

 private:
  struct Part {
    Corpus corpus;
    int64_t first_entry;
    int64_t first_item;
  };
  int64_t entries_;
  int64_t items_;
  double shares_ = 0;  // their sum
  std::vector<Part> parts_;
};

}  // namespace limbeck
