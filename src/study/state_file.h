#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "study/scheduler.h"

namespace limbeck {

/// How a node stood when this was last said of it.
struct NodeRecord {
  TaskState state = TaskState::waiting;
  int attempts = 0;
  int code = 0;             ///< of the last attempt, where one has ended
  double seconds = 0;       ///< that it took, all attempts together
  std::string reason = {};  ///< why it failed or was not run

  bool operator==(const NodeRecord&) const = default;
};

/// "running", …
const char* to_string(TaskState state);

/// state.json of a study's folder: which process runs it, or ran it last, and how its nodes stand,
/// for those who ask while it runs. Whatever is not in it has not been looked at yet.
class StateFile {
 public:
  /// Is of this process from now on. What was said of nodes stays until it is known better, but
  /// none of them runs.
  explicit StateFile(const std::filesystem::path& dir);
  /// Forgets what was said of all nodes.
  void clear();
  /// Replaces what is said of a node.
  void set(const std::string& id, const NodeRecord& record);
  const std::map<std::string, NodeRecord>& nodes() const { return nodes_; }

 private:
  void write() const;

  std::filesystem::path file_;
  std::string since_;
  std::map<std::string, NodeRecord> nodes_;
};

/// What such a file says.
struct StudyStates {
  int64_t process = 0;
  std::string host;   ///< on which that is
  std::string since;  ///< "2026-11-26 15:34:18"
  std::map<std::string, NodeRecord> nodes;
};

/// Nothing said of any node where there is no such file. Throws DataError for one that is
/// malformed.
StudyStates read_states(const std::filesystem::path& dir);

/// Of this machine, as a StateFile names it.
std::string host_name();

/// The log of a node.
std::filesystem::path log_file(const std::filesystem::path& dir, const std::string& id);

/// What a program said last, after the first `from` bytes of its log: its error, or else its last
/// line.
std::string last_words(const std::filesystem::path& log, size_t from = 0);

/// The last `count` lines of a text.
std::string last_lines(const std::string& text, size_t count);

}  // namespace limbeck
