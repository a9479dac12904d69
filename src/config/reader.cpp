#include "limbeck/config/reader.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include "limbeck/core/format.h"
#include "limbeck/core/home_folder.h"

namespace limbeck::config {
namespace {

bool is_integer_text(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// 010 is 8 to YAML 1.1 and 10 to most people: refused.
bool has_leading_zero(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9';
}

std::optional<int64_t> parse_integer(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Also takes YAML's .inf and .nan, and what is too large: their message is "not finite".
std::optional<double> parse_double(std::string_view text) {
  std::string word(text.substr(text.find_first_not_of("+-") == 1 ? 1 : 0));
  for (char& c : word) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (word == ".inf" || word == ".nan") return std::numeric_limits<double>::infinity();
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size() || error == std::errc::invalid_argument) return std::nullopt;
  if (error == std::errc()) return value;
  // Out of range: too large, or so small that it is 0.
  return std::strtod(std::string(text).c_str(), nullptr);
}

class Reader : public Visitor {
 public:
  Reader(const Node& map, std::string path, Diagnostics& diagnostics) : diagnostics_(diagnostics) {
    open(&map, std::move(path));
  }

  void value(std::string_view key, bool& value, std::string_view, const Rule& rule) override {
    if (const Node* node = take(key, rule)) read(*node, path(key), value, rule);
  }
  void value(std::string_view key, int64_t& value, std::string_view, const Rule& rule) override {
    if (const Node* node = take(key, rule)) read(*node, path(key), value, rule);
  }
  void value(std::string_view key, double& value, std::string_view, const Rule& rule) override {
    if (const Node* node = take(key, rule)) read(*node, path(key), value, rule);
  }
  void value(std::string_view key, std::string& value, std::string_view,
             const Rule& rule) override {
    if (const Node* node = take(key, rule)) read(*node, path(key), value, rule);
  }
  void value(std::string_view key, std::vector<int64_t>& values, std::string_view,
             const Rule& rule) override {
    read_list(key, values, rule);
  }
  void value(std::string_view key, std::vector<double>& values, std::string_view,
             const Rule& rule) override {
    read_list(key, values, rule);
  }
  void value(std::string_view key, std::vector<std::string>& values, std::string_view,
             const Rule& rule) override {
    read_list(key, values, rule);
  }
  void value(std::string_view key, Node& value, std::string_view, const Rule& rule) override {
    const Node* node = take(key, rule);
    if (!node) return;
    if (node->is_map() || (rule.one_without_list && node->kind == Node::Kind::list)) {
      value = *node;
    } else {
      wrong_type(*node, path(key), rule.one_without_list ? "a list" : "a map");
    }
  }

  void named(std::string_view key, std::map<std::string, Node>& nodes, std::string_view) override {
    const Node* node = take(key, {});
    if (!node) return;
    if (!node->is_map()) return wrong_type(*node, path(key), "a map");
    nodes.clear();
    for (const auto& entry : node->entries) {
      if (!entry.value.is_map()) {
        wrong_type(entry.value, path(key) + "." + entry.key, "a map");
      } else {
        nodes[entry.key] = entry.value;
      }
    }
  }

  void require(bool condition, std::string_view key, const std::string& message) override {
    if (condition || levels_.back().failed || diagnostics_.incomplete())
      return;  // what is wrong already would only be said twice
    const Node* node = map() ? map()->find(key) : nullptr;
    diagnostics_.add(node ? node->where : where(), path(key), message);
  }

  void report_unknown() {
    const Level& level = levels_.back();
    if (!level.map || level.component_unknown) return;
    for (const auto& entry : level.map->entries) {
      if (std::find(level.known.begin(), level.known.end(), entry.key) != level.known.end())
        continue;
      const std::string meant = nearest(entry.key, level.known);
      diagnostics_.add(entry.key_where, path(entry.key),
                       meant.empty() ? "unknown key; known here: " + join(level.known, ", ")
                                     : "unknown key; did you mean '" + meant + "'?");
    }
  }

 protected:
  bool begin_section(std::string_view key, std::string_view) override {
    const Node* node = take(key, {});
    const std::string inner = path(key);
    if (node && !node->is_map() && node->kind != Node::Kind::scalar) {
      wrong_type(*node, inner, "a map");
      return false;
    }
    // An absent section is still visited: its fields may be required.
    open(node, inner);
    return true;
  }

  void end_section() override {
    if (const Node* name = levels_.back().name) {  // and nothing was chosen by it
      levels_.back().component_unknown = true;
      wrong_type(*name, levels_.back().path, "a map");
    }
    report_unknown();
    const bool failed = levels_.back().failed;
    levels_.pop_back();
    levels_.back().failed |= failed;
  }

  void list_of(std::string_view key, const List& list, std::string_view,
               const Rule& rule) override {
    const Node* node = take(key, rule);
    if (!node) return;
    const bool is_one =
        rule.one_without_list && (node->is_map() || node->kind == Node::Kind::scalar);
    if (!is_one && node->kind != Node::Kind::list) return wrong_type(*node, path(key), "a list");
    const std::span<const Node> items = is_one ? std::span(node, 1) : std::span(node->items);
    list.resize(0);  // a list replaces the default whole
    list.resize(items.size());
    for (size_t i = 0; i < items.size(); ++i) {
      const std::string item_path = is_one ? path(key) : path(key) + "." + std::to_string(i);
      if (!items[i].is_map() && items[i].kind != Node::Kind::scalar) {
        wrong_type(items[i], item_path, "a map");
        continue;
      }
      open(&items[i], item_path);
      list.describe(i, *this);
      end_section();
    }
  }

  void choose(std::string_view key, Chosen& chosen, const Choice& choice,
              std::string_view) override {
    std::string name = chosen.name();
    Rule rule = one_of(choice.names());
    if (const Node* written = std::exchange(levels_.back().name, nullptr)) {
      levels_.back().known.emplace_back(key);
      read(*written, levels_.back().path, name, rule);
    } else {
      rule.is_required = name.empty();
      value(key, name, "", rule);
    }
    const auto names = choice.names();
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      levels_.back().component_unknown = true;
      return;
    }
    if (name != chosen.name()) chosen.set(name, choice.make(name));
    chosen.get()->describe(*this);
  }

 private:
  struct Level {
    const Node* map;   ///< null where the section is not written, or a name stands for it
    const Node* name;  ///< `temporal: gru` for `temporal: {type: gru}`, until it was used
    std::string path;
    std::vector<std::string> known;
    bool failed = false;
    bool component_unknown = false;  ///< then keys that are not ours may be its
  };

  void open(const Node* node, std::string path) {
    const bool is_name = node && node->kind == Node::Kind::scalar;
    levels_.push_back({is_name ? nullptr : node, is_name ? node : nullptr, std::move(path), {}});
  }
  const Node* map() const { return levels_.back().map; }

  std::string path(std::string_view key) const {
    const std::string& outer = levels_.back().path;
    return outer.empty() ? std::string(key) : outer + "." + std::string(key);
  }

  /// Of the innermost map that was written.
  const Location& where() const {
    for (auto level = levels_.rbegin(); level != levels_.rend(); ++level) {
      if (level->map) return level->map->where;
    }
    return levels_.front().map->where;
  }

  void fail(const Location& at, const std::string& path, const std::string& message) {
    levels_.back().failed = true;
    diagnostics_.add(at, path, message);
  }

  void wrong_type(const Node& node, const std::string& path, const std::string& expected) {
    fail(node.where, path, "expected " + expected + ", found " + node.describe());
  }

  const Node* take(std::string_view key, const Rule& rule) {
    Level& level = levels_.back();
    level.known.emplace_back(key);
    const Node* node = level.map ? level.map->find(key) : nullptr;
    if (!node && rule.is_required) {
      level.failed = true;
      if (!diagnostics_.incomplete()) diagnostics_.add(where(), path(key), "is required");
    }
    return node;
  }

  void read(const Node& node, const std::string& path, bool& value, const Rule&) {
    if (node.kind == Node::Kind::scalar && !node.quoted &&
        (node.scalar == "true" || node.scalar == "false")) {
      value = node.scalar == "true";
    } else {
      wrong_type(node, path, "true or false");
    }
  }

  void read(const Node& node, const std::string& path, int64_t& value, const Rule& rule) {
    if (node.kind != Node::Kind::scalar || node.quoted || !is_integer_text(node.scalar)) {
      return wrong_type(node, path, "an integer");
    }
    if (has_leading_zero(node.scalar)) {
      return fail(node.where, path, "'" + node.scalar + "' has a leading zero");
    }
    const auto parsed = parse_integer(node.scalar);
    if (!parsed) return fail(node.where, path, node.scalar + " is too large");
    if (in_range(node, path, static_cast<double>(*parsed), rule)) value = *parsed;
  }

  void read(const Node& node, const std::string& path, double& value, const Rule& rule) {
    const bool numeric = node.kind == Node::Kind::scalar && !node.quoted;
    const auto parsed = numeric ? parse_double(node.scalar) : std::nullopt;
    if (!parsed) return wrong_type(node, path, "a number");
    if (has_leading_zero(node.scalar)) {
      return fail(node.where, path, "'" + node.scalar + "' has a leading zero");
    }
    if (!std::isfinite(*parsed))
      return fail(node.where, path, "'" + node.scalar + "' is not finite");
    if (in_range(node, path, *parsed, rule)) value = *parsed;
  }

  void read(const Node& node, const std::string& path, std::string& value, const Rule& rule) {
    if (node.kind != Node::Kind::scalar) return wrong_type(node, path, "a text");
    const auto& choices = rule.choices;
    if (!choices.empty() &&
        std::find(choices.begin(), choices.end(), node.scalar) == choices.end()) {
      const std::string meant = nearest(node.scalar, choices);
      return fail(node.where, path,
                  "'" + node.scalar + "' is not one of " + join(choices, ", ") +
                      (meant.empty() ? "" : "; did you mean '" + meant + "'?"));
    }
    value = in_home(node.scalar);
  }

  template <class Value>
  void read_list(std::string_view key, std::vector<Value>& values, const Rule& rule) {
    const Node* node = take(key, rule);
    if (!node) return;
    if (rule.one_without_list && node->kind == Node::Kind::scalar) {
      values.assign(1, Value{});
      return read(*node, path(key), values.front(), rule);
    }
    if (node->kind != Node::Kind::list) {
      return wrong_type(*node, path(key), rule.one_without_list ? "a text or a list" : "a list");
    }
    values.assign(node->items.size(), Value{});
    for (size_t i = 0; i < values.size(); ++i) {
      read(node->items[i], path(key) + "." + std::to_string(i), values[i], rule);
    }
  }

  bool in_range(const Node& node, const std::string& path, double value, const Rule& rule) {
    const bool low = rule.minimum_excluded ? value <= rule.minimum : value < rule.minimum;
    if (!low && value <= rule.maximum) return true;
    fail(node.where, path, node.scalar + " is out of range: must be " + rule.text());
    return false;
  }

  Diagnostics& diagnostics_;
  std::vector<Level> levels_;
};

}  // namespace

namespace detail {

std::unique_ptr<Visitor> make_reader(const Node& map, const std::string& path,
                                     Diagnostics& diagnostics) {
  if (!map.is_map() && map.kind != Node::Kind::null) {
    diagnostics.add(map.where, path, "expected a map, found " + map.describe());
    diagnostics.mark_incomplete();
  }
  return std::make_unique<Reader>(map, path, diagnostics);
}

void report_unknown_keys(Visitor& reader) { static_cast<Reader&>(reader).report_unknown(); }

}  // namespace detail
}  // namespace limbeck::config
