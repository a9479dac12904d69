#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "limbeck/config/node.h"
#include "limbeck/core/error.h"

namespace limbeck::config {

/// What a value may be. Build one with the functions below.
struct Rule {
  double minimum = -std::numeric_limits<double>::infinity();
  double maximum = std::numeric_limits<double>::infinity();
  bool minimum_excluded = false;
  std::vector<std::string> choices;
  bool is_required = false;
  bool changes_results = true;
  bool is_file = false;
  bool one_without_list = false;

  /// The key must be written; it has no default.
  Rule required() const;
  /// Another value gives the same results, so a run may be resumed with it.
  Rule no_effect() const;
  /// It names a file or folder, or which one: results depend on the content, wherever that lies.
  /// Who tells results apart puts the content in its place.
  Rule names_file() const;
  /// A list of one value may be written as that value: `tap: latent` for `tap: [latent]`.
  Rule or_one() const;
  /// "at least 1", "from 0 to 1", …; empty if anything goes.
  std::string text() const;
};

Rule any();
Rule at_least(double minimum);
Rule above(double minimum);
Rule between(double minimum, double maximum);
Rule one_of(std::vector<std::string> choices);

class Visitor;

/// An enum's values by name, in the order in which messages list them. Beside the enum stands a
/// function that is found by its type:
///
///     enum class Shape { round, square };
///     inline config::Names<Shape> names_of(Shape) {
///       return {{"round", Shape::round}, {"square", Shape::square}};
///     }
template <class Enum>
using Names = std::vector<std::pair<std::string, Enum>>;

/// Options of something that is chosen by name; each family derives its own base or uses this one.
struct ComponentOptions {
  virtual ~ComponentOptions() = default;
  virtual void describe(Visitor& visitor) = 0;
  virtual std::unique_ptr<ComponentOptions> clone() const = 0;
};

/// Gives a struct of options `clone()`: `struct CosineOptions : config::Component<CosineOptions> {
/// … };`
template <class Own, class Base = ComponentOptions>
struct Component : Base {
  std::unique_ptr<ComponentOptions> clone() const override {
    return std::make_unique<Own>(static_cast<const Own&>(*this));
  }
};

/// Those of a component that has none.
struct NoOptions : Component<NoOptions> {
  void describe(Visitor&) override {}
};

/// A value that holds the options of the component chosen by name.
class Chosen {
 public:
  Chosen() = default;
  /// An entry of `registry` with its default options.
  template <class Registry>
  Chosen(const Registry& registry, const std::string& name)
      : name_(name), options_(registry.make_options(name)) {}
  Chosen(const Chosen& other) { *this = other; }
  Chosen(Chosen&&) = default;
  Chosen& operator=(const Chosen& other) {
    options_ = other.options_ ? other.options_->clone() : nullptr;
    name_ = other.name_;
    return *this;
  }
  Chosen& operator=(Chosen&&) = default;

  const std::string& name() const { return name_; }
  /// Throws ConfigError where nothing is chosen: after a name that is not known, which was told.
  const ComponentOptions& operator*() const {
    if (options_ == nullptr) throw ConfigError("no component is chosen");
    return *options_;
  }
  ComponentOptions* get() { return options_.get(); }
  /// The options as those of one component; throws std::bad_cast if another one is chosen, and as
  /// operator* does.
  template <class Own>
  const Own& as() const {
    return dynamic_cast<const Own&>(**this);
  }
  template <class Own>
  Own& as() {
    return const_cast<Own&>(std::as_const(*this).as<Own>());
  }
  void set(std::string name, std::unique_ptr<ComponentOptions> options) {
    name_ = std::move(name);
    options_ = std::move(options);
  }

 private:
  std::string name_;
  std::unique_ptr<ComponentOptions> options_;
};

/// Walks over an options struct. A struct describes itself once,
///
///     void describe(config::Visitor& v) {
///       v.value("lr", lr, "peak learning rate", config::above(0));
///       v.section("schedule", schedule, "learning rate over time");
///     }
///
/// and parsing, range and unknown-key checks, dump and help are visitors.
class Visitor {
 public:
  virtual ~Visitor() = default;

  virtual void value(std::string_view key, bool& value, std::string_view help,
                     const Rule& = {}) = 0;
  virtual void value(std::string_view key, int64_t& value, std::string_view help,
                     const Rule& = {}) = 0;
  virtual void value(std::string_view key, double& value, std::string_view help,
                     const Rule& = {}) = 0;
  virtual void value(std::string_view key, std::string& value, std::string_view help,
                     const Rule& = {}) = 0;
  virtual void value(std::string_view key, std::vector<int64_t>& value, std::string_view help,
                     const Rule& = {}) = 0;
  virtual void value(std::string_view key, std::vector<double>& value, std::string_view help,
                     const Rule& = {}) = 0;
  virtual void value(std::string_view key, std::vector<std::string>& value, std::string_view help,
                     const Rule& = {}) = 0;
  /// A subtree that is read later, against another struct.
  virtual void value(std::string_view key, Node& value, std::string_view help,
                     const Rule& = {}) = 0;

  /// One of an enum's values, written by its name; see Names.
  template <class Enum>
    requires std::is_enum_v<Enum>
  void value(std::string_view key, Enum& value, std::string_view help, Rule rule = {}) {
    const Names<Enum> names = names_of(value);
    std::string text;
    for (const auto& [name, known] : names) {
      rule.choices.push_back(name);
      if (known == value) text = name;
    }
    this->value(key, text, help, rule);
    for (const auto& [name, known] : names) {
      if (name == text) value = known;
    }
  }

  /// A nested struct.
  template <class Options>
  void section(std::string_view key, Options& options, std::string_view help) {
    if (begin_section(key, help)) {
      options.describe(*this);
      end_section();
    }
  }

  /// A list of structs.
  template <class Options>
  void list(std::string_view key, std::vector<Options>& options, std::string_view help,
            const Rule& rule = {}) {
    list_of(key, ListOf<Options>(options), help, rule);
  }

  /// A map from names of the user's choice to subtrees that are read later.
  virtual void named(std::string_view key, std::map<std::string, Node>& nodes,
                     std::string_view help) = 0;

  /// `key` ("name" in lists, else "type") chooses an entry of `registry`; the chosen one's own
  /// options stand beside it. Where these keep their defaults, the name may stand for the whole
  /// map: `losses: [si_sdr]`, `temporal: gru`.
  template <class Registry>
  void choice(std::string_view key, Chosen& chosen, const Registry& registry,
              std::string_view help) {
    choose(key, chosen, ChoiceOf<Registry>(registry), help);
  }

  /// A check across fields, reported at `key`. Only reading looks at it.
  virtual void require(bool condition, std::string_view key, const std::string& message) = 0;

 protected:
  class List {
   public:
    virtual ~List() = default;
    virtual size_t size() const = 0;
    virtual void resize(size_t size) const = 0;
    virtual void describe(size_t index, Visitor& visitor) const = 0;
    virtual void describe_default(Visitor& visitor) const = 0;
  };

  class Choice {
   public:
    virtual ~Choice() = default;
    virtual std::vector<std::string> names() const = 0;
    virtual std::string help(const std::string& name) const = 0;
    virtual std::unique_ptr<ComponentOptions> make(const std::string& name) const = 0;
  };

  virtual bool begin_section(std::string_view key, std::string_view help) = 0;
  virtual void end_section() = 0;
  virtual void list_of(std::string_view key, const List& list, std::string_view help,
                       const Rule& rule) = 0;
  virtual void choose(std::string_view key, Chosen& chosen, const Choice& choice,
                      std::string_view help) = 0;

 private:
  template <class Options>
  class ListOf : public List {
   public:
    explicit ListOf(std::vector<Options>& items) : items_(items) {}
    size_t size() const override { return items_.size(); }
    void resize(size_t size) const override { items_.resize(size); }
    void describe(size_t index, Visitor& visitor) const override {
      items_[index].describe(visitor);
    }
    void describe_default(Visitor& visitor) const override { Options().describe(visitor); }

   private:
    std::vector<Options>& items_;
  };

  template <class Registry>
  class ChoiceOf : public Choice {
   public:
    explicit ChoiceOf(const Registry& registry) : registry_(registry) {}
    std::vector<std::string> names() const override { return registry_.names(); }
    std::string help(const std::string& name) const override { return registry_.help(name); }
    std::unique_ptr<ComponentOptions> make(const std::string& name) const override {
      return registry_.make_options(name);
    }

   private:
    const Registry& registry_;
  };
};

namespace detail {
std::unique_ptr<Visitor> make_dumper(Node& root, bool only_results);
std::unique_ptr<Visitor> make_helper(std::string& text);
}  // namespace detail

/// The struct as a tree (what `--dump-config` prints and a run keeps). With `only_results`, fields
/// that do not change results are left out, and those that name files.
template <class Options>
Node to_node(const Options& options, bool only_results = false) {
  Node root = Node::make_map({});
  Options copy = options;  // describe() is not const: reading writes through it
  const auto dumper = detail::make_dumper(root, only_results);
  copy.describe(*dumper);
  return root;
}

/// Every key with type, range, default and meaning, one a line.
template <class Options>
std::string help_text() {
  std::string text;
  const auto helper = detail::make_helper(text);
  Options().describe(*helper);
  return text;
}

}  // namespace limbeck::config
