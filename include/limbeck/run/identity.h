#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <vector>

#include "limbeck/config/node.h"

namespace limbeck {

/// What determines some results, as a tree of facts: the options that affect them, and in place of
/// every file that they name its content. Where and on what something ran is not in it. Two
/// identities are equal if their facts are, whatever the order in which they were set.
///
/// `kind` tells the results of one activity ("training") from those of another. `format_version` is
/// that of its facts; it changes where the same facts come to stand for other results.
class Identity {
 public:
  Identity(std::string kind, int64_t format_version,
           const config::Node& facts = config::Node::make_map({}));

  const std::string& kind() const { return kind_; }
  int64_t format_version() const { return format_version_; }
  /// A map. Keys are sorted; what was set as null, or as an empty map, is not there.
  const config::Node& facts() const { return facts_; }

  /// Sets the fact under a dotted key ("data.source.speech"), or replaces it. A value that is no
  /// text must not be given as one: "5" is not 5.
  void set(const std::string& key, const config::Node& value);
  void set(const std::string& key, const std::string& text);
  void set(const std::string& key, const std::vector<std::string>& texts);
  void set(const std::string& key, double number);
  template <std::integral Integer>
  void set(const std::string& key, Integer value) {
    if constexpr (std::same_as<Integer, bool>) {
      set(key, config::Node::make_scalar(value ? "true" : "false", {}));
    } else {
      set(key, config::Node::make_scalar(std::to_string(value), {}));
    }
  }

  /// As JSON; what is no UTF-8 is replaced.
  std::string text() const;
  /// Throws DataError, which starts with `source`.
  static Identity parse(const std::string& text, const std::string& source);

  /// Equal for equal identities.
  std::string hash() const;

  /// What keeps `planned` from being this one, as "train.optimizer.lr: 0.003 → 0.001": first the
  /// value here.
  std::vector<std::string> differences(const Identity& planned) const;

  bool operator==(const Identity& other) const { return text() == other.text(); }

 private:
  std::string kind_;
  int64_t format_version_;
  config::Node facts_;
};

}  // namespace limbeck
