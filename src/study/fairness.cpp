#include "limbeck/study/fairness.h"

#include <map>
#include <set>
#include <tuple>

#include "limbeck/core/format.h"

namespace limbeck {
namespace {

using Group = std::vector<const ArmStart*>;

template <class Value>
bool differs(const Group& group, Value StartRecord::* value) {
  std::set<Value> values;
  for (const ArmStart* arm : group) values.insert(arm->start.*value);
  return values.size() > 1;
}

/// "initial weights, train.steps"; empty where they began alike.
std::string differences(const Group& group) {
  std::vector<std::string> names;
  if (differs(group, &StartRecord::weights)) names.emplace_back("initial weights");
  if (differs(group, &StartRecord::batches)) names.emplace_back("batches");
  for (const auto& [name, value] : {std::pair("train.steps", &StartRecord::steps),
                                    std::pair("train.batch_size", &StartRecord::batch_size),
                                    std::pair("train.accumulate", &StartRecord::accumulate)}) {
    if (differs(group, value)) names.emplace_back(name);
  }
  return join(names, ", ");
}

/// Labels of those that began alike together, in the order of their first.
std::string labels(const Group& group) {
  std::vector<std::pair<StartRecord, std::string>> alike;
  for (const ArmStart* arm : group) {
    auto known = alike.begin();
    while (known != alike.end() && known->first != arm->start) ++known;
    if (known == alike.end()) {
      alike.emplace_back(arm->start, arm->label);
    } else {
      known->second += " = " + arm->label;
    }
  }
  std::vector<std::string> texts;
  for (const auto& [start, text] : alike) texts.push_back(text);
  return join(texts, " ≠ ");
}

}  // namespace

std::vector<std::string> unfair_arms(const std::vector<ArmStart>& arms) {
  std::map<std::tuple<size_t, size_t, int64_t>, Group> groups;
  for (const ArmStart& arm : arms) {
    groups[{arm.arm.scenario, arm.arm.sweep, arm.seed}].push_back(&arm);
  }
  std::vector<std::string> texts;
  for (const auto& [key, group] : groups) {
    const std::string what = differences(group);
    if (!what.empty()) texts.push_back("began with other " + what + ": " + labels(group));
  }
  return texts;
}

}  // namespace limbeck
