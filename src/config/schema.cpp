#include "limbeck/config/schema.h"

#include "limbeck/core/format.h"

namespace limbeck::config {

Rule Rule::required() const {
  Rule rule = *this;
  rule.is_required = true;
  return rule;
}

Rule Rule::no_effect() const {
  Rule rule = *this;
  rule.changes_results = false;
  return rule;
}

Rule Rule::names_file() const {
  Rule rule = *this;
  rule.is_file = true;
  return rule;
}

Rule Rule::or_one() const {
  Rule rule = *this;
  rule.one_without_list = true;
  return rule;
}

std::string Rule::text() const {
  if (!choices.empty()) return "one of " + join(choices, ", ");
  const bool low = minimum > -std::numeric_limits<double>::infinity();
  const bool high = maximum < std::numeric_limits<double>::infinity();
  if (low && high) return "from " + shortest(minimum) + " to " + shortest(maximum);
  if (low) return (minimum_excluded ? "greater than " : "at least ") + shortest(minimum);
  return high ? "at most " + shortest(maximum) : "";
}

Rule any() { return {}; }

Rule at_least(double minimum) {
  Rule rule;
  rule.minimum = minimum;
  return rule;
}

Rule above(double minimum) {
  Rule rule = at_least(minimum);
  rule.minimum_excluded = true;
  return rule;
}

Rule between(double minimum, double maximum) {
  Rule rule = at_least(minimum);
  rule.maximum = maximum;
  return rule;
}

Rule one_of(std::vector<std::string> choices) {
  Rule rule;
  rule.choices = std::move(choices);
  return rule;
}

namespace {

std::string number(int64_t value) { return std::to_string(value); }

class Dumper : public Visitor {
 public:
  Dumper(Node& root, bool only_results) : only_results_(only_results) { stack_.push_back(&root); }

  void value(std::string_view key, bool& value, std::string_view, const Rule& rule) override {
    plain(key, value ? "true" : "false", rule);
  }
  void value(std::string_view key, int64_t& value, std::string_view, const Rule& rule) override {
    plain(key, number(value), rule);
  }
  void value(std::string_view key, double& value, std::string_view, const Rule& rule) override {
    plain(key, shortest(value), rule);
  }
  void value(std::string_view key, std::string& value, std::string_view,
             const Rule& rule) override {
    put(key, text_node(value), rule);
  }
  void value(std::string_view key, std::vector<int64_t>& values, std::string_view,
             const Rule& rule) override {
    put_list(key, values, rule, [](int64_t v) { return Node::make_scalar(number(v), {}); });
  }
  void value(std::string_view key, std::vector<double>& values, std::string_view,
             const Rule& rule) override {
    put_list(key, values, rule, [](double v) { return Node::make_scalar(shortest(v), {}); });
  }
  void value(std::string_view key, std::vector<std::string>& values, std::string_view,
             const Rule& rule) override {
    put_list(key, values, rule, text_node);
  }
  void value(std::string_view key, Node& value, std::string_view, const Rule& rule) override {
    if (value.kind != Node::Kind::null) put(key, value, rule);  // null: it was not written
  }

  void named(std::string_view key, std::map<std::string, Node>& nodes, std::string_view) override {
    Node map = Node::make_map({});
    for (const auto& [name, node] : nodes) map.entries.push_back({name, {}, node});
    put(key, std::move(map), {});
  }

  void require(bool, std::string_view, const std::string&) override {}

 protected:
  bool begin_section(std::string_view key, std::string_view) override {
    Node& section = stack_.back()->child(std::string(key), {});
    section.kind = Node::Kind::map;
    stack_.push_back(&section);
    return true;
  }
  void end_section() override { stack_.pop_back(); }

  void list_of(std::string_view key, const List& list, std::string_view,
               const Rule& rule) override {
    Node node;
    node.kind = Node::Kind::list;
    for (size_t i = 0; i < list.size(); ++i) {
      Node item = Node::make_map({});
      Dumper dumper(item, only_results_);
      list.describe(i, dumper);
      node.items.push_back(std::move(item));
    }
    put(key, std::move(node), rule);
  }

  void choose(std::string_view key, Chosen& chosen, const Choice&, std::string_view) override {
    put(key, text_node(chosen.name()), {});
    if (chosen.get()) chosen.get()->describe(*this);
  }

 private:
  static Node text_node(const std::string& text) {
    Node node = Node::make_scalar(text, {});
    node.quoted = true;
    return node;
  }

  template <class Value, class Make>
  void put_list(std::string_view key, const std::vector<Value>& values, const Rule& rule,
                Make make) {
    if (rule.one_without_list && values.size() == 1) return put(key, make(values.front()), rule);
    Node node;
    node.kind = Node::Kind::list;
    for (const auto& value : values) node.items.push_back(make(value));
    put(key, std::move(node), rule);
  }

  void plain(std::string_view key, std::string text, const Rule& rule) {
    put(key, Node::make_scalar(std::move(text), {}), rule);
  }

  void put(std::string_view key, Node node, const Rule& rule) {
    if (only_results_ && (!rule.changes_results || rule.is_file)) return;
    stack_.back()->entries.push_back({std::string(key), {}, std::move(node)});
  }

  bool only_results_;
  std::vector<Node*> stack_;
};

class Helper : public Visitor {
 public:
  explicit Helper(std::string& text, std::string prefix = "")
      : text_(text), prefix_(std::move(prefix)) {}

  void value(std::string_view key, bool& value, std::string_view help, const Rule& rule) override {
    line(key, "true or false", value ? "true" : "false", help, rule);
  }
  void value(std::string_view key, int64_t& value, std::string_view help,
             const Rule& rule) override {
    line(key, "integer", number(value), help, rule);
  }
  void value(std::string_view key, double& value, std::string_view help,
             const Rule& rule) override {
    line(key, "number", shortest(value), help, rule);
  }
  void value(std::string_view key, std::string& value, std::string_view help,
             const Rule& rule) override {
    line(key, "text", "'" + value + "'", help, rule);
  }
  void value(std::string_view key, std::vector<int64_t>& values, std::string_view help,
             const Rule& rule) override {
    std::vector<std::string> texts;
    for (const int64_t v : values) texts.push_back(number(v));
    line(key, list_type("integer", rule), "[" + join(texts, ", ") + "]", help, rule);
  }
  void value(std::string_view key, std::vector<double>& values, std::string_view help,
             const Rule& rule) override {
    std::vector<std::string> texts;
    for (const double v : values) texts.push_back(shortest(v));
    line(key, list_type("number", rule), "[" + join(texts, ", ") + "]", help, rule);
  }
  void value(std::string_view key, std::vector<std::string>& values, std::string_view help,
             const Rule& rule) override {
    line(key, list_type("text", rule), "[" + join(values, ", ") + "]", help, rule);
  }
  void value(std::string_view key, Node&, std::string_view help, const Rule& rule) override {
    const bool is_list = rule.one_without_list;
    line(key, is_list ? "list" : "map", is_list ? "[]" : "{}", help, rule);
  }
  void named(std::string_view key, std::map<std::string, Node>&, std::string_view help) override {
    line(std::string(key) + ".NAME", "map", "{}", help, {});
  }
  void require(bool, std::string_view, const std::string&) override {}

 protected:
  bool begin_section(std::string_view key, std::string_view help) override {
    outer_.push_back(prefix_);
    prefix_ += std::string(key) + ".";
    text_ += "\n# " + prefix_.substr(0, prefix_.size() - 1) + ": " + std::string(help) + "\n";
    return true;
  }
  void end_section() override {
    prefix_ = outer_.back();
    outer_.pop_back();
  }

  void list_of(std::string_view key, const List& list, std::string_view help,
               const Rule& rule) override {
    const std::string item = prefix_ + std::string(key) + "[]";
    text_ += "\n# " + item + ": " + std::string(help) +
             "; default: " + number(int64_t(list.size())) +
             (list.size() == 1 ? " item" : " items") +
             (rule.one_without_list ? "; one may stand without a list\n" : "\n");
    Helper helper(text_, item + ".");
    list.describe_default(helper);
  }

  void choose(std::string_view key, Chosen& chosen, const Choice& choice,
              std::string_view help) override {
    Rule rule = one_of(choice.names());
    rule.is_required = chosen.name().empty();
    line(key, "text", "'" + chosen.name() + "'", help, rule);
    for (const std::string& name : choice.names()) {
      text_ += "#   with " + std::string(key) + ": " + name + " (" + choice.help(name) + ")\n";
      choice.make(name)->describe(*this);
    }
  }

 private:
  static std::string list_type(const std::string& one, const Rule& rule) {
    return (rule.one_without_list ? one + " or list of " : "list of ") + one + "s";
  }

  void line(std::string_view key, const std::string& type, const std::string& standard,
            std::string_view help, const Rule& rule) {
    const std::string range = rule.text();
    text_ += prefix_ + std::string(key) + ": " + type + (range.empty() ? "" : ", " + range) + "; " +
             (rule.is_required ? "required" : "default " + standard) + "\n    " +
             std::string(help) +
             (rule.is_file           ? " (its content counts, not its place)"
              : rule.changes_results ? ""
                                     : " (may change on resume)") +
             "\n";
  }

  std::string& text_;
  std::string prefix_;
  std::vector<std::string> outer_;
};

}  // namespace

namespace detail {

std::unique_ptr<Visitor> make_dumper(Node& root, bool only_results) {
  return std::make_unique<Dumper>(root, only_results);
}

std::unique_ptr<Visitor> make_helper(std::string& text) { return std::make_unique<Helper>(text); }

}  // namespace detail
}  // namespace limbeck::config
