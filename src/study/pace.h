#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace limbeck {

/// How fast kinds of work went, and how long the rest of it will take. A kind is an index below
/// their number; what is counted is the caller's business, as long as it is the same within a kind.
class StudyPace {
 public:
  explicit StudyPace(size_t kinds) : kinds_(kinds) {}

  /// A piece of work did so much more in so many seconds.
  void add(size_t kind, double amount, double seconds);
  /// So much of a kind is left, and so many pieces of it are done at a time.
  void set_left(size_t kind, double amount, int64_t at_a_time);

  /// "ETA 12 min 05 s", "ETA over 12 min 05 s" where something is left of which no speed has been
  /// seen yet, "" where of nothing.
  std::string time_left() const;

 private:
  struct Kind {
    double amount = 0, seconds = 0, left = 0;
    int64_t at_a_time = 1;
  };
  std::vector<Kind> kinds_;
};

}  // namespace limbeck
