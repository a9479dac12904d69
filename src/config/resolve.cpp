#include "limbeck/config/resolve.h"

#include <algorithm>
#include <charconv>

#include "config/length_keys.h"
#include "config/limits.h"
#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/core/home_folder.h"

namespace limbeck::config {
namespace fs = std::filesystem;
namespace {

const std::string kSet = "--set ";  // how the places of its values begin

class FileLoader {
 public:
  explicit FileLoader(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  Node load(const fs::path& path, const Location& named_at) {
    const std::string name = path.lexically_normal().string();
    if (std::find(open_.begin(), open_.end(), name) != open_.end()) {
      diagnostics_.add(named_at, "extends",
                       "'" + name + "' extends itself: " + join(open_, " → ") + " → " + name);
      diagnostics_.mark_incomplete();
      return Node::make_map(named_at);
    }
    if (++loaded_ > kMaxFiles) {
      if (loaded_ == kMaxFiles + 1) {
        diagnostics_.add(
            named_at, "extends",
            format("more than %d files are to be read, each as often as it is named", kMaxFiles));
        diagnostics_.mark_incomplete();
      }
      return Node::make_map(named_at);
    }
    std::string text;
    try {
      text = read_file(path);
    } catch (const DataError& e) {
      diagnostics_.add(named_at, "", e.what());
      diagnostics_.mark_incomplete();
      return Node::make_map(named_at);
    }
    Node root = parse_yaml(text, name, diagnostics_);
    const bool had_room = nodes_ <= kMaxNodes;
    nodes_ += nodes_in(root);
    if (nodes_ > kMaxNodes) {
      if (had_room) {
        diagnostics_.add(named_at, "extends",
                         format("more than %d values in all files that are to be read, each as "
                                "often as it is named",
                                kMaxNodes));
        diagnostics_.mark_incomplete();
      }
      return Node::make_map(named_at);
    }
    if (root.kind == Node::Kind::null) return Node::make_map(root.where);  // a "---" alone
    if (!root.is_map()) {
      diagnostics_.mark_incomplete();
      diagnostics_.add(root.where, "", "a configuration file holds a map, not " + root.describe());
      return Node::make_map(root.where);
    }
    open_.push_back(name);
    extend(root, path.parent_path());
    open_.pop_back();
    return root;
  }

 private:
  /// Replaces every `extends` in the tree by what it names.
  void extend(Node& node, const fs::path& folder) {
    for (Node& item : node.items) extend(item, folder);
    for (auto& entry : node.entries) {
      if (entry.key != "extends") extend(entry.value, folder);
    }
    const Node* extends = node.find("extends");
    if (!extends) return;
    Node merged = Node::make_map(node.where);
    if (extends->kind != Node::Kind::list) {
      diagnostics_.mark_incomplete();
      diagnostics_.add(extends->where, "extends",
                       "expected a list of files, found " + extends->describe());
    }
    for (const Node& base : extends->items) {
      if (base.kind != Node::Kind::scalar) {
        diagnostics_.add(base.where, "extends", "expected a file, found " + base.describe());
      } else {
        merge(merged, load(folder / in_home(base.scalar), base.where));
      }
    }
    node.erase("extends");
    merge(merged, node);
    node = std::move(merged);
  }

  Diagnostics& diagnostics_;
  std::vector<std::string> open_;
  size_t loaded_ = 0;
  size_t nodes_ = 0;
};

std::vector<std::string> split_key(const std::string& key) {
  std::vector<std::string> parts;
  size_t start = 0;
  while (true) {
    const size_t dot = key.find('.', start);
    parts.push_back(key.substr(start, dot - start));
    if (dot == std::string::npos) return parts;
    start = dot + 1;
  }
}

/// A value from the command line has no lines of its own.
void place_at(Node& node, const Location& where) {
  node.where = where;
  for (Node& item : node.items) place_at(item, where);
  for (auto& entry : node.entries) {
    entry.key_where = where;
    place_at(entry.value, where);
  }
}

/// `map` is about to choose another component: the options of the one before go, those that
/// another `--set` gave excepted, wherever it stands.
void forget_options(Node& map) {
  std::erase_if(map.entries, [](const Node::Entry& entry) {
    return !entry.value.where.source.starts_with(kSet);
  });
}

void apply_set(Node& root, const std::string& argument, Diagnostics& diagnostics) {
  const Location where{kSet + argument, 0, 0};
  const size_t equals = argument.find('=');
  if (equals == std::string::npos || equals == 0) {
    diagnostics.add(where, "", "expected KEY=VALUE");
    return;
  }
  const std::string key = argument.substr(0, equals);
  const std::string text = argument.substr(equals + 1);
  Node value;
  if (text.empty()) {
    value = Node::make_scalar("", where);
    value.quoted = true;
  } else {
    Diagnostics inner;
    value = parse_yaml(text, "value", inner);
    for (const std::string& message : inner.messages()) diagnostics.add(where, key, message);
    if (!inner.empty()) {
      diagnostics.mark_incomplete();
      return;
    }
    place_at(value, where);
  }
  set_at(root, key, value, diagnostics);
}

std::string shown(const Node* node) { return node ? to_flow_yaml(*node) : "(not set)"; }

bool holds_maps(const Node& node) {
  return node.kind == Node::Kind::list &&
         std::any_of(node.items.begin(), node.items.end(),
                     [](const Node& item) { return item.is_map(); });
}

void collect_differences(const Node* before, const Node* after, const std::string& path,
                         std::vector<std::string>& found) {
  if (before && after && before->is_map() && after->is_map()) {
    for (const auto& entry : before->entries) {
      collect_differences(&entry.value, after->find(entry.key),
                          path.empty() ? entry.key : path + "." + entry.key, found);
    }
    for (const auto& entry : after->entries) {
      if (before->find(entry.key)) continue;
      collect_differences(nullptr, &entry.value, path.empty() ? entry.key : path + "." + entry.key,
                          found);
    }
    return;
  }
  if (before && after && holds_maps(*before) && holds_maps(*after) &&
      before->items.size() == after->items.size()) {
    for (size_t i = 0; i < before->items.size(); ++i) {
      collect_differences(&before->items[i], &after->items[i], path + "." + std::to_string(i),
                          found);
    }
    return;
  }
  const std::string old_text = shown(before);
  const std::string new_text = shown(after);
  if (old_text != new_text) found.push_back(path + ": " + old_text + " → " + new_text);
}

}  // namespace

Node resolve(const std::vector<fs::path>& files, const std::vector<std::string>& sets,
             Diagnostics& diagnostics) {
  Node root = Node::make_map({files.empty() ? "configuration" : files.front().string(), 0, 0});
  FileLoader loader(diagnostics);
  for (const fs::path& file : files) {
    const Location named_at{"command line", 0, 0};
    merge(root, loader.load(file, named_at));
  }
  if (depth_of(root) > kMaxDepth) {
    diagnostics.add(root.where, "extends",
                    format("what the files make together nests deeper than %d levels", kMaxDepth));
    diagnostics.mark_incomplete();
    return Node::make_map(root.where);
  }
  for (const std::string& argument : sets) apply_set(root, argument, diagnostics);
  return root;
}

void set_at(Node& root, const std::string& key, const Node& value, Diagnostics& diagnostics) {
  const Location& where = value.where;
  Node* node = &root;
  Node* map = nullptr;  // the one that holds it
  std::string path;
  const std::vector<std::string> parts = split_key(key);
  if (parts.size() > kMaxDepth) {
    diagnostics.add(where, "", format("a key of more than %d parts", kMaxDepth));
    return;
  }
  for (const std::string& part : parts) {
    path += (path.empty() ? "" : ".") + part;
    if (part.empty()) {
      diagnostics.add(where, key, "an empty part in the key");
      return;
    }
    if (node->kind == Node::Kind::list) {
      size_t index = 0;
      const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), index);
      if (error != std::errc() || end != part.data() + part.size() || index >= node->items.size()) {
        diagnostics.add(where, path,
                        format("expected the index of one of %d items", node->items.size()));
        return;
      }
      node = &node->items[index];
      continue;
    }
    if (!node->is_map()) {
      if (node->kind != Node::Kind::null) {
        diagnostics.add(where, path, "lies below " + node->describe() + ", which has no keys");
        return;
      }
      *node = Node::make_map(where);
    }
    map = node;
    node = &node->child(part, where);
  }
  if (key.ends_with(".type") && map != nullptr && value.kind == Node::Kind::scalar &&
      node->kind == Node::Kind::scalar && node->scalar != value.scalar) {
    forget_options(*map);
    node = &map->child("type", where);
  }
  const std::string last = path.substr(path.rfind('.') + 1);
  const std::string rival = rival_key(last, value);
  const Node* given = map != nullptr ? map->find(rival) : nullptr;
  if (given != nullptr && !given->where.source.starts_with(kSet)) {
    map->erase(rival);
    node = &map->child(last, where);
  }
  merge(*node, value);
  node->where = where;
}

std::vector<std::string> differences(const Node& before, const Node& after) {
  std::vector<std::string> found;
  collect_differences(&before, &after, "", found);
  return found;
}

}  // namespace limbeck::config
