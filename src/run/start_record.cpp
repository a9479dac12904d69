#include "limbeck/run/start_record.h"

#include <nlohmann/json.hpp>

#include "limbeck/core/error.h"
#include "limbeck/core/json.h"

namespace limbeck {

std::string StartRecord::text() const {
  const nlohmann::json object = {{"weights", weights},
                                 {"batches", batches},
                                 {"steps", steps},
                                 {"batch_size", batch_size},
                                 {"accumulate", accumulate}};
  return json_text(object, 2) + "\n";
}

StartRecord StartRecord::parse(const std::string& text, const std::string& source_name) {
  try {
    const auto object = parse_json<nlohmann::json>(text);
    return {.weights = object.at("weights").get<std::string>(),
            .batches = object.at("batches").get<std::string>(),
            .steps = object.at("steps").get<int64_t>(),
            .batch_size = object.at("batch_size").get<int64_t>(),
            .accumulate = object.at("accumulate").get<int64_t>()};
  } catch (const nlohmann::json::exception& e) {
    throw DataError(source_name + ": is no record of how a run began: " + e.what());
  }
}

}  // namespace limbeck
