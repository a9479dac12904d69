#include <gmock/gmock.h>

#include "config/sample.h"
#include "limbeck/core/error.h"

namespace limbeck::config::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Resolve : public ::testing::Test {
 protected:
  /// The merged tree; messages lose the folder's name.
  std::string tree_of(const std::vector<std::string>& files,
                      const std::vector<std::string>& sets = {}) {
    std::vector<std::filesystem::path> paths;
    for (const auto& file : files) paths.push_back(scratch_ / file);
    Diagnostics diagnostics;
    const std::string text = tree(resolve(paths, sets, diagnostics));
    messages_ = diagnostics.messages();
    for (std::string& message : messages_) message = shortened(message);
    return text;
  }

  std::string shortened(std::string message) const {
    const std::string folder = scratch_.path().string() + "/";
    for (size_t at = message.find(folder); at != std::string::npos; at = message.find(folder)) {
      message.erase(at, folder.size());
    }
    return message;
  }

  std::string load_error(const std::string& file, const std::vector<std::string>& sets = {}) const {
    return shortened(error_of<ConfigError>([&] { load<Sample>({scratch_ / file}, sets); }));
  }

  Scratch scratch_;
  std::vector<std::string> messages_;
};

TEST_F(Resolve, LaterFilesWin) {
  scratch_.put("a.yaml", "x: 1\nm: {p: 1, q: [1, 2]}\n");
  scratch_.put("b.yaml", "m: {q: [3]}\ny: 2\n");
  EXPECT_EQ(tree_of({"a.yaml", "b.yaml"}),
            "{x=plain 1:1,m={p=plain 1:1,q=[plain 1:3,],},y=plain 1:2,}");
  EXPECT_THAT(messages_, IsEmpty());
}

TEST_F(Resolve, NoFilesOrEmptyOnesAreAnEmptyMap) {
  scratch_.put("a.yaml", "# later\n");
  scratch_.put("b.yaml", "---\n");
  EXPECT_EQ(tree_of({}), "{}");
  EXPECT_EQ(tree_of({"a.yaml", "b.yaml"}), "{}");
  EXPECT_THAT(messages_, IsEmpty());
}

TEST_F(Resolve, ExtendsMergesMapsAndReplacesLists) {
  scratch_.put("base.yaml", "a: {x: 1, y: 2}\nlist: [1, 2, 3]\nkept: yes\n");
  scratch_.put("top.yaml", "extends: [base.yaml]\na: {y: 3}\nlist: [9]\n");
  EXPECT_EQ(tree_of({"top.yaml"}),
            "{a={x=plain 1:1,y=plain 1:3,},list=[plain 1:9,],kept=plain 3:yes,}");
  EXPECT_THAT(messages_, IsEmpty());
}

TEST_F(Resolve, OfSeveralBasesTheLaterWins) {
  scratch_.put("one.yaml", "x: 1\ny: 1\nz: 1\n");
  scratch_.put("two.yaml", "y: 2\nz: 2\n");
  scratch_.put("top.yaml", "z: 3\nextends: [one.yaml, two.yaml]\n");
  EXPECT_EQ(tree_of({"top.yaml"}), "{x=plain 1:1,y=plain 1:2,z=plain 1:3,}");
}

TEST_F(Resolve, AnotherTypeReplacesTheOptionsOfTheOneBefore) {
  scratch_.put("base.yaml", "o: {type: adamw, lr: 1, beta: 2}\nm: {type: gru, hidden: 3}\n");
  scratch_.put("top.yaml", "extends: [base.yaml]\no: {type: sgd, momentum: 4}\nm: {hidden: 5}\n");
  EXPECT_EQ(tree_of({"top.yaml"}),
            "{o={type=plain 3:sgd,momentum=plain 1:4,},m={type=plain 3:gru,hidden=plain 1:5,},}");
  scratch_.put("same.yaml", "o: {lr: 9, type: 'adamw'}\n");
  EXPECT_EQ(tree_of({"base.yaml", "same.yaml"}),
            "{o={type=text 5:adamw,lr=plain 1:9,beta=plain 1:2,},"
            "m={type=plain 3:gru,hidden=plain 1:3,},}");
  // Which one is meant where none is named, only the schema knows.
  scratch_.put("implied.yaml", "o: {lr: 1}\n");
  scratch_.put("named.yaml", "o: {type: sgd}\n");
  EXPECT_EQ(tree_of({"implied.yaml", "named.yaml"}), "{o={lr=plain 1:1,type=plain 3:sgd,},}");
  EXPECT_EQ(tree_of({"named.yaml", "implied.yaml"}), "{o={type=plain 3:sgd,lr=plain 1:1,},}");
}

TEST_F(Resolve, ALaterLengthInEpochsReplacesOneInStepsAndTheOtherWay) {
  scratch_.put("base.yaml", "t: {steps: 9, s: {warmup_epochs: 2, steps_: 4}}\n");
  scratch_.put("top.yaml", "extends: [base.yaml]\nt: {epochs: 3, s: {warmup_steps: 7}}\n");
  EXPECT_EQ(tree_of({"top.yaml"}),
            "{t={s={steps_=plain 1:4,warmup_steps=plain 1:7,},epochs=plain 1:3,},}");
  EXPECT_EQ(tree_of({"top.yaml", "base.yaml"}),
            "{t={s={steps_=plain 1:4,warmup_epochs=plain 1:2,},steps=plain 1:9,},}");
  // 0 is no length, and both in one place are for the schema to judge.
  scratch_.put("none.yaml", "t: {epochs: 0}\n");
  EXPECT_THAT(tree_of({"base.yaml", "none.yaml"}), ::testing::HasSubstr("{steps=plain 1:9,"));
  scratch_.put("both.yaml", "t: {epochs: 3, steps: 5}\n");
  EXPECT_THAT(tree_of({"base.yaml", "both.yaml"}),
              ::testing::AllOf(::testing::HasSubstr("{steps=plain 1:5,"),
                               ::testing::HasSubstr("epochs=plain 1:3,")));
}

TEST_F(Resolve, BasesAreFoundBesideTheFileThatNamesThem) {
  scratch_.put("models/deep/tcn.yaml", "extends: [../common.yaml]\nkernel: 3\n");
  scratch_.put("models/common.yaml", "norm: batch\n");
  scratch_.put("runs/a.yaml", "extends: [../models/deep/tcn.yaml]\n");
  scratch_.put("common.yaml", "norm: wrong\n");
  EXPECT_EQ(tree_of({"runs/a.yaml"}), "{norm=plain 5:batch,kernel=plain 1:3,}");
  EXPECT_THAT(messages_, IsEmpty());
}

TEST_F(Resolve, AnyMapMayExtend) {
  scratch_.put("t.yaml", "model: {width: 64, depth: 4}\n");
  scratch_.put("m.yaml", "width: 8\n");
  scratch_.put("study.yaml",
               "teachers: {big: {extends: [t.yaml], model: {depth: 6}}}\n"
               "scenarios:\n"
               "  - {name: s, student: {extends: [t.yaml], model: {extends: [m.yaml]}}}\n");
  EXPECT_EQ(tree_of({"study.yaml"}),
            "{teachers={big={model={width=plain 2:64,depth=plain 1:6,},},},"
            "scenarios=[{name=plain 1:s,student={model={width=plain 1:8,depth=plain 1:4,},},},],}");
  EXPECT_THAT(messages_, IsEmpty());
}

TEST_F(Resolve, ABaseMayBeSharedByTwo) {
  scratch_.put("root.yaml", "x: 1\n");
  scratch_.put("left.yaml", "extends: [root.yaml]\nl: 1\n");
  scratch_.put("right.yaml", "extends: [root.yaml]\nr: 1\n");
  scratch_.put("top.yaml", "extends: [left.yaml, right.yaml]\n");
  EXPECT_EQ(tree_of({"top.yaml"}), "{x=plain 1:1,l=plain 1:1,r=plain 1:1,}");
  EXPECT_THAT(messages_, IsEmpty()) << "a diamond is not a cycle";
}

TEST_F(Resolve, MistakesInABaseAreShownThere) {
  scratch_.put("base.yaml", "name: a\ntrain:\n  lrr: 1\n");
  scratch_.put("top.yaml", "extends: [base.yaml]\nthreads: 0\n");
  EXPECT_EQ(load_error("top.yaml"),
            "top.yaml:2:10: threads: 0 is out of range: must be at least 1\n"
            "base.yaml:3:3: train.lrr: unknown key; did you mean 'lr'?");
}

TEST_F(Resolve, ReportsCycles) {
  scratch_.put("a.yaml", "extends: [b.yaml]\n");
  scratch_.put("b.yaml", "train:\n  extends: [./a.yaml]\n");
  tree_of({"a.yaml"});
  EXPECT_THAT(
      messages_,
      ElementsAre("b.yaml:2:13: extends: 'a.yaml' extends itself: a.yaml → b.yaml → a.yaml"));
  scratch_.put("self.yaml", "extends: [self.yaml]\nx: 1\n");
  EXPECT_EQ(tree_of({"self.yaml"}), "{x=plain 1:1,}");
  EXPECT_THAT(
      messages_,
      ElementsAre("self.yaml:1:11: extends: 'self.yaml' extends itself: self.yaml → self.yaml"));
}

TEST_F(Resolve, AMissingBaseIsTheOnlyThingSaid) {
  scratch_.put("a.yaml", "extends: [none.yaml]\n");
  EXPECT_EQ(load_error("a.yaml"),
            "a.yaml:1:11: none.yaml: cannot be read: No such file or directory")
      << "the required name may well stand in the missing file";
}

TEST_F(Resolve, AMissingFileNamesTheCommandLine) {
  EXPECT_EQ(load_error("none.yaml"),
            "command line: none.yaml: cannot be read: No such file or directory");
}

TEST_F(Resolve, BadSyntaxIsTheOnlyThingSaidOfItsFile) {
  scratch_.put("a.yaml", "name: [\n");
  scratch_.put("b.yaml", "extends: [a.yaml]\nthreads: 0\n");
  EXPECT_EQ(load_error("b.yaml"),
            "a.yaml:2:1: not valid YAML: end of sequence flow not found\n"
            "b.yaml:2:10: threads: 0 is out of range: must be at least 1");
}

TEST_F(Resolve, ReportsBadExtends) {
  scratch_.put("a.yaml", "extends: b.yaml\n");
  scratch_.put("c.yaml", "train: {extends: [{a: 1}]}\n");
  scratch_.put("list.yaml", "- 1\n");
  scratch_.put("d.yaml", "extends: [list.yaml]\n");
  tree_of({"a.yaml", "c.yaml", "d.yaml"});
  EXPECT_THAT(messages_,
              ElementsAre("a.yaml:1:10: extends: expected a list of files, found 'b.yaml'",
                          "c.yaml:1:19: extends: expected a file, found a map",
                          "list.yaml:1:1: a configuration file holds a map, not a list"));
}

using Set = Resolve;

TEST_F(Set, WinsOverFilesAndEarlierOnes) {
  scratch_.put("a.yaml", "train: {lr: 1, steps: 5}\n");
  EXPECT_EQ(tree_of({"a.yaml"}, {"train.lr=2", "train.lr=3", "name=x"}),
            "{train={lr=plain 1:3,steps=plain 1:5,},name=plain 1:x,}");
}

TEST_F(Set, MakesThePathThatIsMissing) {
  EXPECT_EQ(tree_of({}, {"a.b.c=1", "a.b.d=2"}), "{a={b={c=plain 1:1,d=plain 1:2,},},}");
}

TEST_F(Set, ReachesIntoLists) {
  scratch_.put("a.yaml", "distill: [{name: cosine}, {name: distance, order: 1}]\nseeds: [1, 2]\n");
  EXPECT_EQ(tree_of({"a.yaml"}, {"distill.1.order=2", "seeds.0=7"}),
            "{distill=[{name=plain 6:cosine,},{name=plain 8:distance,order=plain 1:2,},],"
            "seeds=[plain 1:7,plain 1:2,],}");
}

TEST_F(Set, AnotherTypeDropsTheOptionsOfTheOneBeforeButNotThoseThatAreSet) {
  scratch_.put("a.yaml", "train: {o: {type: adamw, lr: 1, beta: 2}}\nl: [{type: x, y: 1}]\n");
  EXPECT_EQ(tree_of({"a.yaml"}, {"train.o.type=sgd", "l.0.type=z"}),
            "{train={o={type=plain 3:sgd,},},l=[{type=plain 1:z,},],}");
  for (const bool first : {true, false}) {
    std::vector<std::string> sets = {"train.o.type=sgd"};
    sets.insert(first ? sets.begin() : sets.end(), "train.o.lr=3");
    EXPECT_THAT(tree_of({"a.yaml"}, sets),
                ::testing::StartsWith(first ? "{train={o={lr=plain 1:3,type=plain 3:sgd,},}"
                                            : "{train={o={type=plain 3:sgd,lr=plain 1:3,},}"));
  }
  EXPECT_EQ(tree_of({"a.yaml"}, {"train.o.type=adamw", "l.0={type: z, w: 2}"}),
            "{train={o={type=plain 5:adamw,lr=plain 1:1,beta=plain 1:2,},},"
            "l=[{type=plain 1:z,w=plain 1:2,},],}");
}

TEST_F(Set, ALengthInEpochsReplacesOneInStepsButNotOneThatIsSet) {
  scratch_.put("a.yaml", "t: {steps: 9, lr: 1}\nl: [{warmup_steps: 1}]\n");
  EXPECT_EQ(tree_of({"a.yaml"}, {"t.epochs=3", "l.0.warmup_epochs=0.5"}),
            "{t={lr=plain 1:1,epochs=plain 1:3,},l=[{warmup_epochs=plain 3:0.5,},],}");
  EXPECT_EQ(tree_of({"a.yaml"}, {"t={epochs: 3}"}),
            "{t={lr=plain 1:1,epochs=plain 1:3,},l=[{warmup_steps=plain 1:1,},],}");
  EXPECT_THAT(tree_of({"a.yaml"}, {"t.epochs=3", "t.steps=5"}),
              ::testing::StartsWith("{t={lr=plain 1:1,epochs=plain 1:3,steps=plain 1:5,}"));
  EXPECT_THAT(tree_of({"a.yaml"}, {"t.epochs=0"}), ::testing::StartsWith("{t={steps=plain 1:9,"));
}

TEST_F(Set, TakesYamlValues) {
  scratch_.put("a.yaml", "m: {x: 1}\nl: [1, 2]\n");
  EXPECT_EQ(
      tree_of({"a.yaml"}, {"l=[3]", "m={y: 2}", "t='5'", "e=", "eq=a=b", "n=null", "s=two words"}),
      "{m={x=plain 1:1,y=plain 1:2,},l=[plain 1:3,],t=text 1:5,e=text 0:,eq=plain 3:a=b,n=null,"
      "s=plain 9:two words,}");
  EXPECT_THAT(messages_, IsEmpty());
}

TEST_F(Set, ReportsWhatIsMalformed) {
  scratch_.put("a.yaml", "train: {lr: 1}\nseeds: [1]\n");
  const std::string before = tree_of({"a.yaml"});
  EXPECT_EQ(tree_of({"a.yaml"}, {"train.lr", "=3", "train..lr=1", "train.lr.x=1", "seeds.1=2",
                                 "seeds.-1=2", "seeds.x=2", "train.lr=[", "train.lr=!!str 3"}),
            before);
  EXPECT_THAT(
      messages_,
      ElementsAre(
          "--set train.lr: expected KEY=VALUE", "--set =3: expected KEY=VALUE",
          "--set train..lr=1: train..lr: an empty part in the key",
          "--set train.lr.x=1: train.lr.x: lies below '1', which has no keys",
          "--set seeds.1=2: seeds.1: expected the index of one of 1 items",
          "--set seeds.-1=2: seeds.-1: expected the index of one of 1 items",
          "--set seeds.x=2: seeds.x: expected the index of one of 1 items",
          "--set train.lr=[: train.lr: value:2:1: not valid YAML: end of sequence flow not found",
          "--set train.lr=!!str 3: train.lr: value:1:1: YAML tags are not used here "
          "('tag:yaml.org,2002:str')"));
}

TEST_F(Set, MistakesNameTheArgument) {
  scratch_.put("a.yaml", "name: a\n");
  EXPECT_EQ(
      load_error("a.yaml", {"train.lr=fast", "threads=010", "train={step: 1}", "seeds=[1, x]"}),
      "--set threads=010: threads: '010' has a leading zero\n"
      "--set seeds=[1, x]: seeds.1: expected an integer, found 'x'\n"
      "--set train.lr=fast: train.lr: expected a number, found 'fast'\n"
      "--set train={step: 1}: train.step: unknown key; did you mean 'steps'?");
}

TEST_F(Set, LoadsIntoTheStruct) {
  scratch_.put("a.yaml", "name: a\ntrain: {lr: 1}\n");
  const Sample sample = load<Sample>({scratch_ / "a.yaml"}, {"train.lr=2", "name=b c"});
  EXPECT_EQ(sample.train.lr, 2);
  EXPECT_EQ(sample.name, "b c");
}

TEST(Differences, NameTheLeaves) {
  const Node before = sound("train: {steps: 100, lr: 1, old: 3}\nlist: [1, 2]\nsame: {a: 1}\n");
  const Node after =
      sound("list: [1, 2, 3]\nsame: {a: 1}\ntrain: {lr: 1, steps: 200, new: {x: 1}}\n");
  EXPECT_THAT(differences(before, after),
              ElementsAre("train.steps: 100 → 200", "train.old: 3 → (not set)",
                          "train.new: (not set) → {x: 1}", "list: [1, 2] → [1, 2, 3]"));
  EXPECT_THAT(differences(before, before), IsEmpty());
}

TEST(Differences, LookAtValuesNotAtHowTheyAreQuoted) {
  EXPECT_THAT(differences(sound("a: word"), sound("a: 'word'")), IsEmpty());
  EXPECT_THAT(differences(sound("a: two words"), sound("a: 'two words'")), IsEmpty());
  EXPECT_THAT(differences(sound("a: 5"), sound("a: '5'")), ElementsAre("a: 5 → \"5\""));
}

}  // namespace
}  // namespace limbeck::config::test
