// Builds our own tree from yaml-cpp's events: its own Node accepts duplicate keys and loses the
// places.
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <map>
#include <sstream>

#include "limbeck/config/node.h"

namespace limbeck::config {
namespace {

class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(const std::string& source, Diagnostics& diagnostics)
      : source_(source), diagnostics_(diagnostics) {}

  Node take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Node node;
    node.where = location(mark);
    place(std::move(node), anchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    check_tag(mark, tag);
    Node node = Node::make_scalar(value, location(mark));
    node.quoted = tag == "!";
    place(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Node copy = anchors_[anchor];
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

  void open(Node::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
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
    if (anchor != 0) anchors_[anchor] = node;
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
  Node root_;
};

}  // namespace

Node parse_yaml(const std::string& text, const std::string& source, Diagnostics& diagnostics) {
  TreeBuilder builder(source, diagnostics);
  try {
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
    diagnostics.add({source, e.mark.line + 1, e.mark.column + 1}, "", "not valid YAML: " + e.msg);
    diagnostics.mark_incomplete();
    return Node::make_map({source, 1, 1});
  }
}

}  // namespace limbeck::config
