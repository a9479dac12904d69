#include "study/state_file.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/json.h"
#include "limbeck/run/run_summary.h"

namespace limbeck {
namespace fs = std::filesystem;
namespace {

using json = nlohmann::json;

fs::path state_file(const fs::path& dir) { return dir / "state.json"; }

constexpr TaskState kStates[] = {TaskState::waiting, TaskState::running, TaskState::done,
                                 TaskState::failed, TaskState::not_run};

}  // namespace

const char* to_string(TaskState state) {
  switch (state) {
    case TaskState::waiting:
      return "waiting";
    case TaskState::running:
      return "running";
    case TaskState::done:
      return "done";
    case TaskState::failed:
      return "failed";
    case TaskState::not_run:
      return "not run";
  }
  return "";
}

std::string host_name() {
  char host[256] = "";
  ::gethostname(host, sizeof host - 1);
  return host;
}

StateFile::StateFile(const fs::path& dir)
    : file_(state_file(dir)), since_(time_text(std::chrono::system_clock::now())) {
  try {
    nodes_ = read_states(dir).nodes;
  } catch (const DataError&) {
    nodes_.clear();  // it is written anew
  }
  for (auto& [id, record] : nodes_) {
    if (record.state == TaskState::running) record.state = TaskState::waiting;
  }
  write();
}

void StateFile::clear() {
  nodes_.clear();
  write();
}

void StateFile::set(const std::string& id, const NodeRecord& record) {
  NodeRecord& known = nodes_[id];
  if (known == record) return;
  known = record;
  write();
}

void StateFile::write() const {
  json nodes = json::object();
  for (const auto& [id, record] : nodes_) {
    nodes[id] = {{"state", to_string(record.state)},
                 {"attempts", record.attempts},
                 {"exit_code", record.code},
                 {"seconds", record.seconds},
                 {"reason", record.reason}};
  }
  const json all = {
      {"process", ::getpid()}, {"host", host_name()}, {"since", since_}, {"nodes", nodes}};
  // Of use while the machine runs, and written anew by the next run.
  write_file_atomically(file_, json_text(all, 1) + "\n", false);
}

StudyStates read_states(const fs::path& dir) {
  const fs::path file = state_file(dir);
  StudyStates states;
  if (!fs::exists(file)) return states;
  try {
    const json all = parse_json<json>(read_file(file));
    states.process = all.at("process").get<int64_t>();
    states.host = all.at("host").get<std::string>();
    states.since = all.at("since").get<std::string>();
    for (const auto& [id, node] : all.at("nodes").items()) {
      NodeRecord record{.attempts = node.at("attempts").get<int>(),
                        .code = node.at("exit_code").get<int>(),
                        .seconds = node.at("seconds").get<double>(),
                        .reason = node.at("reason").get<std::string>()};
      const auto name = node.at("state").get<std::string>();
      for (const TaskState state : kStates) {
        if (name == to_string(state)) record.state = state;
      }
      states.nodes[id] = record;
    }
  } catch (const json::exception& e) {
    throw DataError(file.string() + ": malformed: " + e.what());
  }
  return states;
}

fs::path log_file(const fs::path& dir, const std::string& id) {
  return dir / "logs" / (id + ".log");
}

std::string last_words(const fs::path& log, size_t from) {
  if (!fs::exists(log)) return "";
  const std::string all = read_file(log);
  std::string text = "\n" + all.substr(std::min(from, all.size()));
  while (text.ends_with('\n')) text.pop_back();
  if (text.empty()) return "";
  const std::string mark = "\nerror: ";
  const size_t error = text.rfind(mark);
  return error == std::string::npos ? text.substr(text.rfind('\n') + 1)
                                    : text.substr(error + mark.size());
}

std::string last_lines(const std::string& text, size_t count) {
  size_t begin = text.size();
  for (size_t lines = 0; begin > 0; --begin) {
    if (text[begin - 1] == '\n' && begin < text.size() && ++lines == count) break;
  }
  return count == 0 ? "" : text.substr(begin);
}

}  // namespace limbeck
