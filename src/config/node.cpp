#include "limbeck/config/node.h"

#include <algorithm>
#include <cctype>

#include "config/length_keys.h"
#include "config/limits.h"
#include "limbeck/core/format.h"

namespace limbeck::config {

Node Node::make_map(Location where) {
  Node node;
  node.kind = Kind::map;
  node.where = std::move(where);
  return node;
}

Node Node::make_scalar(std::string text, Location where) {
  Node node;
  node.kind = Kind::scalar;
  node.scalar = std::move(text);
  node.where = std::move(where);
  return node;
}

const Node* Node::find(std::string_view key) const {
  for (const Entry& entry : entries) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

Node* Node::find(std::string_view key) {
  return const_cast<Node*>(static_cast<const Node*>(this)->find(key));
}

Node& Node::child(const std::string& key, const Location& key_where) {
  if (Node* found = find(key)) return *found;
  Node value;
  value.where = key_where;
  entries.push_back({key, key_where, std::move(value)});
  return entries.back().value;
}

void Node::erase(std::string_view key) {
  std::erase_if(entries, [&](const Entry& entry) { return entry.key == key; });
}

std::string Node::describe() const {
  switch (kind) {
    case Kind::null:
      return "nothing";
    case Kind::list:
      return "a list";
    case Kind::map:
      return "a map";
    case Kind::scalar:
      return quoted ? "the text '" + scalar + "'" : "'" + scalar + "'";
  }
  return "";
}

size_t nodes_in(const Node& node) {
  constexpr size_t kLongText = 100;
  size_t nodes = 1 + node.scalar.size() / kLongText;
  for (const Node& item : node.items) nodes += nodes_in(item);
  for (const Node::Entry& entry : node.entries) {
    nodes += entry.key.size() / kLongText + nodes_in(entry.value);
  }
  return nodes;
}

size_t depth_of(const Node& node) {
  size_t below = 0;
  for (const Node& item : node.items) below = std::max(below, depth_of(item));
  for (const Node::Entry& entry : node.entries) below = std::max(below, depth_of(entry.value));
  return 1 + below;
}

bool choose_differently(const Node& base, const Node& over) {
  const Node* before = base.find("type");
  const Node* after = over.find("type");
  return before && after && before->kind == Node::Kind::scalar &&
         after->kind == Node::Kind::scalar && before->scalar != after->scalar;
}

void merge(Node& base, const Node& over) {
  if (!base.is_map() || !over.is_map() || choose_differently(base, over)) {
    base = over;
    return;
  }
  for (const Node::Entry& entry : over.entries) {
    const std::string rival = rival_key(entry.key, entry.value);
    if (over.find(rival) == nullptr) base.erase(rival);
    if (Node* below = base.find(entry.key)) {
      merge(*below, entry.value);
    } else {
      base.entries.push_back(entry);
    }
  }
}

namespace {

/// Nothing in the text means anything to YAML, within a flow list neither.
bool is_safe(const std::string& text) {
  const bool is_mark = text == "-" || text == "---" || text == "...";
  return !text.empty() && !is_mark && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) ||
           std::string_view("_./+-").find(static_cast<char>(c)) != std::string_view::npos;
  });
}

bool is_plain(const std::string& text) {
  for (const char* word :
       {"null", "Null", "NULL", "true", "false"}) {  // YAML's nulls, our booleans
    if (text == word) return false;
  }
  // A number or a boolean written without quotes is one; text that looks like it needs them.
  const bool starts_well =
      !text.empty() && (std::isalpha(static_cast<unsigned char>(text[0])) || text[0] == '_' ||
                        text[0] == '/' || text.starts_with("./") || text.starts_with("../"));
  return starts_well && is_safe(text);
}

std::string scalar_yaml(const Node& node) {
  // A number or a boolean is safe; what is not is text, and may be quoted even if it was not.
  if (node.quoted ? is_plain(node.scalar) : is_safe(node.scalar)) return node.scalar;
  std::string text = "\"";
  for (const char c : node.scalar) {
    if (c == '\n') {
      text += "\\n";
    } else if (c == '\t') {
      text += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      text += format("\\x%02x", static_cast<unsigned>(c));
    } else {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
  }
  return text + '"';
}

std::string key_yaml(const std::string& key) {
  Node node = Node::make_scalar(key, {});
  node.quoted = true;
  return scalar_yaml(node);
}

bool is_flow(const Node& node) {
  return node.kind == Node::Kind::scalar || node.kind == Node::Kind::null ||
         (node.kind == Node::Kind::list &&
          std::all_of(node.items.begin(), node.items.end(),
                      [](const Node& n) { return n.kind == Node::Kind::scalar; })) ||
         (node.is_map() && node.entries.empty());
}

void write(const Node& node, size_t indent, bool first_on_line, std::string& out) {
  const std::string space(indent, ' ');
  if (node.is_map()) {
    for (const Node::Entry& entry : node.entries) {
      if (!first_on_line) out += space;
      first_on_line = false;
      out += key_yaml(entry.key) + ":";
      if (is_flow(entry.value)) {
        out += " " + to_flow_yaml(entry.value) + "\n";
      } else {
        out += "\n";
        write(entry.value, indent + 2, false, out);
      }
    }
    return;
  }
  for (const Node& item : node.items) {
    out += space + "- ";
    if (is_flow(item)) {
      out += to_flow_yaml(item) + "\n";
    } else if (item.is_map()) {
      write(item, indent + 2, true, out);
    } else {
      out += "\n";
      write(item, indent + 2, false, out);
    }
  }
}

}  // namespace

std::string to_flow_yaml(const Node& node) {
  if (node.kind == Node::Kind::scalar) return scalar_yaml(node);
  if (node.kind == Node::Kind::null) return "null";
  std::vector<std::string> parts;
  for (const Node& item : node.items) parts.push_back(to_flow_yaml(item));
  for (const Node::Entry& entry : node.entries) {
    parts.push_back(key_yaml(entry.key) + ": " + to_flow_yaml(entry.value));
  }
  return node.is_map() ? "{" + join(parts, ", ") + "}" : "[" + join(parts, ", ") + "]";
}

std::string to_yaml(const Node& node) {
  if (is_flow(node)) return to_flow_yaml(node) + "\n";
  std::string out;
  write(node, 0, false, out);
  return out;
}

}  // namespace limbeck::config
