#include "limbeck/run/run_details.h"

#include <nlohmann/json.hpp>

#include "limbeck/config/node.h"
#include "limbeck/config/resolve.h"
#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/core/interrupt.h"
#include "limbeck/run/checkpoint.h"
#include "limbeck/run/run_plot.h"
#include "run/layout.h"
#include "run/metrics_lines.h"
#include "run/problems.h"

namespace limbeck {
namespace fs = std::filesystem;
namespace {

/// JSON is YAML, too. A run that was never begun has none.
config::Node environment_of(const fs::path& run) {
  const fs::path file = run / kEnvironmentFile;
  const auto text = read_if_there(file);
  if (!text) return config::Node::make_map({});
  config::Diagnostics wrong;
  config::Node environment = config::parse_yaml(*text, file.string(), wrong);
  if (!wrong.empty()) throw DataError(join(wrong.messages(), "\n"));
  if (!environment.is_map()) throw DataError(file.string() + ": is no object");
  return environment;
}

std::string for_shell(const std::string& word) {
  constexpr const char* kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == word.npos) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

/// A list of words under "command" as it would be typed, the rest as YAML; not what is empty.
std::vector<std::pair<std::string, std::string>> lines_of(const config::Node& map) {
  std::vector<std::pair<std::string, std::string>> lines;
  for (const auto& [key, where, value] : map.entries) {
    std::string text = config::to_flow_yaml(value);
    if (value.kind == config::Node::Kind::scalar) text = value.scalar;
    if (key == "command") {
      std::vector<std::string> words;
      for (const config::Node& word : value.items) words.push_back(for_shell(word.scalar));
      text = join(words, " ");
    }
    const bool is_empty = text.empty() || text == "[]" || text == "{}" || text == "null";
    if (!is_empty) lines.emplace_back(key, text);
  }
  return lines;
}

/// config.yaml holds all options, but names the folder that the run had when it was begun.
std::string command_in(const RunSummary& summary, const std::string& folder) {
  const std::string tool = summary.kind == "distill" ? "limbeck-distill " : "limbeck-pretrain ";
  return tool + for_shell((summary.path / kConfigFile).string()) + " --set " +
         for_shell("run.dir=" + folder);
}

std::string next_for(const RunSummary& summary) {
  const std::string folder = summary.path.string();
  switch (summary.state) {
    case RunState::running:
      return "it is being trained";
    case RunState::finished:
      return "it is finished. Score it:\n  limbeck-evaluate --model " + for_shell(folder) +
             " --manifest TEST.csv --out SCORES\nor train it for more steps:\n  " +
             command_in(summary, folder) + " --extend --set train.steps=...";
    case RunState::diverged:
      return "it diverged, and would again. Begin another run with its last checkpoint and a "
             "smaller rate:\n  " +
             command_in(summary, "NEW") + " --fork " + for_shell(folder) +
             " --set train.optimizer.lr=...";
    default:
      return command_in(summary, folder);
  }
}

void take_metrics(RunDetails& details) {
  const fs::path file = details.summary.path / kMetricsFile;
  if (!is_there(file)) return;
  for_each_line(file, [&](const nlohmann::json& line) {
    const auto why = line.find(kDivergedKey);
    details.diverged = why != line.end() && why->is_string() ? why->get<std::string>() : "";
    const auto split = line.find("split");
    if (split == line.end() || !split->is_string()) return;
    auto& values = details.last_values[split->get<std::string>()];
    values.clear();
    for_each_number(line, [&](const std::string& key, double value) { values[key] = value; });
  });
}

void take_checkpoints(const RunView& run, RunDetails& details) {
  const auto best = run.pointed("best"), last = run.pointed("last");
  const std::string metric = details.summary.best ? details.summary.best->metric : "";
  std::map<int64_t, double> values;
  if (!metric.empty() && is_there(run.path() / kMetricsFile)) {
    const auto read = read_curves(run.path(), "valid", "step", {metric});
    if (const auto curve = read.curves.find(metric); curve != read.curves.end()) {
      for (size_t i = 0; i < curve->second.x.size(); ++i) {
        values[static_cast<int64_t>(curve->second.x[i])] = curve->second.y[i];
      }
    }
  }
  for (const fs::path& folder : checkpoint_folders(run.path())) {
    throw_if_interrupted();  // each is read whole
    CheckpointDetails checkpoint;
    checkpoint.name = folder.filename().string();
    checkpoint.is_best = folder == best;
    checkpoint.is_last = folder == last;
    checkpoint.bytes = size_on_disk(folder);
    checkpoint.wrong = check_checkpoint(folder);
    const auto value = values.find(step_of(folder));
    if (value != values.end()) checkpoint.value = value->second;
    details.checkpoints.push_back(std::move(checkpoint));
  }
}

}  // namespace

RunDetails inspect_run(const fs::path& path) {
  const RunView run(path);
  if (!run.exists()) throw CheckpointError(path.string() + ": no such run");
  RunDetails details;
  details.summary = summarize_run(path);
  try_to(details.summary, [&] {
    const Identity identity = run.identity();
    details.hash = identity.hash();
    details.identity = lines_of(identity.facts());
  });
  try_to(details.summary, [&] { details.environment = lines_of(environment_of(path)); });
  try_to(details.summary, [&] { take_metrics(details); });
  try_to(details.summary, [&] { take_checkpoints(run, details); });
  details.next = next_for(details.summary);
  return details;
}

RunDifferences compare_runs(const fs::path& a, const fs::path& b) {
  config::Node first = environment_of(a), second = environment_of(b);
  // What tells runs apart that are trained alike is no difference of environments.
  for (const char* key : {"identity", "command", "started"}) {
    first.erase(key);
    second.erase(key);
  }
  return {RunView(a).identity().differences(RunView(b).identity()),
          config::differences(first, second)};
}

}  // namespace limbeck
