#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <string>

namespace limbeck {

/// What is known of a pair that was converted and lies in its place, whole.
struct ConvertedPair {
  std::string clean_version, noisy_version;  ///< `AudioCollection::Item::version` of the originals
  int64_t samples = 0;                       ///< of both; after conversion, as all that follows
  int64_t clean_cut = 0, noisy_cut = 0;      ///< by how many more a file has
  int64_t clean_bytes = 0, noisy_bytes = 0;  ///< size of the files
  std::string clean_hash, noisy_hash;        ///< of the samples (`hash_audio`)
  int64_t clean_clipped = 0, noisy_clipped = 0;
};

/// A CSV file that gets one row for each pair once its files have been written, so that a
/// conversion which was interrupted, or killed, goes on where it was. A row that was cut off counts
/// for nothing; of several rows with one id, the last counts.
class ConversionJournal {
 public:
  /// Reads what is there, or begins anew where that is of another format.
  explicit ConversionJournal(std::filesystem::path path);

  const std::map<std::string, ConvertedPair>& pairs() const { return pairs_; }

  /// Appends a row, at once; `pairs` does not change. May be called by many threads. Throws
  /// DataError.
  void append(const std::string& id, const ConvertedPair& pair);

 private:
  std::filesystem::path path_;
  std::map<std::string, ConvertedPair> pairs_;
  std::mutex mutex_;
  std::ofstream out_;
};

}  // namespace limbeck
