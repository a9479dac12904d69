#include "limbeck/study/config.h"

#include <gmock/gmock.h>

#include "study/demo_study.h"

namespace limbeck {
namespace {

using test::demo_study;
using test::refusal_of;
using test::searched;
using test::with;
using ::testing::HasSubstr;
using ::testing::Not;

/// Texts that are read back: quotes of texts may differ from those that were written.
std::string dump(const StudyConfig& config) { return config::to_yaml(config::to_node(config)); }

const std::vector<std::string> kFull = with(
    searched("2"), {"sweep.over.train.batch_size=[4, 8]", "sweep.over={data.segment_seconds: [1]}",
                    "sweep.exclude=[{train.batch_size: 4, data: {segment_seconds: 1}}]",
                    "study.compare=[[cosine, none]]", "study.teacher_seeds=[1, 2]",
                    "study.store=all", "study.primary=si_sdr"});

TEST(StudyConfig, IsReadBackAsItWasWritten) {
  const StudyConfig config = demo_study(kFull);
  EXPECT_EQ(config.study.compare, (std::vector<std::vector<std::string>>{{"cosine", "none"}}));
  ASSERT_EQ(config.sweep.over.count("train.batch_size"), 1U);
  EXPECT_EQ(config.sweep.over.at("train.batch_size").size(), 2U);
  ASSERT_EQ(config.sweep.exclude.size(), 1U);
  EXPECT_EQ(config.sweep.exclude[0].at("data.segment_seconds").scalar, "1");
  const auto again = config::read_text<StudyConfig>(dump(config), "dump");
  EXPECT_EQ(dump(again), dump(config));
  EXPECT_EQ(again.methods[1].search.at("train.optimizer.lr")[2].scalar, "0.004");
  EXPECT_EQ(again.sweep.exclude[0].at("train.batch_size").scalar, "4");
}

TEST(StudyConfig, TakesOnePairAndOneExclusionWithoutAList) {
  const StudyConfig config =
      demo_study({"study.compare=[[none, cosine]]", "sweep.over.train.batch_size=[4, 8]",
                  "sweep.exclude={train.batch_size: 4}"});
  EXPECT_EQ(config.sweep.exclude.size(), 1U);
}

TEST(StudyConfig, TellsOfItsKeys) {
  const std::string help = config::help_text<StudyConfig>();
  for (const char* line :
       {"study.store: text", "study.teacher_seeds: list of integers", "study.compare: list;",
        "methods[].search: map", "sweep.over: map", "sweep.exclude: list;",
        "study.search.points: integer", "study.ask_above: integer"}) {
    EXPECT_THAT(help, HasSubstr(std::string("\n") + line));
  }
}

struct BadInput {
  const char* name;
  std::vector<std::string> sets;
  std::string message;
};

class BadStudy : public testing::TestWithParam<BadInput> {};

TEST_P(BadStudy, IsRefused) {
  EXPECT_THAT(refusal_of(GetParam().sets), HasSubstr(GetParam().message));
}

const std::vector<BadInput> kBad = {
    {"Baseline",
     {"study.baseline=cosin"},
     "study: baseline 'cosin' is not among methods; did you mean 'cosine'?"},
    {"Compared",
     {"study.compare=[[cosine, nothing]]"},
     "study: compare: 'nothing' is not among methods"},
    {"ComparedTwice",
     {"study.compare=[[cosine, none], [none, cosine]]"},
     "compare: none and cosine are compared twice"},
    {"ComparedWithItself", {"study.compare=[[none, none]]"}, "compare: 'none' with itself"},
    {"ComparedThree",
     {"study.compare=[[none, cosine, none]]"},
     "study.compare: expected a list of pairs, each [method, reference]"},
    {"ComparedNames",
     {"study.compare=[none, cosine]"},
     "study.compare: expected a list of pairs, each [method, reference]"},
    {"Primary", {"study.primary=stoi"}, "study.primary: 'stoi' is not among metrics"},
    {"Teacher", {"scenarios.0.teacher=x"}, "names teacher 'x', which is not among teachers"},
    {"Scenarios",
     {"scenarios.1.name=narrower latent"},
     "two scenarios have the name 'narrower latent'"},
    {"Methods", {"methods.1.name=none"}, "two methods have the name 'none'"},
    {"Sets",
     {"study.sets=[{name: a, manifest: a}, {name: a, manifest: b}]"},
     "study.sets: two sets have the name 'a'"},
    {"Seeds", {"study.seeds=[1, 1]"}, "study.seeds: a seed is listed twice"},
    {"TeacherSeeds", {"study.teacher_seeds=[3, 3]"}, "study.teacher_seeds: a seed is listed twice"},
    {"SearchSeeds", with(searched(), {"study.search.seeds=[101, 7]"}),
     "study.search: seed 7 is one of the study's: what chooses must not count"},
    {"SearchScenario",
     {"study.search.scenario=narrow latent"},
     "search.scenario 'narrow latent' is not among scenarios; did you mean 'narrower latent'?"},
    {"SearchIsNoList",
     {"methods.1.search={train.optimizer.lr: 0.001}"},
     "methods.1.search: train.optimizer.lr: expected a list of values, found '0.001'"},
    {"SearchIsEmpty",
     {"methods.1.search={train.optimizer.lr: []}"},
     "methods.1.search: train.optimizer.lr: expected a list of values, found none"},
    {"KeyTwice",
     {"sweep.over={train.batch_size: [4], train: {batch_size: [8]}}"},
     "sweep.over: train.batch_size is there twice"},
    {"ExcludeIsNoMap",
     {"sweep.over={train.batch_size: [4]}", "sweep.exclude=[4]"},
     "sweep.exclude: expected maps of keys and values, found '4'"},
};

INSTANTIATE_TEST_SUITE_P(Config, BadStudy, testing::ValuesIn(kBad),
                         [](const auto& param) { return std::string(param.param.name); });

TEST(StudyConfig, IsRefusedWithAllThatIsWrong) {
  const std::string message = refusal_of({"study.baseline=x", "study.primary=y", "study.seed=1"});
  EXPECT_THAT(message, HasSubstr("study.primary: 'y'"));
  EXPECT_THAT(message, HasSubstr("study.seed: unknown key; did you mean 'seeds'?"));
}

}  // namespace
}  // namespace limbeck
