// Builds our own tree from yaml-cpp's events: its own Node accepts duplicate keys and loses the
// places.
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <string_view>

#include "config/limits.h"
#include "limbeck/config/node.h"
#include "limbeck/core/format.h"

namespace limbeck::config {
namespace {

/// Ends reading: what is asked for is out of all proportion.
struct TooLarge {
  YAML::Mark mark;
  std::string message;
};

class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(const std::string& source, Diagnostics& diagnostics)
      : source_(source), diagnostics_(diagnostics) {}

  Node take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    count(mark, 1);
    Node node;
    node.where = location(mark);
    place(std::move(node), anchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    count(mark, 1);
    check_tag(mark, tag);
    Node node = Node::make_scalar(value, location(mark));
    node.quoted = tag == "!";
    place(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const Node& meant = anchors_[anchor];
    count(mark, nodes_in(meant));
    require_depth(mark, open_.size() + depth_of(meant));
    Node copy = meant;
    copy.where = location(mark);
    place(std::move(copy), 0);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    check_tag(mark, tag);
    open(Node::Kind::list, mark, anchor);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    check_tag(mark, tag);
    open(Node::Kind::map, mark, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    Node node;
    YAML::anchor_t anchor;
    bool has_key = false;
    bool key_is_good = true;
    std::string key;
    Location key_where;
  };

  Location location(const YAML::Mark& mark) const {
    return {source_, mark.line + 1, mark.column + 1};
  }

  void check_tag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    diagnostics_.add(location(mark), "", "YAML tags are not used here ('" + tag + "')");
  }

  /// Aliases make much of little: each is a copy.
  void count(const YAML::Mark& mark, size_t nodes) {
    nodes_ += nodes;
    if (nodes_ > kMaxNodes) {
      throw TooLarge{mark, format("more than %d values, aliases written out", kMaxNodes)};
    }
  }

  void require_depth(const YAML::Mark& mark, size_t depth) {
    if (depth > kMaxDepth) {
      throw TooLarge{mark, format("nested deeper than %d levels", kMaxDepth)};
    }
  }

  void open(Node::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    require_depth(mark, open_.size() + 1);
    count(mark, 1);
    Open next;
    next.node.kind = kind;
    next.node.where = location(mark);
    next.anchor = anchor;
    open_.push_back(std::move(next));
  }

  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    place(std::move(done.node), done.anchor);
  }

  void place(Node node, YAML::anchor_t anchor) {
    if (anchor != 0) {
      count({}, nodes_in(node));
      anchors_[anchor] = node;
    }
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == Node::Kind::list) {
      parent.node.items.push_back(std::move(node));
    } else if (!parent.has_key) {
      take_key(parent, node);
    } else {
      // yaml-cpp places an absent value at whatever comes next.
      const bool absent = node.kind == Node::Kind::null && node.where.line != parent.key_where.line;
      if (absent) node.where = parent.key_where;
      if (!parent.key_is_good) {
        // said already; kept, it would be an unknown key as well
      } else if (parent.node.find(parent.key)) {
        diagnostics_.add(
            parent.key_where, path(),
            "key given twice; first at " + key_location(parent.node, parent.key).text());
      } else {
        parent.node.entries.push_back({parent.key, parent.key_where, std::move(node)});
      }
      parent.has_key = false;
    }
  }

  void take_key(Open& parent, const Node& node) {
    parent.key_is_good = false;
    if (node.kind != Node::Kind::scalar) {
      diagnostics_.add(node.where, path(), "a key must be a plain word, not " + node.describe());
    } else if (node.scalar.size() > kMaxKeyBytes) {
      diagnostics_.add(node.where, path(), format("a key of more than %d bytes", kMaxKeyBytes));
    } else if (node.scalar == "<<" && !node.quoted) {
      diagnostics_.add(node.where, path(), "YAML merge keys are not used here; use 'extends'");
    } else {
      parent.key_is_good = true;
    }
    parent.has_key = true;
    parent.key = node.scalar;
    parent.key_where = node.where;
  }

  static Location key_location(const Node& map, const std::string& key) {
    for (const auto& entry : map.entries) {
      if (entry.key == key) return entry.key_where;
    }
    return {};
  }

  /// Dotted path of the key being read.
  std::string path() const {
    std::string text;
    for (const Open& level : open_) {
      if (!level.has_key) continue;
      text += (text.empty() ? "" : ".") + level.key;
    }
    return text;
  }

  std::string source_;
  Diagnostics& diagnostics_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Node> anchors_;
  size_t nodes_ = 0;
  Node root_;
};

/// The last line up to `line` (from 1) that a tab indents, and the tab's column; 0 if there is
/// none.
std::pair<int, int> indenting_tab(std::string_view text, int line) {
  std::pair<int, int> found = {0, 0};
  for (int at = 1; at <= line && !text.empty(); ++at) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view written = text.substr(0, end);
    const size_t first = std::min(written.find_first_not_of(" \t\r"), written.size());
    const size_t tab = written.find('\t');
    if (tab < first && first < written.size()) found = {at, static_cast<int>(tab) + 1};
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return found;
}

void say_why(const YAML::ParserException& e, const std::string& text, const std::string& source,
             Diagnostics& diagnostics) {
  const int line = e.mark.line + 1;
  const auto [tab_line, tab_column] = indenting_tab(text, line);
  if (tab_line > 0 && tab_line >= line - 1) {
    diagnostics.add({source, tab_line, tab_column}, "",
                    "YAML does not allow tabs for indentation; use spaces");
  } else {
    diagnostics.add({source, line, e.mark.column + 1}, "", "not valid YAML: " + e.msg);
  }
}

}  // namespace

Node parse_yaml(const std::string& text, const std::string& source, Diagnostics& diagnostics) {
  TreeBuilder builder(source, diagnostics);
  try {
    if (text.size() > kMaxBytes) throw TooLarge{{}, "more than 4 MiB of configuration"};
    std::istringstream all(text);
    if (!YAML::Parser(all)) return Node::make_map({source, 1, 1});
    // yaml-cpp takes the end of the file for the end of a quote: a forgotten one would swallow
    // every key below it. It does not take the end of a document for one.
    std::istringstream in(text + (text.ends_with('\n') ? "...\n" : "\n...\n"));
    YAML::Parser parser(in);
    parser.HandleNextDocument(builder);
    Node root = builder.take();
    TreeBuilder rest(source, diagnostics);
    if (parser.HandleNextDocument(rest)) {
      diagnostics.add(rest.take().where, "", "a second YAML document; only one is read");
    }
    return root;
  } catch (const YAML::ParserException& e) {
    say_why(e, text, source, diagnostics);
  } catch (const TooLarge& e) {
    diagnostics.add({source, e.mark.line + 1, e.mark.column + 1}, "", e.message);
  }
  diagnostics.mark_incomplete();
  return Node::make_map({source, 1, 1});
}

}  // namespace limbeck::config
