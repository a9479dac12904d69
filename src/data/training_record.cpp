#include "limbeck/data/training_record.h"

#include <nlohmann/json.hpp>
#include <unordered_set>

#include "limbeck/core/error.h"
#include "limbeck/core/json.h"
#include "limbeck/core/utf8.h"

namespace limbeck {
namespace {

constexpr int kFormat = 1;
const std::vector<std::string> kColumns = {"id",         "stem",    "speaker", "hash",
                                           "noisy_hash", "seconds", "is_noise"};

nlohmann::json rows(const std::vector<Fingerprint>& items) {
  nlohmann::json all = nlohmann::json::array();
  for (const Fingerprint& item : items) {
    all.push_back({escape_bytes(item.id), escape_bytes(item.stem), escape_bytes(item.speaker),
                   item.hash, item.noisy_hash, item.seconds, item.is_noise});
  }
  return all;
}

std::vector<Fingerprint> items_of(const nlohmann::json& all) {
  std::vector<Fingerprint> items;
  items.reserve(all.size());
  for (const auto& row : all) {
    Fingerprint& item = items.emplace_back();
    item.id = unescape_bytes(row.at(0).get<std::string>());
    item.stem = unescape_bytes(row.at(1).get<std::string>());
    item.speaker = unescape_bytes(row.at(2).get<std::string>());
    row.at(3).get_to(item.hash);
    row.at(4).get_to(item.noisy_hash);
    row.at(5).get_to(item.seconds);
    row.at(6).get_to(item.is_noise);
  }
  return items;
}

}  // namespace

TrainingRecord::TrainingRecord(const DataSelection& data)
    : source(data.source),
      protocol(data.protocol),
      protocol_hash(data.protocol_hash),
      notes(data.notes),
      train(data.train.fingerprints()),
      valid(data.valid.fingerprints()) {
  for (const DataSelection& set : data.valid_sets) {
    const auto more = set.valid.fingerprints();
    valid.insert(valid.end(), more.begin(), more.end());
  }
}

void TrainingRecord::inherit(const std::optional<TrainingRecord>& of_teacher) {
  if (!of_teacher) {
    teacher_unknown = true;
    return;
  }
  const auto key = [](const Fingerprint& item) {
    return item.id + '\n' + item.speaker + '\n' + item.hash + '\n' + item.noisy_hash;
  };
  std::unordered_set<std::string> own;
  for (const auto* items : {&train, &valid, &teacher}) {
    for (const Fingerprint& item : *items) own.insert(key(item));
  }
  for (const auto* items : {&of_teacher->train, &of_teacher->valid, &of_teacher->teacher}) {
    for (const Fingerprint& item : *items) {
      if (own.insert(key(item)).second) teacher.push_back(item);
    }
  }
  for (const std::string& note : of_teacher->notes) add_note(notes, note, "teacher: ");
  teacher_unknown = teacher_unknown || of_teacher->teacher_unknown;
}

std::vector<Leak> TrainingRecord::leaks_within() const {
  LeakIndex seen;
  seen.add(train, "train");
  return seen.find(valid, "valid", false);
}

std::vector<Leak> TrainingRecord::leaks_into(const std::vector<Fingerprint>& test) const {
  LeakIndex seen;
  seen.add(train, "train");
  seen.add(valid, "valid");
  seen.add(teacher, "the teacher's data");
  return seen.find(test, "test", true);
}

std::vector<Leak> TrainingRecord::leaks(const DataSelection& data) const {
  std::vector<Leak> all = leaks_within();
  const auto into_test = leaks_into(data.test.fingerprints());
  all.insert(all.end(), into_test.begin(), into_test.end());
  return all;
}

std::string TrainingRecord::text() const {
  const nlohmann::json all = {{"format", kFormat},        {"source", source},
                              {"protocol", protocol},     {"protocol_hash", protocol_hash},
                              {"notes", notes},           {"columns", kColumns},
                              {"train", rows(train)},     {"valid", rows(valid)},
                              {"teacher", rows(teacher)}, {"teacher_unknown", teacher_unknown}};
  return json_text(all) + "\n";
}

TrainingRecord TrainingRecord::parse(const std::string& text, const std::string& source_name) {
  try {
    const auto all = parse_json<nlohmann::json>(text);
    if (all.at("format").get<int>() != kFormat || all.at("columns") != nlohmann::json(kColumns)) {
      throw DataError(source_name + ": another format version than this program reads");
    }
    TrainingRecord record;
    all.at("source").get_to(record.source);
    all.at("protocol").get_to(record.protocol);
    all.at("protocol_hash").get_to(record.protocol_hash);
    all.at("notes").get_to(record.notes);
    record.train = items_of(all.at("train"));
    record.valid = items_of(all.at("valid"));
    record.teacher = items_of(all.at("teacher"));
    all.at("teacher_unknown").get_to(record.teacher_unknown);
    return record;
  } catch (const nlohmann::json::exception& e) {
    throw DataError(source_name + ": is no record of training data: " + e.what());
  }
}

void refuse_leaks(TrainingRecord& record, const DataSelection& data, bool allowed, Logger& logger) {
  add_note(record.notes, refuse_leaks(record.leaks(data), allowed, data.source, logger));
}

void refuse_leaks(Protocol& protocol, bool allowed, Logger& logger) {
  const DataSelection data = select_data(protocol);
  const auto leaks = TrainingRecord(data).leaks(data);
  refuse_leaks(leaks, allowed, data.source, logger);
  protocol.leak = leak_summary(leaks);
}

std::vector<std::string> notes_on(const TestSet& set, const std::string& whose,
                                  const std::optional<TrainingRecord>& record, bool allow_leak,
                                  Logger& logger) {
  std::vector<std::string> notes = set.notes;
  if (!record) {
    logger.info(whose +
                ": nothing is known of what it was trained on (no data.json), so a leak of the "
                "test set would not be seen");
    return notes;
  }
  if (record->teacher_unknown) {
    logger.info(whose +
                ": nothing is known of what its teacher was trained on, so a leak of the test set "
                "through the teacher would not be seen");
  }
  for (const std::string& note : record->notes) add_note(notes, note, "training: ");
  add_note(notes, refuse_leaks(record->leaks_into(fingerprints(set.pairs.entries)), allow_leak,
                               whose + " against " + set.pairs.path.string(), logger));
  return notes;
}

}  // namespace limbeck
