#include "limbeck/study/plan.h"

#include <gmock/gmock.h>

#include <set>

#include "study/demo_study.h"
#include "study/node_config.h"

namespace limbeck {
namespace {

using test::at;
using test::demo_study;
using test::refusal_of;
using test::searched;
using test::with;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::vector<const StudyNode*> nodes_of(const StudyPlan& plan, NodeKind kind) {
  std::vector<const StudyNode*> nodes;
  for (const StudyNode& node : plan.nodes) {
    if (node.kind == kind) nodes.push_back(&node);
  }
  return nodes;
}

std::vector<std::string> needs_of(const StudyPlan& plan, const std::string& id) {
  std::vector<std::string> ids;
  for (const size_t need : plan.nodes[at(plan, id)].needs) ids.push_back(plan.nodes[need].id);
  return ids;
}

TrainingConfig config_of(const StudyConfig& config, const std::string& id, size_t choice = 0) {
  const StudyPlan plan = replan_study(config);
  return node_config(config, plan, plan.nodes[at(plan, id)], choice);
}

std::vector<std::string> sweep(const std::string& over) { return {"sweep.over=" + over}; }
std::vector<std::string> search(const std::string& values) {
  return {"methods.0.search={train.optimizer.lr: [0.001, 0.002, 0.004]}",
          "methods.1.search=" + values, "study.search.seeds=[101]"};
}

TEST(StudyPlan, HoldsEveryScenarioMethodAndSeed) {
  const StudyConfig config = demo_study();
  const StudyPlan plan = replan_study(config);
  EXPECT_EQ(plan.dir, "demo/study");
  EXPECT_EQ(plan.store, "demo/store");
  EXPECT_EQ(nodes_of(plan, NodeKind::teacher).size(), 1U);
  EXPECT_EQ(nodes_of(plan, NodeKind::student).size(), 2U * 2U * 2U);
  EXPECT_EQ(nodes_of(plan, NodeKind::scores).size(), 1U + 8U);
  EXPECT_EQ(plan.nodes.size(), 18U);
  const StudyNode& node = plan.nodes[at(plan, "runs/narrower-latent/cosine/seed-7")];
  EXPECT_EQ(node.label, "narrower latent, cosine, seed 7");
  EXPECT_THAT(needs_of(plan, node.id), ElementsAre("teachers/t"));
  EXPECT_THAT(needs_of(plan, "scores/" + node.id), ElementsAre(node.id));
  // From scratch: no teacher has to be waited for.
  EXPECT_THAT(needs_of(plan, "runs/narrower-latent/none/seed-7"), IsEmpty());
  for (size_t i = 0; i < plan.nodes.size(); ++i) {
    for (const size_t need : plan.nodes[i].needs) EXPECT_LT(need, i);
  }
}

TEST(StudyPlan, ResolvesARun) {
  const StudyConfig config = demo_study();
  const TrainingConfig run = config_of(config, "runs/narrower-latent/cosine/seed-7");
  EXPECT_EQ(run.run.dir, "demo/study/runs/narrower-latent/cosine/seed-7");
  EXPECT_EQ(run.run.seed, 7);
  EXPECT_EQ(run.run.threads, 1);
  EXPECT_EQ(config::to_node(run.data.source).find("speech")->scalar, "s.csv");
  EXPECT_EQ(run.teacher.checkpoint, "demo/study/teachers/t");
  EXPECT_EQ(run.distill.terms.size(), 1U);
  EXPECT_THAT(config_of(config, "runs/narrower-latent/none/seed-7").distill.terms, IsEmpty());
  EXPECT_EQ(config_of(config, "teachers/t").run.threads, 0);
  EXPECT_EQ(config_of(config, "teachers/t").run.seed, 1);
}

TEST(StudyPlan, CrossesTheSeedsOfTeachersWithThoseOfStudentsThatFollowThem) {
  const StudyConfig config = demo_study({"study.teacher_seeds=[1, 2, 3]"});
  const StudyPlan plan = replan_study(config);
  EXPECT_EQ(nodes_of(plan, NodeKind::teacher).size(), 3U);
  EXPECT_EQ(nodes_of(plan, NodeKind::student).size(), 2U * (2U + 3U * 2U));
  const std::string id = "runs/narrower-latent/cosine/teacher-3/seed-4";
  EXPECT_THAT(needs_of(plan, id), ElementsAre("teachers/t/seed-3"));
  const StudyNode& node = plan.nodes[at(plan, id)];
  EXPECT_EQ(node.label, "narrower latent, cosine, teacher seed 3, seed 4");
  EXPECT_EQ(node.teacher_seed, 3);
  EXPECT_EQ(plan.nodes[at(plan, "runs/narrower-latent/none/seed-4")].teacher_seed, 0);
  EXPECT_EQ(config_of(config, "teachers/t/seed-3").run.seed, 3);
  EXPECT_EQ(config_of(config, id).teacher.checkpoint, "demo/study/teachers/t/seed-3");
}

TEST(StudyPlan, HoldsThePointsOfASearchBeforeTheStudentsThatNeedThem) {
  const StudyConfig config = demo_study(searched());
  const StudyPlan plan = replan_study(config);
  EXPECT_EQ(nodes_of(plan, NodeKind::point).size(), 2U * 2U * 3U);
  const std::string id = "search/narrower-latent/cosine/point-3/seed-101";
  EXPECT_THAT(needs_of(plan, id), ElementsAre("teachers/t"));
  EXPECT_EQ(plan.nodes[at(plan, id)].label,
            "search: narrower latent, cosine, train.optimizer.lr=0.004, seed 101");
  EXPECT_THAT(needs_of(plan, "runs/narrower-latent/none/seed-4"),
              ElementsAre("search/narrower-latent/none/point-1/seed-101",
                          "search/narrower-latent/none/point-2/seed-101",
                          "search/narrower-latent/none/point-3/seed-101"));
  const auto rate = [&](const std::string& run, size_t choice) {
    return config::to_node(config_of(config, run, choice).train.optimizer).find("lr")->scalar;
  };
  EXPECT_EQ(rate(id, 0), "0.004");
  EXPECT_EQ(rate("runs/narrower-latent/cosine/seed-4", 1), "0.002");
  EXPECT_EQ(config_of(config, id).run.seed, 101);
}

TEST(StudyPlan, TakesTheChoiceOfOneScenarioForAll) {
  const StudyPlan plan =
      replan_study(demo_study(with(searched(), {"study.search.scenario=narrower latent"})));
  EXPECT_EQ(nodes_of(plan, NodeKind::point).size(), 2U * 3U);
  const auto students = nodes_of(plan, NodeKind::student);
  EXPECT_THAT(needs_of(plan, students.back()->id),
              ElementsAre("teachers/t", "search/narrower-latent/cosine/point-1/seed-101",
                          "search/narrower-latent/cosine/point-2/seed-101",
                          "search/narrower-latent/cosine/point-3/seed-101"));
}

TEST(StudyPlan, LetsTheValueThatChoosesChooseThePointsCheckpoints) {
  const StudyConfig config = demo_study(with(searched(), {"study.search.by=stoi"}));
  const TrainingConfig point = config_of(config, "search/narrower-latent/none/point-1/seed-101");
  EXPECT_EQ(point.train.select, "stoi");
  EXPECT_EQ(point.train.validation.metrics.back().column(), "stoi");
  // And nothing else.
  EXPECT_EQ(config_of(config, "runs/narrower-latent/none/seed-4").train.select, "si_sdr");
  EXPECT_THAT(refusal_of(with(searched(), {"study.search.by=stio"})),
              HasSubstr("study.search.by.train.select: validation gives no value 'stio'"));
}

TEST(StudyPlan, TriesAsManyPointsOfEveryMethod) {
  const auto names = [](const std::vector<SettingPoint>& points) {
    std::vector<std::string> all;
    for (const SettingPoint& point : points) all.push_back(point.name);
    return all;
  };
  const auto search = [&](const std::string& rates) {
    return replan_study(
        demo_study(with(searched("2"), {"methods.1.search={train.clip.max_norm: [1, 2], "
                                        "train.optimizer.lr: " +
                                        rates + "}"})));
  };
  const StudyPlan plan = search("[0.001, 0.002, 0.004]");
  EXPECT_EQ(plan.search[0].size(), 2U);
  ASSERT_EQ(plan.search[1].size(), 2U);
  EXPECT_THAT(names(plan.search[1]), ::testing::Each(HasSubstr("train.clip.max_norm=")));
  EXPECT_EQ(names(search("[0.001, 0.002, 0.004]").search[1]), names(plan.search[1]));
  EXPECT_NE(names(plan.search[1])[0], names(plan.search[1])[1]);
}

TEST(StudyPlan, SweepsAllStudents) {
  const std::vector<std::string> sets = {"sweep.over.train.batch_size=[4, 8]",
                                         "sweep.over={train.adapter_lr: [1, 2]}",
                                         "sweep.exclude=[{train.batch_size: 8, train.adapter_lr: "
                                         "2.0}]"};
  const StudyConfig config = demo_study(sets);
  const StudyPlan plan = replan_study(config);
  ASSERT_EQ(plan.sweep.size(), 3U);
  EXPECT_EQ(plan.sweep[1].name, "train.adapter_lr=1, train.batch_size=8");
  const auto students = nodes_of(plan, NodeKind::student);
  EXPECT_EQ(students.size(), 3U * 8U);
  EXPECT_EQ(students[2]->label,
            "narrower latent, none, train.adapter_lr=1, train.batch_size=8, seed 4");
  EXPECT_EQ(config_of(config, students[2]->id).train.batch_size, 8);
  EXPECT_EQ(config_of(config, students[0]->id).train.batch_size, 4);
  EXPECT_EQ(nodes_of(plan, NodeKind::teacher).size(), 1U);
}

TEST(StudyPlan, ReachesIntoTermsAndReplacesTypes) {
  const StudyConfig config = demo_study({"sweep.over.distill.terms.0.weight=[0.5]",
                                         "sweep.over.train.optimizer={type: [sgd], lr: [0.1]}"});
  const TrainingConfig run =
      config_of(config, nodes_of(replan_study(config), NodeKind::student)[2]->id);
  EXPECT_EQ(run.distill.terms.at(0).weight, 0.5);
  EXPECT_EQ(run.train.optimizer.chosen.name(), "sgd");
  // A method without terms has nothing to set there.
  EXPECT_THAT(
      config_of(config, nodes_of(replan_study(config), NodeKind::student)[0]->id).distill.terms,
      IsEmpty());
}

TEST(StudyPlan, FillsACacheWhereBatchesComeAgain) {
  EXPECT_THAT(nodes_of(replan_study(demo_study()), NodeKind::cache), IsEmpty());
  const StudyConfig config = demo_study(
      with(searched(), {"overrides.data.epochs_unique=4",
                        "methods=[{name: none}, {name: cosine}, {name: fitnet, distill: {terms: "
                        "[{name: fitnet, student: latent, teacher: encoder.0}]}}]",
                        "methods.0.search={train.optimizer.lr: [1e-3, 2e-3]}",
                        "methods.1.search={distill.terms.0.granularity: [frame, bin]}",
                        "methods.1.distill={terms: [{name: cosine, student: latent, teacher: "
                        "latent, adapter: {type: linear}}]}",
                        "methods.2.search={train.optimizer.lr: [1e-3, 2e-3]}"}));
  const StudyPlan plan = replan_study(config);
  EXPECT_EQ(nodes_of(plan, NodeKind::cache).size(), 2U * (2U + 1U));
  EXPECT_THAT(needs_of(plan, "cache/narrower-latent/seed-7"), ElementsAre("teachers/t"));
  EXPECT_THAT(needs_of(plan, "runs/narrower-latent/cosine/seed-7"),
              ElementsAre("teachers/t", "cache/narrower-latent/seed-7",
                          "search/narrower-latent/cosine/point-1/seed-101",
                          "search/narrower-latent/cosine/point-2/seed-101"));
  EXPECT_THAT(needs_of(plan, "search/narrower-latent/cosine/point-1/seed-101"),
              ElementsAre("teachers/t", "cache/search/narrower-latent/seed-101"));
  const TrainingConfig cache = config_of(config, "cache/narrower-latent/seed-7");
  EXPECT_EQ(cache.distill.terms.size(), 3U);  // both granularities
  EXPECT_EQ(cache.run.seed, 7);
  EXPECT_EQ(cache.distill.cache.dir, "demo/study/teacher_cache");
  EXPECT_FALSE(std::filesystem::exists("demo/study/teacher_cache"));
}

TEST(StudyPlan, GivesNamesThatDifferInSignsOnlyFoldersOfTheirOwn) {
  const StudyPlan plan =
      replan_study(demo_study({"scenarios.0.name=gain +3 dB", "scenarios.1.name=gain -3 dB",
                               "methods.0.name=a/b", "methods.1.name=a b", "study.baseline=a b"}));
  std::set<std::string> ids;
  for (const StudyNode& node : plan.nodes) ids.insert(node.id);
  EXPECT_EQ(ids.size(), plan.nodes.size());
}

TEST(StudyPlan, FindsShapesThatDoNotFitBeforeAnythingIsTrained) {
  const std::string message = refusal_of({"methods.1.distill.terms.0.adapter.type=none"});
  EXPECT_THAT(message, HasSubstr("scenario 'narrower latent' with method 'cosine'"));
  EXPECT_THAT(message, HasSubstr("the student has 16 and the teacher 32"));
  // One point of a search alone.
  EXPECT_THAT(
      refusal_of(search("{distill.terms.0.adapter.type: [linear, inverted_bottleneck, none]}")),
      HasSubstr("method 'cosine', distill.terms.0.adapter.type=none: "));
}

TEST(StudyPlan, BuildsNoNetworksAgain) {
  const StudyConfig config = demo_study({"methods.1.distill.terms.0.adapter.type=none"});
  EXPECT_EQ(replan_study(config).nodes.size(), 18U);
}

TEST(StudyPlan, ChecksTheMethodAgainstTheStudent) {
  EXPECT_THAT(refusal_of({"methods.1.distill.phases=[{steps: 5, task: false}, {distill: false}]",
                          "overrides.train.steps=5"}),
              HasSubstr("those before it take 5 of 5 steps"));
}

struct BadGrid {
  const char* name;
  std::vector<std::string> sets;
  std::string message;
};

class BadPlan : public testing::TestWithParam<BadGrid> {};

TEST_P(BadPlan, IsRefused) {
  EXPECT_THAT(refusal_of(GetParam().sets), HasSubstr(GetParam().message));
}

const std::vector<BadGrid> kBad = {
    {"KeyOfAStudent",
     {"overrides.train.stepz=3"},
     "train.stepz: unknown key; did you mean 'steps'?"},
    {"KeyOfASweep", sweep("{train.batch_siz: [1]}"),
     "train.batch_siz: unknown key; did you mean 'batch_size'?"},
    {"KeyOfASearch", search("{train.optimizer.lrr: [1, 2, 3]}"),
     "train.optimizer.lrr: unknown key; did you mean 'lr'?"},
    {"Index", sweep("{distill.terms.1.weight: [1]}"),
     "distill.terms.1: expected the index of one of 1 items"},
    {"Range", sweep("{train.batch_size: [0]}"), "train.batch_size: 0 is out of range"},
    {"SweepOfTheStudy", sweep("{run.seed: [1]}"),
     "sweep.over.run.seed: cannot be varied: where and with which seed a run is trained is the "
     "study's"},
    {"SweepOfTheTeacher", sweep("{teacher: {checkpoint: [a]}}"),
     "sweep.over.teacher.checkpoint: cannot be varied: the teacher is that of the scenario"},
    {"SweepOfLeaks", sweep("{data.allow_leak: [true]}"),
     "sweep.over.data.allow_leak: cannot be varied: is study.allow_leak"},
    {"SweepOfTerms", sweep("{distill.terms: [[]]}"),
     "sweep.over.distill.terms: cannot be varied: other terms are another method"},
    {"SearchOfSteps", search("{train.steps: [1, 2, 3]}"),
     "methods.1.search.train.steps: cannot be varied: all methods have the same budget"},
    {"SearchOfTheLoss", search("{objective.losses.0.weight: [1, 2, 3]}"),
     "methods.1.search.objective.losses.0.weight: cannot be varied: all methods denoise by the "
     "same "
     "loss"},
    {"SearchOfTheWhole", search("{train: [{steps: 3}]}"),
     "methods.1.search.train: cannot be varied: all methods have the same budget"},
    {"SearchOfModels", search("{model.expansion: [1, 2, 3]}"),
     "methods.1.search.model.expansion: cannot be varied: all methods have the same network"},
    {"SearchOfData", search("{data.segment_seconds: [1, 2, 3]}"),
     "cannot be varied: all methods have the same data"},
    {"SearchOfNoTerms",
     with(search("{train.optimizer.lr: [1]}"),
          {"methods.0.search={distill.balance.target: [1, 2, 3]}"}),
     "methods.0.search.distill.balance.target: is of no use: the method has no terms"},
    {"SweepTwice", sweep("{train.batch_size: [4, 4]}"),
     "sweep.over.train.batch_size: 4 is listed twice"},
    {"SearchTwice", search("{train.optimizer.lr: [0.001, 1e-3, 2]}"),
     "methods.1.search.train.optimizer.lr: 1e-3 is listed twice"},
    {"Overlap", sweep("{train.optimizer: [adamw], train.optimizer.lr: [1]}"),
     "sweep.over.train.optimizer.lr: lies in train.optimizer"},
    {"SearchedAndSwept", with(searched(), sweep("{train.optimizer.lr: [0.1]}")),
     "study.search.train.optimizer.lr: is swept, too (train.optimizer.lr)"},
    {"ExcludesNothing",
     with(sweep("{train.batch_size: [4, 8]}"), {"sweep.exclude=[{train.batch_size: 2}]"}),
     "sweep.exclude.0: leaves out nothing: no combination has it"},
    {"ExcludesAll", with(sweep("{train.batch_size: [4]}"), {"sweep.exclude={train.batch_size: 4}"}),
     "sweep.exclude: leaves out everything"},
    {"FewerPoints", searched("6"),
     "method 'none' has 3 combinations to try; all methods are searched by as many points, which "
     "are 6"},
    {"UnequalPoints", search("{train.optimizer.lr: [1, 2]}"),
     "method 'cosine' has 2 combinations to try; all methods are searched by as many points, which "
     "are 3"},
    {"NoPoints",
     with(searched(), {"methods=[{name: none, search: {train.optimizer.lr: [1, 2]}}, {name: x}]"}),
     "method 'x' has none to try"},
    {"NoSeeds", with(searched(), {"study.search.seeds=[]"}),
     "study.search.seeds: needs at least one seed"},
    {"NoSearch", {"study.search.points=6"}, "study.search.points: no method has a search"},
};

INSTANTIATE_TEST_SUITE_P(Plan, BadPlan, testing::ValuesIn(kBad),
                         [](const auto& param) { return std::string(param.param.name); });

TEST(StudyPlan, IsRefusedWithAllThatIsWrong) {
  const std::string message = refusal_of(
      {"sweep.over={run.seed: [1], train.batch_size: [4, 4]}", "overrides.train.stepz=1"});
  EXPECT_THAT(message, HasSubstr("sweep.over.run.seed: "));
  EXPECT_THAT(message, HasSubstr("4 is listed twice"));
  EXPECT_THAT(message, HasSubstr("train.stepz: unknown key"));
}

TEST(PlannedSteps, AreThoseOfTheConfigurationOrOfTheData) {
  PlannedSteps steps;
  TrainingConfig config = config_of(demo_study(), "teachers/t");
  config.train.steps = 12;
  EXPECT_EQ(steps.of(config), 12);
  config.train.epochs = 2;
  EXPECT_THROW(steps.of(config), DataError);  // s.csv is not there
}

}  // namespace
}  // namespace limbeck
