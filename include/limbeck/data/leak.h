#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "limbeck/core/log.h"
#include "limbeck/data/manifest.h"

namespace limbeck {

/// What tells a recording, or a pair, from others wherever its files lie.
struct Fingerprint {
  std::string id;          ///< for messages
  std::string stem;        ///< name of the file, of a pair the clean one, without its extension
  std::string speaker;     ///< empty: not known; of noise, its kind
  std::string hash;        ///< of the samples (`hash_audio`), of a pair those of the clean side
  std::string noisy_hash;  ///< of a pair
  double seconds = 0;
  bool is_noise = false;

  bool operator==(const Fingerprint&) const = default;
};

std::vector<Fingerprint> fingerprints(const std::vector<ManifestEntry>& entries,
                                      bool is_noise = false);

/// A file or a speaker that stands on two sides which must share none.
struct Leak {
  enum class Kind { file, speaker };
  Kind kind = Kind::file;
  std::string name;   ///< id of the file, or the speaker
  std::string sides;  ///< "test in train"
  std::string text;   ///< "p232_001 of test has the samples of p232_001 of train"
};

/// What was seen on one side, to hold another side against. Two files are the same if
/// - they decode to the same samples, on either side of a pair; or
/// - they are named alike and their speakers are known and the same: a copy at another rate, or
/// cut; or
/// - they are named alike and last equally long, where a speaker is not known, or among noises of
///   one kind.
/// Noise is told from speech, and has no speakers.
class LeakIndex {
 public:
  /// `side` names it in messages: "train".
  void add(const std::vector<Fingerprint>& items, const std::string& side);

  /// The items that were seen, each once; then, if asked, the speakers that were, on each side.
  std::vector<Leak> find(const std::vector<Fingerprint>& items, const std::string& side,
                         bool speakers_too) const;

 private:
  struct Seen {
    Fingerprint item;
    std::string side;
  };
  const Seen* same_samples(const Fingerprint& item) const;
  const Seen* same_name(const Fingerprint& item) const;

  std::vector<Seen> seen_;
  std::unordered_map<std::string, size_t> by_hash_;
  std::unordered_multimap<std::string, size_t> by_stem_;
  std::map<std::string, std::map<std::string, int>> files_of_speaker_;  ///< by side
};

/// "824 files (p232_001, p232_002, p232_003, …) and 2 speakers (p232, p257) of test in train".
std::string leak_summary(const std::vector<Leak>& leaks);

/// Nothing without a leak. Else throws DataError, which starts with `source` and lists the first
/// ten; or, where leaks are allowed, says all that aloud and returns the note that has to go with
/// every result: "LEAK ALLOWED: …".
std::string refuse_leaks(const std::vector<Leak>& leaks, bool allowed, const std::string& source,
                         Logger& logger);

/// Adds a note to those of a result, unless it is said already. `whose` stands before it where it
/// is about something else than the result itself: "training: ".
void add_note(std::vector<std::string>& notes, const std::string& note,
              const std::string& whose = "");

}  // namespace limbeck
