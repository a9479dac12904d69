#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "limbeck/config/diagnostics.h"

namespace limbeck::config {

/// A parsed configuration value with the place where it was written. Copies are deep (yaml-cpp's
/// alias one another), and a map keeps the order of its keys.
struct Node {
  enum class Kind { null, scalar, list, map };
  struct Entry;

  Kind kind = Kind::null;
  std::string scalar;
  bool quoted = false;  ///< the scalar was written in quotes: it is text, whatever it looks like
  Location where;
  std::vector<Node> items;     ///< of a list
  std::vector<Entry> entries;  ///< of a map

  static Node make_map(Location where);
  static Node make_scalar(std::string text, Location where);

  bool is_map() const { return kind == Kind::map; }
  Node* find(std::string_view key);
  const Node* find(std::string_view key) const;
  /// The value under `key`, made as null if absent. This node must be a map.
  Node& child(const std::string& key, const Location& key_where);
  void erase(std::string_view key);
  /// "a map", "a list", "the text 'x'", "nothing", for messages.
  std::string describe() const;
};

struct Node::Entry {
  std::string key;
  Location key_where;
  Node value;
};

/// Strict YAML: reports duplicate keys, merge keys, tags, non-scalar keys and several documents.
/// A text without a value is an empty map, `null` is null. `source` names the file in messages.
Node parse_yaml(const std::string& text, const std::string& source, Diagnostics& diagnostics);

/// Both are maps that choose a component by `type`, and another one each: the options of one mean
/// nothing to the other. A map without `type` leaves the choice as it is.
bool choose_differently(const Node& base, const Node& over);

/// `over` on top of `base`: maps merge key by key, everything else replaces the whole, and so does
/// a map that chooses another `type`.
void merge(Node& base, const Node& over);

/// Block-style YAML that parse_yaml reads back to the same tree.
std::string to_yaml(const Node& node);
/// The same on one line, without a line break at its end: "{a: 1, b: [x, y]}".
std::string to_flow_yaml(const Node& node);

}  // namespace limbeck::config
