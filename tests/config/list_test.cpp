// Lists of structs of which one may stand alone.
#include <gtest/gtest.h>

#include "limbeck/config/reader.h"
#include "limbeck/core/error.h"

namespace limbeck::config::test {
namespace {

struct Item {
  std::string name;
  int64_t size = 1;
  void describe(Visitor& v) {
    v.value("name", name, "its name", any().required());
    v.value("size", size, "its size");
  }
};

struct Box {
  std::vector<Item> items;
  void describe(Visitor& v) { v.list("items", items, "what is in it", any().or_one()); }
};

std::string error_of(const std::string& yaml) {
  try {
    read_text<Box>(yaml, "f.yaml");
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(Lists, OfOneMayBeWrittenAsThatOne) {
  const Box box = read_text<Box>("items: {name: a, size: 3}", "f.yaml");
  ASSERT_EQ(box.items.size(), 1U);
  EXPECT_EQ(box.items[0].size, 3);
  EXPECT_EQ(to_yaml(to_node(box)), "items:\n  - name: a\n    size: 3\n");
  EXPECT_EQ(read_text<Box>("items: [{name: a}, {name: b}]", "f.yaml").items.size(), 2U);
}

TEST(Lists, SayWhatIsWrongWithTheOne) {
  EXPECT_EQ(error_of("items: {name: a, sice: 3}"),
            "f.yaml:1:18: items.sice: unknown key; did you mean 'size'?");
  EXPECT_NE(error_of("items: a").find("f.yaml:1:8: items: expected a map, found 'a'"),
            std::string::npos);
  EXPECT_NE(help_text<Box>().find("one may stand without a list"), std::string::npos);
}

struct Later {
  Node map, list;
  void describe(Visitor& v) {
    v.value("map", map, "is read later");
    v.value("list", list, "so is this", any().or_one());
  }
};

TEST(Lists, MayBeReadLater) {
  const Later later = read_text<Later>("list: [a, [b, c]]", "f.yaml");
  ASSERT_EQ(later.list.items.size(), 2U);
  EXPECT_EQ(later.list.items[1].items[1].scalar, "c");
  EXPECT_EQ(read_text<Later>("list: {a: 1}", "f.yaml").list.entries.size(), 1U);
  const auto wrong = [](const std::string& yaml) {
    Diagnostics diagnostics;
    read<Later>(parse_yaml(yaml, "f.yaml", diagnostics), diagnostics);
    return diagnostics.messages();
  };
  EXPECT_EQ(wrong("list: a"),
            std::vector<std::string>{"f.yaml:1:7: list: expected a list, found 'a'"});
  EXPECT_EQ(wrong("map: [a]"),
            std::vector<std::string>{"f.yaml:1:6: map: expected a map, found a list"});
  EXPECT_NE(help_text<Later>().find("list: list; default []"), std::string::npos);
}

TEST(Flow, IsOneLineThatReadsBack) {
  Diagnostics diagnostics;
  const std::string text = "{a: 1, \"b c\": [x, {y: \"2\"}], d: {}, e: [], f: null}";
  const Node node = parse_yaml(text, "f.yaml", diagnostics);
  EXPECT_TRUE(diagnostics.empty());
  EXPECT_EQ(to_flow_yaml(node), text);
}

}  // namespace
}  // namespace limbeck::config::test
