#include "limbeck/run/run_summary.h"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <functional>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/core/json.h"
#include "limbeck/run/checkpoint.h"
#include "run/layout.h"
#include "run/problems.h"

namespace limbeck {
namespace fs = std::filesystem;
namespace {

/// As people count: "s2" before "s10".
bool is_before(const std::string& a, const std::string& b) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  size_t i = 0, k = 0;
  while (i < a.size() && k < b.size()) {
    if (is_digit(a[i]) && is_digit(b[k])) {
      const auto number = [&](const std::string& text, size_t& at) {
        while (at < text.size() && text[at] == '0') ++at;
        const size_t begin = at;
        while (at < text.size() && is_digit(text[at])) ++at;
        return text.substr(begin, at - begin);
      };
      const std::string left = number(a, i), right = number(b, k);
      if (left.size() != right.size()) return left.size() < right.size();
      if (left != right) return left < right;
    } else if (a[i] != b[k]) {
      return static_cast<unsigned char>(a[i]) < static_cast<unsigned char>(b[k]);
    } else {
      ++i, ++k;
    }
  }
  if ((i < a.size()) != (k < b.size())) return i == a.size();
  return a < b;  // "s02" and "s2"
}

/// Goes through folders; `seen` keeps links that lead upwards from being followed for ever.
void collect_runs(const fs::path& folder, std::set<fs::path>& seen, std::vector<fs::path>& runs,
                  std::vector<std::string>& problems) {
  try {
    if (!seen.insert(on_disk([&] { return fs::canonical(folder); })).second) return;
    if (RunView(folder).exists()) {
      runs.push_back(folder);
      return;
    }
    std::vector<fs::path> entries = entries_of(folder);
    std::sort(entries.begin(), entries.end());
    for (const fs::path& entry : entries) {
      std::error_code unknown;
      const bool is_hidden = entry.filename().string().starts_with('.');
      if (!is_hidden && fs::is_directory(entry, unknown)) {
        collect_runs(entry, seen, runs, problems);
      }
    }
  } catch (const DataError& e) {
    problems.push_back(e.what());
  }
}

const config::Node* fact(const Identity& identity, const std::string& section,
                         const std::string& key) {
  const config::Node* found = identity.facts().find(section);
  return found != nullptr && found->is_map() ? found->find(key) : nullptr;
}

void take_identity(const Identity& identity, RunSummary& summary, std::string& select) {
  const bool is_distilled = identity.facts().find("distill") != nullptr;
  summary.kind = identity.kind() != "training" ? identity.kind()
                 : is_distilled                ? "distill"
                                               : "pretrain";
  if (const auto* steps = fact(identity, "train", "steps")) {
    const std::string& text = steps->scalar;
    std::from_chars(text.data(), text.data() + text.size(), summary.planned);
  }
  if (const auto* chosen = fact(identity, "train", "select")) select = chosen->scalar;
}

void take_state(const fs::path& checkpoint, const std::string& select, RunSummary& summary) {
  auto state = parse_json<nlohmann::json>(read_file(checkpoint / kStateFile));
  summary.step = std::max(summary.step, state.at("step").get<int64_t>());
  // A run that was extended knows so before its next checkpoint does.
  summary.planned = std::max(summary.planned, state.at("planned_steps").get<int64_t>());
  summary.seconds = state.value("seconds", 0.0);
  if (state.contains("skipped")) summary.skipped = state["skipped"].at("total").get<int64_t>();
  const auto validation = validation_of(checkpoint);
  const auto found = validation ? parse_json<nlohmann::json>(*validation)
                                : state.value("found", nlohmann::json::object());
  if (found.value("best_step", int64_t{-1}) < 0) return;
  summary.best =
      RunSummary::Best{found.value("select", select), found.at("best_value").get<double>(),
                       found.at("best_step").get<int64_t>()};
}

std::chrono::system_clock::time_point last_change(const fs::path& run) {
  fs::file_time_type newest = fs::file_time_type::min();
  for (const char* file : {kMetricsFile, kIdentityFile, "train.log", "last.json", "best.json"}) {
    std::error_code missing;
    const auto changed = fs::last_write_time(run / file, missing);
    if (!missing) newest = std::max(newest, changed);
  }
  if (newest == fs::file_time_type::min()) return {};
  const auto ago = fs::file_time_type::clock::now() - newest;
  return std::chrono::system_clock::now() -
         std::chrono::duration_cast<std::chrono::system_clock::duration>(ago);
}

void note_unsound(const RunView& run, const RunView::Found& last, RunSummary& summary) {
  for (const std::string& one : last.unusable) summary.problems.push_back(one);
  const auto best = run.pointed("best");
  if (!best || best == run.pointed("last")) return;
  const std::string wrong = check_checkpoint(*best, "", Look::sizes);
  if (!wrong.empty()) summary.problems.push_back(best->filename().string() + ": " + wrong);
}

RunSummary look_once(const fs::path& path, const std::string& name) {
  RunSummary summary;
  summary.path = path;
  summary.name = name;
  const RunView run(path);
  std::string select = "si_sdr";
  try_to(summary, [&] { take_identity(run.identity(), summary, select); });
  RunView::Found last;
  try_to(summary, [&] {
    summary.step = run.progress();
    last = run.look_for("last", Look::sizes);
    note_unsound(run, last, summary);
    if (last.folder) take_state(*last.folder, select, summary);
  });
  try_to(summary, [&] { summary.state = run.state(last); });
  summary.changed = last_change(path);
  summary.bytes = size_on_disk(path);
  return summary;
}

}  // namespace

std::vector<fs::path> find_runs(const fs::path& root, std::vector<std::string>& problems) {
  if (!on_disk([&] { return fs::is_directory(root); })) {
    throw DataError(root.string() + ": no such folder; name the one that holds your runs");
  }
  std::vector<fs::path> runs;
  std::set<fs::path> seen;
  collect_runs(root, seen, runs, problems);
  std::sort(runs.begin(), runs.end(),
            [](const fs::path& a, const fs::path& b) { return is_before(a.string(), b.string()); });
  return runs;
}

RunSummary summarize_run(const fs::path& path, const std::string& name) {
  RunSummary summary = look_once(path, name.empty() ? path.string() : name);
  // A run in training may replace what is being read; by now that is done.
  if (summary.state == RunState::running && !summary.problems.empty()) {
    summary = look_once(path, summary.name);
  }
  return summary;
}

void sort_runs(std::vector<RunSummary>& runs, const std::string& key,
               const std::set<std::string>& lower_is_better) {
  using Order = std::function<bool(const RunSummary&, const RunSummary&)>;
  const auto falling = [](auto value) -> Order {
    return [value](const RunSummary& a, const RunSummary& b) { return value(a) > value(b); };
  };
  const std::map<std::string, Order> orders = {
      {"name", [](const auto& a, const auto& b) { return is_before(a.name, b.name); }},
      {"state", [](const auto& a, const auto& b) { return a.state < b.state; }},
      {"step", falling([](const RunSummary& run) { return run.step; })},
      {"best", falling([&](const RunSummary& run) {
         if (!run.best) return -std::numeric_limits<double>::infinity();
         const std::string& metric = run.best->metric;
         const bool is_lower = lower_is_better.contains(metric.substr(metric.rfind('/') + 1));
         return is_lower ? -run.best->value : run.best->value;
       })},
      {"time", falling([](const RunSummary& run) { return run.seconds; })},
      {"changed", falling([](const RunSummary& run) { return run.changed; })},
      {"size", falling([](const RunSummary& run) { return run.bytes; })},
  };
  const auto order = orders.find(key);
  if (order == orders.end()) throw ConfigError("runs cannot be sorted by '" + key + "'");
  std::stable_sort(runs.begin(), runs.end(), order->second);
}

uint64_t size_on_disk(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) {
    const auto size = fs::file_size(path, ignored);
    return ignored ? 0 : size;
  }
  uint64_t bytes = 0;
  for (fs::recursive_directory_iterator entry(path, fs::directory_options::skip_permission_denied,
                                              ignored);
       !ignored && entry != fs::recursive_directory_iterator(); entry.increment(ignored)) {
    std::error_code none;
    if (entry->is_regular_file(none)) {
      const auto size = entry->file_size(none);
      if (!none) bytes += size;
    }
  }
  return bytes;
}

std::string size_text(uint64_t bytes) {
  const auto size = static_cast<double>(bytes);
  if (size >= 1 << 30) return format("%.1f GiB", size / (1 << 30));
  if (size >= 1 << 20) return format("%.1f MiB", size / (1 << 20));
  return format("%.1f KiB", size / 1024);
}

std::string time_text(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm local{};
  if (seconds <= 0 || ::localtime_r(&seconds, &local) == nullptr) return "";
  return format("%04d-%02d-%02d %02d:%02d", local.tm_year + 1900, local.tm_mon + 1, local.tm_mday,
                local.tm_hour, local.tm_min);
}

}  // namespace limbeck
