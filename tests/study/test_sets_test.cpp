#include "study/test_sets.h"

#include <gmock/gmock.h>

#include "limbeck/core/format.h"
#include "limbeck/data/protocol.h"
#include "study/demo_study.h"

namespace limbeck {
namespace {

using test::message_of;
using test::put_text;
using test::recording;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string hash(char c) { return std::string(32, c); }

/// The demo's study on manifests without audio: what is refused is refused before it is read.
class StudyTestSets : public testing::Test {
 protected:
  StudyTestSets() {
    const std::string header = "id,path,speaker,split,samples,rate,hash\n";
    put_text(dir_ / "speech.csv",
             header + recording("a", "ann", "train", '1') + recording("b", "bob", "valid", '2'));
    put_text(dir_ / "noise.csv",
             header + recording("m", "hum", "train", '3') + recording("n", "hiss", "valid", '4'));
    put_test("tom", '5');
    Protocol protocol;
    protocol.name = "made";
    for (const Split split : {Split::train, Split::valid}) {
      protocol.add(split, Role::speech, Manifest::read(dir_ / "speech.csv"));
      protocol.add(split, Role::noise, Manifest::read(dir_ / "noise.csv"));
    }
    protocol.add(Split::test, Role::pairs, Manifest::read(dir_ / "test.csv"));
    protocol.partial = true;
    protocol.note = "1 of 2";
    protocol.write(dir_ / "made.yaml");
  }

  void put_test(const std::string& speaker, char c) {
    put_text(dir_ / "test.csv",
             "id,clean,noisy,speaker,split,samples,rate,clean_hash,noisy_hash\nx,c.flac,n.flac," +
                 speaker + ",test,16000,16000," + hash(c) + "," + hash('6') + "\n");
  }

  StudyConfig config(std::vector<std::string> sets) const {
    sets.push_back("study.dir=" + (dir_ / "study").string());
    return config::load<StudyConfig>({test::source_dir() / "configs/study/demo.yaml"}, sets);
  }
  StudyConfig on_manifests(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> sets = {
        "overrides.data.source.speech=" + (dir_ / "speech.csv").string(),
        "overrides.data.source.noise=" + (dir_ / "noise.csv").string(),
        "study.sets=[{name: made, manifest: " + (dir_ / "test.csv").string() + "}]"};
    sets.insert(sets.end(), more.begin(), more.end());
    return config(sets);
  }
  StudyConfig on_protocol() const {
    const std::string protocol = (dir_ / "made.yaml").string();
    return config({"overrides.data.source={type: protocol, file: " + protocol + "}",
                   "study.sets=[{name: made, protocol: " + protocol + "}]"});
  }

  std::vector<TestSet> checked(const StudyConfig& config) {
    auto sets = read_sets(config);
    check_sets(config, replan_study(config), sets, quiet_);
    return sets;
  }

  test::TempDir dir_;
  Logger quiet_{Verbosity::quiet};
};

TEST_F(StudyTestSets, LetsSetsPassThatShareNothing) {
  const auto sets = checked(on_manifests());
  ASSERT_EQ(sets.size(), 1U);
  EXPECT_EQ(sets[0].pairs.entries.at(0).id, "x");
  EXPECT_THAT(sets[0].notes, IsEmpty());
}

TEST_F(StudyTestSets, RefusesASetThatTrainingSees) {
  put_test("bob", '1');
  const std::string message = message_of<DataError>([&] { checked(on_manifests()); });
  EXPECT_TRUE(message.starts_with("set made against " + (dir_ / "speech.csv").string() + ", "))
      << message;
  EXPECT_THAT(message, HasSubstr("x of test has the samples of a of train"));
  EXPECT_THAT(message, HasSubstr("speaker bob is in test (1 ×) and in valid (1 ×)"));
}

TEST_F(StudyTestSets, NotesWhereALeakIsAllowed) {
  put_test("tom", '1');
  const StudyConfig config = on_manifests({"study.allow_leak=true"});
  const StudyPlan plan = replan_study(config);
  const StudyNode& run = plan.nodes[test::at(plan, "runs/narrower-latent/none/seed-1")];
  EXPECT_TRUE(node_config(config, plan, run).data.allow_leak);  // the runs go on too, and say so
  EXPECT_THAT(checked(config)[0].notes, ElementsAre("LEAK ALLOWED: 1 file (x) of test in train"));
}

TEST_F(StudyTestSets, TakesTheTestPairsOfAProtocolAndSaysThatTheyArePartial) {
  const auto sets = checked(on_protocol());
  EXPECT_EQ(sets.at(0).pairs.entries.at(0).id, "x");
  EXPECT_THAT(sets.at(0).notes, ElementsAre("partial set: 1 of 2 (made)"));
  put_test("tom", '7');
  EXPECT_THAT(message_of<DataError>([&] { checked(on_protocol()); }), HasSubstr("changed since"));
}

TEST_F(StudyTestSets, RefusesRunsOfDifferentProtocols) {
  const auto other = [](int scenario, const std::string& protocol) {
    return format("scenarios.%d.student.data.source={type: protocol, file: %s}", scenario,
                  protocol);
  };
  const StudyConfig config = this->config({other(0, "a.yaml"), other(1, "b.yaml")});
  EXPECT_THAT(message_of<ConfigError>([&] { replan_study(config); }),
              HasSubstr("all runs of a study share one protocol, but scenario 'narrower latent' "
                        "with method 'none' has 'a.yaml' and scenario 'shallower and narrower, no "
                        "temporal model' with method 'none' 'b.yaml'"));
}

TEST_F(StudyTestSets, WantsOneOfManifestAndProtocolForASet) {
  EXPECT_THAT(message_of<ConfigError>([&] { on_manifests({"study.sets=[{name: a}]"}); }),
              HasSubstr("give either manifest or protocol"));
  EXPECT_THAT(message_of<DataError>([&] {
                read_sets(on_manifests(
                    {"study.sets=[{name: a, manifest: " + (dir_ / "speech.csv").string() + "}]"}));
              }),
              HasSubstr("lists recordings; a set to evaluate on lists pairs"));
}

}  // namespace
}  // namespace limbeck
