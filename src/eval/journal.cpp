#include "eval/journal.h"

#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <sstream>

#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/json.h"
#include "limbeck/core/utf8.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

fs::path journal_path(const fs::path& folder) { return folder / "scored.jsonl"; }

json scores_to_json(const std::vector<double>& scores) {
  json list = json::array();
  for (const double score : scores) list.push_back(std::isnan(score) ? json() : json(score));
  return list;
}

std::vector<double> scores_from_json(const json& list) {
  std::vector<double> scores;
  for (const json& item : list) scores.push_back(item.is_null() ? NAN : item.get<double>());
  return scores;
}

/// Names come from the disk, and may be no UTF-8, as what is said about them.
std::string name_in(const json& object, const char* key) {
  return unescape_bytes(object.at(key).get<std::string>());
}

json to_json(const std::string& id, const Outcome& outcome) {
  json line = {{"id", escape_bytes(id)}, {"failures", json::array()}};
  for (const auto& failure : outcome.failures) {
    line["failures"].push_back(
        {{"metric", failure.metric}, {"reason", escape_bytes(failure.reason)}});
  }
  if (!outcome.row) return line;
  const UtteranceScores& row = *outcome.row;
  line["row"] = {{"seconds", row.seconds},
                 {"speaker", escape_bytes(row.condition.speaker)},
                 {"snr_db", row.condition.snr_db},
                 {"noise", escape_bytes(row.condition.noise)},
                 {"scores", scores_to_json(row.scores)},
                 {"noisy_scores", scores_to_json(row.noisy_scores)}};
  if (row.lag_samples) line["row"]["lag_samples"] = *row.lag_samples;
  if (row.cut_samples > 0) line["row"]["cut_samples"] = row.cut_samples;
  return line;
}

Outcome from_json(const json& line) {
  Outcome outcome;
  const std::string id = name_in(line, "id");
  for (const json& failure : line.at("failures")) {
    outcome.failures.push_back({id, failure.at("metric"), name_in(failure, "reason")});
  }
  if (!line.contains("row")) return outcome;
  const json& row = line.at("row");
  outcome.row = UtteranceScores{id,
                                row.at("seconds"),
                                {name_in(row, "speaker"), row.at("snr_db"), name_in(row, "noise")},
                                {},
                                scores_from_json(row.at("scores")),
                                scores_from_json(row.at("noisy_scores"))};
  if (row.contains("lag_samples")) outcome.row->lag_samples = row.at("lag_samples");
  outcome.row->cut_samples = row.value("cut_samples", int64_t{0});
  return outcome;
}

/// The work that a journal is of, without the environment.
json work_of(const JournalHead& head) {
  json metrics = json::array();
  for (const Metric& metric : head.metrics) metrics.push_back({metric.name, metric.version});
  return {{"identity", parse_json<json>(head.identity.text())},
          {"metrics", metrics},
          {"audio", head.audio}};
}

struct Entries {
  std::map<std::string, Outcome> known;
  Environment environment;
};

/// The lines of a journal of the same work, up to the first that is not whole.
Entries read_journal(const fs::path& path, const json& work) {
  Entries entries;
  if (!fs::exists(path)) return entries;
  std::istringstream lines(read_file(path));
  std::string line;
  try {
    if (!std::getline(lines, line)) return entries;
    const json head = parse_json<json>(line);
    if (head.at("work") != work) return entries;
    entries.environment = head.at("environment").get<Environment>();
    while (std::getline(lines, line)) {
      const json entry = parse_json<json>(line);
      entries.known[name_in(entry, "id")] = from_json(entry);
    }
  } catch (const json::exception&) {
    return entries;
  }
  return entries;
}

/// Both where they differ: "cpu, then cuda".
Environment joined(const Environment& before, Environment now) {
  for (auto& [key, value] : now) {
    const auto found = before.find(key);
    if (found == before.end() || found->second == value) continue;
    value = found->second.ends_with(", then " + value) ? found->second
                                                       : found->second + ", then " + value;
  }
  return now;
}

}  // namespace

Journal::Journal(const fs::path& folder, const JournalHead& head) : path_(journal_path(folder)) {
  fs::create_directories(folder);
  const json work = work_of(head);
  Entries before = read_journal(path_, work);
  known_ = std::move(before.known);
  environment_ = known_.empty() ? head.environment : joined(before.environment, head.environment);
  std::string text = json_text(json{{"work", work}, {"environment", environment_}}) + "\n";
  for (const auto& [id, outcome] : known_) text += json_text(to_json(id, outcome)) + "\n";
  write_file_atomically(path_, text);
  file_ = std::fopen(path_.c_str(), "ab");
  if (file_ == nullptr) {
    throw DataError(path_.string() + ": cannot be written: " + std::strerror(errno));
  }
}

Journal::~Journal() { std::fclose(file_); }

void Journal::add(const std::string& id, const Outcome& outcome) {
  const std::string line = json_text(to_json(id, outcome)) + "\n";
  const std::lock_guard lock(mutex_);
  if (std::fwrite(line.data(), 1, line.size(), file_) != line.size() || std::fflush(file_) != 0) {
    throw DataError(path_.string() + ": cannot be written: " + std::strerror(errno));
  }
}

std::optional<Identity> journal_identity(const fs::path& folder) {
  const fs::path path = journal_path(folder);
  if (!fs::exists(path)) return std::nullopt;
  std::istringstream lines(read_file(path));
  std::string line;
  std::string outcome;
  if (!std::getline(lines, line) || !std::getline(lines, outcome)) return std::nullopt;
  try {
    return Identity::parse(parse_json<json>(line).at("work").at("identity").dump(), path.string());
  } catch (const json::exception&) {
    return std::nullopt;
  } catch (const DataError&) {
    return std::nullopt;
  }
}

void remove_journal(const fs::path& folder) { fs::remove(journal_path(folder)); }

}  // namespace limbeck
