#include "study/settings.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "limbeck/config/resolve.h"
#include "limbeck/core/format.h"
#include "limbeck/core/random.h"

namespace limbeck {
namespace {

using config::Node;

struct Refusal {
  const char* key;
  const char* reason;
};

/// Of the study, whatever is varied.
constexpr Refusal kOfStudy[] = {
    {"run", "where and with which seed a run is trained is the study's"},
    {"teacher.checkpoint", "the teacher is that of the scenario"},
    {"data.allow_leak", "is study.allow_leak"},
    {"distill.terms", "other terms are another method; name it among methods"},
    {"distill.cache.dir", "changes no result"},
    {"distill.cache.max_gb", "changes no result"},
};

/// What a search could gain by without being better: all methods have the same.
constexpr Refusal kOfAllMethods[] = {
    {"model", "all methods have the same network"},
    {"data", "all methods have the same data"},
    {"objective", "all methods denoise by the same loss"},
    {"teacher", "all methods have the same teacher"},
    {"train.steps", "all methods have the same budget"},
    {"train.epochs", "all methods have the same budget"},
    {"train.batch_size", "all methods have the same budget"},
    {"train.accumulate", "all methods have the same budget"},
    {"train.early_stop", "all methods have the same budget"},
    {"train.init", "all methods begin with the same weights"},
    {"train.init_fit", "all methods begin with the same weights"},
    {"train.select", "what chooses is study.search.by"},
    {"train.validate_every", "all methods are validated as often"},
    {"train.validation", "all methods are validated alike"},
};

/// The key is this one, or lies below it.
bool lies_in(const std::string& key, const std::string& section) {
  return key == section || key.starts_with(section + ".");
}

/// One of them is, or lies in, the other.
bool overlap(const std::string& a, const std::string& b) { return lies_in(a, b) || lies_in(b, a); }

/// Of what is refused, "distill.terms" is one key: the settings of a term are a method's own.
template <size_t size>
const char* refusal(const std::string& key, const Refusal (&refused)[size]) {
  for (const Refusal& one : refused) {
    const bool is_terms = std::string(one.key) == "distill.terms";
    if (is_terms ? lies_in(one.key, key) : overlap(key, one.key)) return one.reason;
  }
  return nullptr;
}

/// For messages and names.
std::string text_of(const Node& value) { return to_flow_yaml(value); }

/// The same for 0.001 and 1e-3.
std::string meaning_of(const Node& value) {
  if (value.kind == Node::Kind::scalar && !value.quoted) {
    const std::string& text = value.scalar;
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size()) return shortest(number);
  }
  return to_flow_yaml(value);
}

class Checks {
 public:
  Checks(std::string where, config::Diagnostics& diagnostics)
      : where_(std::move(where)), diagnostics_(diagnostics) {}

  void refuse(const std::string& key, const std::string& why, const Node* value = nullptr) {
    diagnostics_.add(value ? value->where : config::Location{"study", 0, 0},
                     where_ + (key.empty() ? "" : "." + key), why);
  }

  void check_search(const StudyMethod& method) {
    check(method.search, true);
    for (const auto& [key, list] : method.search) {
      if (method.distill.terms.empty() && lies_in(key, "distill")) {
        refuse(key, "is of no use: the method has no terms", &list.front());
      }
    }
  }

  void check(const SettingValues& values, bool is_search) {
    for (const auto& [key, list] : values) {
      const char* reason = refusal(key, kOfStudy);
      if (reason == nullptr && is_search) reason = refusal(key, kOfAllMethods);
      if (reason != nullptr) refuse(key, std::string("cannot be varied: ") + reason, &list.front());
      std::set<std::string> meanings;
      for (const Node& value : list) {
        if (!meanings.insert(meaning_of(value)).second) {
          refuse(key, text_of(value) + " is listed twice", &value);
        }
      }
      for (const auto& [other, unused] : values) {
        if (other < key && overlap(key, other)) refuse(key, "lies in " + other, &list.front());
      }
    }
  }

 private:
  std::string where_;
  config::Diagnostics& diagnostics_;
};

int64_t combinations(const SettingValues& values) {
  int64_t count = 1;
  for (const auto& [key, list] : values) {
    count *= static_cast<int64_t>(list.size());
    if (count > 1000000) return count;  // more than anybody trains
  }
  return count;
}

/// The combination of this number; the values of the last key change fastest.
SettingPoint combination(const SettingValues& values, int64_t number) {
  SettingPoint point;
  std::vector<std::string> parts;
  for (auto entry = values.rbegin(); entry != values.rend(); ++entry) {
    const auto& [key, list] = *entry;
    const auto size = static_cast<int64_t>(list.size());
    Node value = list[static_cast<size_t>(number % size)];
    value.where = list.front().where;  // what is wrong with the key is told once
    number /= size;
    point.settings.emplace(point.settings.begin(), key, value);
    parts.insert(parts.begin(), key + "=" + text_of(value));
  }
  point.name = join(parts, ", ");
  return point;
}

bool holds(const SettingPoint& point, const std::map<std::string, Node>& some) {
  return std::all_of(some.begin(), some.end(), [&](const auto& wanted) {
    return std::any_of(point.settings.begin(), point.settings.end(), [&](const auto& setting) {
      return setting.first == wanted.first &&
             meaning_of(setting.second) == meaning_of(wanted.second);
    });
  });
}

/// Of `count`, in their order.
std::vector<int64_t> drawn(int64_t count, int64_t points, const std::string& method) {
  auto numbers = permutation(count, SeedKey(0).with("search").with(method));
  numbers.resize(static_cast<size_t>(points));
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

void require_search(const StudyConfig& config, int64_t points, Checks& checks) {
  const StudySearch& search = config.study.search;
  if (search.seeds.empty()) {
    checks.refuse("seeds",
                  "needs at least one seed: points are trained with these, not with those "
                  "of the study");
  }
  for (const StudyMethod& method : config.methods) {
    const int64_t count = method.search.empty() ? 0 : combinations(method.search);
    const std::string has = "method '" + method.name + "' has " +
                            (count == 0   ? "none"
                             : count == 1 ? "1 combination"
                                          : format("%d combinations", count));
    const std::string others =
        format("all methods are searched by as many points, which are %d", points);
    if (count < points || (search.points == 0 && count != points)) {
      checks.refuse("points", has + " to try; " + others);
    }
    for (const auto& [key, list] : method.search) {
      for (const auto& [swept, unused] : config.sweep.over) {
        if (overlap(key, swept)) checks.refuse(key, "is swept, too (" + swept + ")", &list.front());
      }
    }
  }
}

}  // namespace

std::vector<SettingPoint> sweep_points(const StudyConfig& config,
                                       config::Diagnostics& diagnostics) {
  Checks checks("sweep", diagnostics);
  Checks("sweep.over", diagnostics).check(config.sweep.over, false);
  const int64_t count = combinations(config.sweep.over);
  std::vector<SettingPoint> points;
  if (count > 10000) {
    checks.refuse("over", format("has more than 10000 combinations (%d)", count));
    return {SettingPoint{}};
  }
  std::vector<size_t> left_out(config.sweep.exclude.size());
  for (int64_t number = 0; number < count; ++number) {
    const SettingPoint point = combination(config.sweep.over, number);
    bool is_excluded = false;
    for (size_t e = 0; e < left_out.size(); ++e) {
      if (!holds(point, config.sweep.exclude[e])) continue;
      ++left_out[e];
      is_excluded = true;
    }
    if (!is_excluded) points.push_back(point);
  }
  for (size_t e = 0; e < left_out.size(); ++e) {
    const bool is_everything = config.sweep.exclude[e].empty();
    if (left_out[e] == 0 || is_everything) {
      checks.refuse(format("exclude.%d", e),
                    is_everything ? "names no value" : "leaves out nothing: no combination has it");
    }
  }
  if (points.empty()) {
    checks.refuse("exclude", "leaves out everything");
    points.emplace_back();
  }
  return points;
}

std::vector<std::vector<SettingPoint>> search_points(const StudyConfig& config,
                                                     config::Diagnostics& diagnostics) {
  std::vector<std::vector<SettingPoint>> found(config.methods.size());
  int64_t most = 0;
  for (size_t m = 0; m < config.methods.size(); ++m) {
    const SettingValues& values = config.methods[m].search;
    Checks(format("methods.%d.search", m), diagnostics).check_search(config.methods[m]);
    if (!values.empty()) most = std::max(most, combinations(values));
  }
  Checks checks("study.search", diagnostics);
  if (most == 0) {
    if (config.study.search.points > 0) checks.refuse("points", "no method has a search");
    return found;
  }
  const int64_t points = config.study.search.points > 0 ? config.study.search.points : most;
  if (most > 1000000) checks.refuse("points", "a method has more than 1000000 combinations");
  require_search(config, points, checks);
  if (!diagnostics.empty()) return found;
  for (size_t m = 0; m < config.methods.size(); ++m) {
    const auto& [name, distill, values] = config.methods[m];
    for (const int64_t number : drawn(combinations(values), points, name)) {
      found[m].push_back(combination(values, number));
    }
  }
  return found;
}

void apply(const SettingPoint& point, bool has_terms, config::Node& student,
           config::Diagnostics& diagnostics) {
  // Another type drops the options of the one before, and so comes first.
  for (const bool is_type : {true, false}) {
    for (const auto& [key, value] : point.settings) {
      if (key.ends_with(".type") != is_type || (!has_terms && lies_in(key, "distill"))) continue;
      set_at(student, key, value, diagnostics);
    }
  }
}

}  // namespace limbeck
