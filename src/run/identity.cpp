#include "limbeck/run/identity.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "limbeck/config/resolve.h"
#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/core/json.h"

namespace limbeck {
namespace {

using config::Node;
using nlohmann::json;

/// A scalar without quotes is a boolean or a number if it is written like one, else text.
json to_json(const Node& node) {
  if (node.kind == Node::Kind::null) return nullptr;
  if (node.kind == Node::Kind::list) {
    json list = json::array();
    for (const Node& item : node.items) list.push_back(to_json(item));
    return list;
  }
  if (node.is_map()) {
    json map = json::object();
    for (const auto& [key, where, value] : node.entries) {
      json inner = to_json(value);
      const bool is_nothing = inner.is_null() || (inner.is_object() && inner.empty());
      if (!is_nothing) map[key] = std::move(inner);
    }
    return map;
  }
  if (!node.quoted) {
    const json value = parse_json_if_sound<json>(node.scalar);
    if (value.is_boolean() || value.is_number()) return value;
  }
  return node.scalar;
}

Node to_node(const json& value) {
  if (value.is_null()) return {};
  if (value.is_string()) {
    Node text = Node::make_scalar(value.get<std::string>(), {});
    text.quoted = true;
    return text;
  }
  if (value.is_number_float()) return Node::make_scalar(shortest(value.get<double>()), {});
  if (!value.is_structured()) return Node::make_scalar(value.dump(), {});
  Node node = Node::make_map({});
  if (value.is_array()) node.kind = Node::Kind::list;
  for (const auto& [key, inner] : value.items()) {
    if (value.is_array()) {
      node.items.push_back(to_node(inner));
    } else {
      node.entries.push_back({key, {}, to_node(inner)});
    }
  }
  return node;
}

std::string dump(const json& value, int indent) { return json_text(value, indent); }

/// Through the text, so that what is kept is what will be read back.
Node canonical(const Node& facts) { return to_node(parse_json<json>(dump(to_json(facts), -1))); }

json to_json(const Identity& identity) {
  return {{"kind", identity.kind()},
          {"format", identity.format_version()},
          {"facts", to_json(identity.facts())}};
}

}  // namespace

Identity::Identity(std::string kind, int64_t format_version, const Node& facts)
    : kind_(std::move(kind)), format_version_(format_version), facts_(canonical(facts)) {}

void Identity::set(const std::string& key, const Node& value) {
  Node* node = &facts_;
  for (size_t start = 0; start <= key.size();) {
    const size_t dot = std::min(key.find('.', start), key.size());
    if (!node->is_map()) *node = Node::make_map({});
    node = &node->child(key.substr(start, dot - start), {});
    start = dot + 1;
  }
  *node = value;
  facts_ = canonical(facts_);
}

void Identity::set(const std::string& key, const std::string& text) {
  Node node = Node::make_scalar(text, {});
  node.quoted = true;
  set(key, node);
}

void Identity::set(const std::string& key, const std::vector<std::string>& texts) {
  set(key, to_node(json(texts)));
}

void Identity::set(const std::string& key, double number) {
  set(key, Node::make_scalar(shortest(number), {}));
}

std::string Identity::text() const { return dump(to_json(*this), 2) + "\n"; }

Identity Identity::parse(const std::string& text, const std::string& source) {
  try {
    const json all = parse_json<json>(text);
    const json& facts = all.at("facts");
    if (!facts.is_object()) throw DataError(source + ": is no identity: facts is not an object");
    return {all.at("kind").get<std::string>(), all.at("format").get<int64_t>(), to_node(facts)};
  } catch (const json::exception& e) {
    throw DataError(source + ": is no identity: " + e.what());
  }
}

std::string Identity::hash() const {
  const std::string all = dump(to_json(*this), -1);
  return hash_bytes(all.data(), all.size());
}

std::vector<std::string> Identity::differences(const Identity& planned) const {
  std::vector<std::string> found;
  if (kind_ != planned.kind_) found.push_back("kind: " + kind_ + " → " + planned.kind_);
  if (format_version_ != planned.format_version_) {
    found.push_back(format("format: %d → %d", format_version_, planned.format_version_));
  }
  for (std::string& fact : config::differences(facts_, planned.facts_)) {
    found.push_back(std::move(fact));
  }
  return found;
}

}  // namespace limbeck
