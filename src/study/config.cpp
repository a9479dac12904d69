#include "limbeck/study/config.h"

#include <algorithm>
#include <set>
#include <utility>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"

namespace limbeck {
namespace {

using config::Node;
using Leaves = std::vector<std::pair<std::string, Node>>;

/// What does not lie in a map any more, by its dotted key: {a.b: 1} and {a: {b: 1}} are the same.
void collect_leaves(const Node& map, const std::string& prefix, Leaves& leaves) {
  for (const auto& [key, where, value] : map.entries) {
    if (value.is_map()) {
      collect_leaves(value, prefix + key + ".", leaves);
    } else {
      leaves.emplace_back(prefix + key, value);
    }
  }
}

template <class Value>
std::map<std::string, Value> by_key(const Node& map, const auto& value_of, std::string& problem) {
  Leaves leaves;
  collect_leaves(map, "", leaves);
  std::map<std::string, Value> values;
  for (const auto& [key, leaf] : leaves) {
    if (!values.emplace(key, value_of(key, leaf)).second) problem = key + " is there twice";
  }
  return values;
}

Node list_of(std::vector<Node> items) {
  Node list;
  list.kind = Node::Kind::list;
  list.items = std::move(items);
  return list;
}

/// As a value that is read by hand: null, which is not written, where there is nothing.
void describe_settings(config::Visitor& v, const char* key, SettingValues& values,
                       const char* help) {
  Node node;
  if (!values.empty()) node = Node::make_map({});
  for (const auto& [name, list] : values) node.entries.push_back({name, {}, list_of(list)});
  v.value(key, node, help);
  std::string problem;
  const auto items_of = [&](const std::string& name, const Node& leaf) {
    if (leaf.kind != Node::Kind::list || leaf.items.empty()) {
      problem = name + ": expected a list of values, found " +
                (leaf.items.empty() && leaf.kind == Node::Kind::list ? "none" : leaf.describe());
    }
    return leaf.items;
  };
  values = by_key<std::vector<Node>>(node, items_of, problem);
  v.require(problem.empty(), key, problem);
}

void describe_exclude(config::Visitor& v, std::vector<std::map<std::string, Node>>& entries) {
  Node node;
  std::vector<Node> maps;
  for (const auto& entry : entries) {
    maps.push_back(Node::make_map({}));
    for (const auto& [key, value] : entry) maps.back().entries.push_back({key, {}, value});
  }
  if (!maps.empty()) node = list_of(std::move(maps));
  v.value("exclude", node, "combinations that are left out: maps of keys and values of `over`",
          config::any().or_one());
  std::string problem;
  entries.clear();
  for (const Node& item : node.is_map() ? std::vector<Node>{node} : node.items) {
    if (!item.is_map()) problem = "expected maps of keys and values, found " + item.describe();
    entries.push_back(
        by_key<Node>(item, [](const std::string&, const Node& leaf) { return leaf; }, problem));
  }
  v.require(problem.empty(), "exclude", problem);
}

void describe_pairs(config::Visitor& v, std::vector<std::vector<std::string>>& pairs) {
  const auto text_node = [](const std::string& text) {
    Node node = Node::make_scalar(text, {});
    node.quoted = true;
    return node;
  };
  Node node;
  std::vector<Node> lists;
  for (const auto& pair : pairs) {
    lists.push_back(list_of({}));
    for (const std::string& name : pair) lists.back().items.push_back(text_node(name));
  }
  if (!lists.empty()) node = list_of(std::move(lists));
  v.value("compare", node,
          "questions that the study is to answer: pairs of methods, [method, reference]; the "
          "tests of `primary` are corrected for their number",
          config::any().or_one());
  bool fits = !node.is_map();
  pairs.clear();
  for (const Node& item : node.items) {
    std::vector<std::string>& pair = pairs.emplace_back();
    for (const Node& name : item.items) {
      fits &= name.kind == Node::Kind::scalar;
      pair.push_back(name.scalar);
    }
    fits &= pair.size() == 2;
  }
  v.require(fits, "compare", "expected a list of pairs, each [method, reference]");
  if (!fits) pairs.clear();
}

bool is_unique(const std::vector<int64_t>& seeds) {
  return std::set<int64_t>(seeds.begin(), seeds.end()).size() == seeds.size();
}

/// Names of what is there more than once.
template <class Items>
std::string doubled_name(const Items& items) {
  std::set<std::string> names;
  for (const auto& item : items) {
    if (!names.insert(item.name).second) return item.name;
  }
  return "";
}

template <class Items>
bool has_name(const Items& items, const std::string& name) {
  return std::any_of(items.begin(), items.end(), [&](const auto& i) { return i.name == name; });
}

/// "; did you mean 'x'?"
template <class Items>
std::string meant(const Items& items, const std::string& name) {
  std::vector<std::string> names;
  for (const auto& item : items) names.push_back(item.name);
  const std::string near = nearest(name, names);
  return near.empty() ? "" : "; did you mean '" + near + "'?";
}

/// Or the list itself is wrong, which is told elsewhere.
bool is_among(const std::string& metric, const std::vector<MetricConfig>& configs) {
  try {
    return has_name(build_metrics(configs), metric);
  } catch (const ConfigError&) {
    return true;
  }
}

constexpr double kLargestSeed = 9.007199254740992e15;

}  // namespace

void StudySet::describe(config::Visitor& v) {
  v.value("name", name, "name in the results", config::any().required());
  v.value("manifest", manifest, "manifest of pairs");
  v.value("protocol", protocol, "protocol whose test pairs are the set, instead of a manifest");
  v.require(manifest.empty() != protocol.empty(), "manifest", "give either manifest or protocol");
}

void StudyScenario::describe(config::Visitor& v) {
  v.value("name", name, "name in the results", config::any().required());
  v.value("teacher", teacher, "which of the teachers", config::any().required());
  v.value("student", student, "configuration of the student, as limbeck-distill reads it",
          config::any().required());
}

void StudyMethod::describe(config::Visitor& v) {
  v.value("name", name, "name in the results", config::any().required());
  v.section("distill", distill, "what draws the student to the teacher");
  describe_settings(v, "search", search,
                    "settings that are chosen for the method on validation: dotted keys of the "
                    "student's configuration, each with a list of values");
}

void StudySearch::describe(config::Visitor& v) {
  v.value("points", points,
          "combinations of values that are tried for every method, drawn where it has more; 0: all",
          config::between(0, 100000));
  v.value("seeds", seeds, "training seeds of every point; none of the study's own",
          config::between(0, kLargestSeed));
  v.value("by", by,
          "value of validation that chooses, as train.select; empty: what the students' "
          "train.select names");
  v.value("scenario", scenario,
          "scenario whose choice is taken for all; empty: every one has its own");
  v.require(is_unique(seeds), "seeds", "a seed is listed twice");
}

void StudySweep::describe(config::Visitor& v) {
  describe_settings(v, "over", over,
                    "dotted keys of the students' configuration, each with a list of values; every "
                    "combination is trained");
  describe_exclude(v, exclude);
}

void StudyOptions::describe(config::Visitor& v) {
  v.value("name", name, "name of the study", config::any().required());
  v.value("dir", dir, "folder of the study; by default studies/<name>");
  v.value("store", store,
          "folder of the runs themselves, which several studies may share: what one has trained, "
          "the others need not; by default store, beside dir");
  v.value("seeds", seeds, "training seeds; every scenario and method is trained with each",
          config::between(0, kLargestSeed));
  v.value("teacher_seeds", teacher_seeds,
          "training seeds of every teacher, each of which is crossed with those of the students; "
          "empty: its own run.seed",
          config::between(0, kLargestSeed));
  describe_metrics(v, metrics);
  v.value("primary", primary,
          "metric whose comparisons are corrected for their number; empty: the first");
  v.value("baseline", baseline, "method that the others are compared with, seed by seed");
  describe_pairs(v, compare);
  v.list("sets", sets, "test sets");
  v.section("search", search, "how settings of the methods are chosen, on validation alone");
  v.value("allow_leak", allow_leak,
          "go on where a set shares files or speakers with training; every result then says so");
  v.value("device", device, "auto, cpu, cuda or cuda:i");
  v.value("threads_per_run", threads_per_run, "threads of LibTorch in each training",
          config::between(1, 1024));
  v.value("jobs", jobs, "trainings at a time; 0: as many as fit the cores, one on a GPU",
          config::between(0, 1024));
  v.value("ask_above", ask_above, "trainings that are begun without --yes", config::at_least(0));
  v.require(!seeds.empty(), "seeds", "needs at least one seed");
  v.require(is_unique(seeds), "seeds", "a seed is listed twice");
  v.require(is_unique(teacher_seeds), "teacher_seeds", "a seed is listed twice");
  v.require(!sets.empty(), "sets", "needs at least one test set");
  v.require(doubled_name(sets).empty(), "sets",
            "two sets have the name '" + doubled_name(sets) + "'");
  v.require(primary.empty() || is_among(primary, metrics), "primary",
            "'" + primary + "' is not among metrics");
  for (const int64_t seed : search.seeds) {
    v.require(std::find(seeds.begin(), seeds.end(), seed) == seeds.end(), "search",
              format("seed %d is one of the study's: what chooses must not count", seed));
  }
}

void StudyConfig::describe(config::Visitor& v) {
  v.section("study", study, "what is repeated and scored");
  v.named("teachers", teachers, "configurations as limbeck-pretrain reads them, by name");
  v.list("scenarios", scenarios, "mismatch scenarios: a teacher and a student");
  v.list("methods", methods, "ways to train the student");
  v.section("sweep", sweep, "what is varied of all students alike");
  v.value("overrides", overrides, "settings merged last into every teacher and student");
  if (overrides.kind == Node::Kind::null) overrides = Node::make_map({});
  v.require(!scenarios.empty(), "scenarios", "needs at least one scenario");
  v.require(!methods.empty(), "methods", "needs at least one method");
  v.require(doubled_name(scenarios).empty(), "scenarios",
            "two scenarios have the name '" + doubled_name(scenarios) + "'");
  v.require(doubled_name(methods).empty(), "methods",
            "two methods have the name '" + doubled_name(methods) + "'");
  for (const auto& scenario : scenarios) {
    v.require(teachers.count(scenario.teacher) > 0, "scenarios",
              "'" + scenario.name + "' names teacher '" + scenario.teacher +
                  "', which is not among teachers");
  }
  const auto require_method = [&](const std::string& name, const std::string& what) {
    v.require(has_name(methods, name), "study",
              what + " '" + name + "' is not among methods" + meant(methods, name));
  };
  if (!study.baseline.empty()) require_method(study.baseline, "baseline");
  std::set<std::set<std::string>> compared;
  for (const auto& pair : study.compare) {
    for (const std::string& name : pair) require_method(name, "compare:");
    const bool is_new = compared.insert({pair.begin(), pair.end()}).second;
    v.require(pair[0] != pair[1], "study", "compare: '" + pair.front() + "' with itself");
    v.require(is_new, "study", "compare: " + join(pair, " and ") + " are compared twice");
  }
  v.require(study.search.scenario.empty() || has_name(scenarios, study.search.scenario), "study",
            "search.scenario '" + study.search.scenario + "' is not among scenarios" +
                meant(scenarios, study.search.scenario));
}

}  // namespace limbeck
