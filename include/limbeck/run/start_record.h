#pragma once

#include <cstdint>
#include <string>

namespace limbeck {

/// How a training began: what runs share that are to be compared for anything else. A run keeps it
/// in `start.json`.
struct StartRecord {
  std::string weights;  ///< hash of the network's first weights, by their names
  std::string batches;  ///< hash of what its first batches are made of, and where they come from
  int64_t steps = 0;    ///< that are planned
  int64_t batch_size = 0;
  int64_t accumulate = 0;

  bool operator==(const StartRecord&) const = default;

  /// As JSON.
  std::string text() const;
  /// Throws DataError, which starts with `source_name`.
  static StartRecord parse(const std::string& text, const std::string& source_name);
};

}  // namespace limbeck
