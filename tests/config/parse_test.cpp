#include <gmock/gmock.h>

#include "config/sample.h"
#include "limbeck/core/error.h"

namespace limbeck::config::test {
namespace {

using ::testing::ElementsAre;

TEST(ParseYaml, KeepsKindsOrderAndPlaces) {
  const Node root = sound("b: 1\na:\n  - x\n  - {c: 'y z'}\nn: ~\n");
  EXPECT_EQ(tree(root), "{b=plain 1:1,a=[plain 1:x,{c=text 3:y z,},],n=null,}");
  EXPECT_EQ(root.find("a")->items[1].find("c")->where.text(), "f.yaml:4:9");
  EXPECT_EQ(root.entries[1].key_where.text(), "f.yaml:2:1");
  EXPECT_EQ(root.find("c"), nullptr);
}

TEST(ParseYaml, EmptyTextIsAnEmptyMap) {
  EXPECT_EQ(tree(sound("")), "{}");
  EXPECT_EQ(tree(sound("\n# nothing\n")), "{}");
  EXPECT_EQ(tree(sound("null")), "null");
}

TEST(ParseYaml, TellsTextFromNumber) {
  EXPECT_EQ(tree(sound("a: 5\nb: '5'\nc: \"5\"\nd: |\n  5\n")),
            "{a=plain 1:5,b=text 1:5,c=text 1:5,d=text 2:5\n,}");
}

TEST(ParseYaml, AliasesAreCopiesThatKnowTheirPlace) {
  Node root = sound("a: &x {v: [1, 2]}\nb: *x\nc: *x\n");
  EXPECT_EQ(tree(root),
            "{a={v=[plain 1:1,plain 1:2,],},b={v=[plain 1:1,plain 1:2,],},c={v=[plain 1:1,plain "
            "1:2,],},}");
  EXPECT_EQ(root.find("b")->where.text(), "f.yaml:2:4");
  root.find("b")->find("v")->items[0].scalar = "9";
  EXPECT_EQ(root.find("a")->find("v")->items[0].scalar, "1")
      << "yaml-cpp's own nodes would share it";
  EXPECT_EQ(root.find("c")->find("v")->items[0].scalar, "1");
}

TEST(ParseYaml, AnAnchorInsideItselfEnds) {
  Diagnostics diagnostics;
  EXPECT_EQ(tree(parse_yaml("a: &x [1, *x]\n", "f.yaml", diagnostics)), "{a=[plain 1:1,null,],}");
}

TEST(ParseYaml, QuotedMergeKeyIsAKey) { EXPECT_EQ(tree(sound("'<<': 1")), "{<<=plain 1:1,}"); }

TEST(ParseYaml, DeepNestingIsAnErrorNotACrash) {
  Diagnostics diagnostics;
  parse_yaml(std::string(100000, '['), "f.yaml", diagnostics);
  ASSERT_EQ(diagnostics.messages().size(), 1U);
  EXPECT_TRUE(diagnostics.incomplete());
  EXPECT_THAT(diagnostics.messages()[0], ::testing::StartsWith("f.yaml:"));
}

TEST(ParseYaml, ReportsEverySecondKey) {
  Diagnostics diagnostics;
  const Node root = parse_yaml("a: 1\nb: {c: 1, c: 2}\na: 2\na: 3\n", "f.yaml", diagnostics);
  EXPECT_THAT(diagnostics.messages(),
              ElementsAre("f.yaml:2:11: b.c: key given twice; first at f.yaml:2:5",
                          "f.yaml:3:1: a: key given twice; first at f.yaml:1:1",
                          "f.yaml:4:1: a: key given twice; first at f.yaml:1:1"));
  EXPECT_EQ(tree(root), "{a=plain 1:1,b={c=plain 1:1,},}");
}

TEST(Node, MergeGoesIntoMapsOnly) {
  Node base = sound("a: {x: 1, y: [1, 2]}\nb: 1\nc: {z: 1}\n");
  merge(base, sound("a: {y: [3], w: 4}\nb: {q: 1}\nc: 7\nd: 8\n"));
  EXPECT_EQ(
      tree(base),
      "{a={x=plain 1:1,y=[plain 1:3,],w=plain 1:4,},b={q=plain 1:1,},c=plain 1:7,d=plain 1:8,}");
}

TEST(Node, DescribesItself) {
  const Node root = sound("a: []\nb: {}\nc: x\nd: 'x'\ne:\n");
  std::vector<std::string> texts;
  for (const auto& entry : root.entries) texts.push_back(entry.value.describe());
  EXPECT_THAT(texts, ElementsAre("a list", "a map", "'x'", "the text 'x'", "nothing"));
}

TEST(Diagnostics, KeepsAMessageOnce) {
  Diagnostics diagnostics;
  EXPECT_NO_THROW(diagnostics.throw_if_any());
  diagnostics.add({"f.yaml", 3, 5}, "a.b", "is wrong");
  diagnostics.add({"f.yaml", 3, 5}, "a.b", "is wrong");
  diagnostics.add({"--set x", 0, 0}, "", "is wrong");
  EXPECT_EQ(error_of<ConfigError>([&] { diagnostics.throw_if_any(); }),
            "f.yaml:3:5: a.b: is wrong\n--set x: is wrong");
}

TEST(Read, LeavesDefaultsWhereNothingIsWritten) {
  const Sample sample = read_sample("name: a\ntrain: {lr: 0.5}\n");
  EXPECT_EQ(sample.train.lr, 0.5);
  EXPECT_EQ(sample.train.steps, 1000);
  EXPECT_EQ(sample.train.schedule.shape, "cosine");
  EXPECT_THAT(sample.seeds, ElementsAre(1));
}

TEST(Read, TakesEveryWayToWriteANumber) {
  EXPECT_EQ(read_sample("{name: a, train: {lr: 1e-3}}").train.lr, 1e-3);
  EXPECT_EQ(read_sample("{name: a, train: {lr: .5}}").train.lr, 0.5);
  EXPECT_EQ(read_sample("{name: a, train: {lr: +2}}").train.lr, 2);
  EXPECT_EQ(read_sample("{name: a, train: {lr: 0.25}}").train.lr, 0.25);
  EXPECT_EQ(read_sample("{name: a, train: {dropout: 0}}").train.dropout, 0);
  EXPECT_EQ(read_sample("{name: a, threads: +9223372036854775807}").threads, INT64_MAX);
  EXPECT_EQ(read_sample("{name: a, train: {dropout: -0}}").train.dropout, 0);
}

TEST(Read, TakesAnyScalarAsText) {
  EXPECT_EQ(read_sample("name: 5").name, "5");
  EXPECT_EQ(read_sample("name: 010").name, "010");
  EXPECT_EQ(read_sample("name: true").name, "true");
  EXPECT_EQ(read_sample("name: 'null'").name, "null");
  EXPECT_EQ(read_sample("name: ''").name, "");
}

TEST(Read, AListReplacesTheDefaultWhole) {
  EXPECT_THAT(read_sample("{name: a, seeds: [7, 8]}").seeds, ElementsAre(7, 8));
  EXPECT_THAT(read_sample("{name: a, seeds: []}").seeds, ElementsAre());
}

TEST(Read, GivesAComponentItsOwnOptions) {
  const Sample sample = read_sample(
      "name: a\ndistill:\n  - {name: distance, order: 1, weight: 3}\n  - {name: cosine, centred: "
      "true}\n");
  ASSERT_EQ(sample.distill.size(), 2U);
  EXPECT_EQ(sample.distill[0].chosen.name(), "distance");
  EXPECT_EQ(dynamic_cast<const Distance&>(*sample.distill[0].chosen).order, 1);
  EXPECT_EQ(sample.distill[0].weight, 3);
  EXPECT_TRUE(dynamic_cast<const Cosine&>(*sample.distill[1].chosen).centred);
  EXPECT_EQ(sample.distill[1].weight, 1);
}

TEST(Read, NothingChosenIsAnErrorWhereItIsUsed) {
  const Chosen nothing;
  EXPECT_THROW(*nothing, ConfigError);
  EXPECT_THROW(nothing.as<ComponentOptions>(), ConfigError);
}

TEST(Read, ChosenOptionsAreCopiedDeeply) {
  Sample sample = read_sample("name: a\ndistill: [{name: distance, order: 4}]\n");
  const Sample copy = sample;
  dynamic_cast<Distance&>(*sample.distill[0].chosen.get()).order = 9;
  EXPECT_EQ(dynamic_cast<const Distance&>(*copy.distill[0].chosen).order, 4);
}

TEST(Read, PathsBeginWithTheOneGiven) {
  Diagnostics diagnostics;
  read<Schedule>(sound("shap: cosine"), diagnostics, "teachers.t");
  EXPECT_THAT(diagnostics.messages(),
              ElementsAre("f.yaml:1:1: teachers.t.shap: unknown key; did you mean 'shape'?"));
}

}  // namespace
}  // namespace limbeck::config::test
