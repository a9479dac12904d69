#include <ATen/core/Tensor.h>

#include <algorithm>
#include <set>

#include "limbeck/config/resolve.h"
#include "limbeck/core/format.h"
#include "limbeck/objective/task.h"
#include "limbeck/study/study.h"
#include "study/folder_name.h"

namespace limbeck {
namespace fs = std::filesystem;

void StudySet::describe(config::Visitor& v) {
  v.value("name", name, "name in the results", config::any().required());
  v.value("manifest", manifest, "manifest of pairs");
  v.value("protocol", protocol, "protocol whose test pairs are the set, instead of a manifest");
  v.require(manifest.empty() != protocol.empty(), "manifest", "give either manifest or protocol");
}

void StudyScenario::describe(config::Visitor& v) {
  v.value("name", name, "name in the results", config::any().required());
  v.value("teacher", teacher, "which of the teachers", config::any().required());
  v.value("student", student, "configuration of the student, as limbeck-distill reads it",
          config::any().required());
}

void StudyMethod::describe(config::Visitor& v) {
  v.value("name", name, "name in the results", config::any().required());
  v.section("distill", distill, "what draws the student to the teacher");
}

void StudyOptions::describe(config::Visitor& v) {
  v.value("name", name, "name of the study", config::any().required());
  v.value("dir", dir, "folder of the study; by default studies/<name>");
  v.value("seeds", seeds, "training seeds; every scenario and method is trained with each",
          config::between(0, 9.007199254740992e15));
  describe_metrics(v, metrics);
  v.value("baseline", baseline, "method that the others are compared with, seed by seed");
  v.list("sets", sets, "test sets");
  v.value("allow_leak", allow_leak,
          "go on where a set shares files or speakers with training; every result then says so");
  v.value("device", device, "auto, cpu, cuda or cuda:i");
  v.value("threads_per_run", threads_per_run, "threads of LibTorch in each training",
          config::between(1, 1024));
  v.value("jobs", jobs, "trainings at a time; 0: as many as fit the cores, one on a GPU",
          config::between(0, 1024));
  v.require(!seeds.empty(), "seeds", "needs at least one seed");
  v.require(std::set<int64_t>(seeds.begin(), seeds.end()).size() == seeds.size(), "seeds",
            "a seed is listed twice");
  v.require(!sets.empty(), "sets", "needs at least one test set");
}

namespace {

template <class Items>
bool unique_names(const Items& items) {
  std::set<std::string> names;
  for (const auto& item : items) names.insert(item.name);
  return names.size() == items.size();
}

void set_text(config::Node& root, const std::string& section, const std::string& key,
              const std::string& text) {
  config::Node& map = root.child(section, root.where);
  if (!map.is_map()) map = config::Node::make_map(root.where);
  map.child(key, root.where) = config::Node::make_scalar(text, root.where);
}

class Planner {
 public:
  explicit Planner(const StudyConfig& config)
      : config_(config),
        dir_(config.study.dir.empty() ? fs::path("studies") / folder_name(config.study.name)
                                      : fs::path(config.study.dir)) {}

  StudyPlan plan() {
    StudyPlan plan;
    plan.dir = dir_;
    for (const auto& [name, node] : config_.teachers) plan_teacher(name, node, plan);
    for (size_t s = 0; s < config_.scenarios.size(); ++s) {
      for (size_t m = 0; m < config_.methods.size(); ++m) {
        for (const int64_t seed : config_.study.seeds) plan_student(s, m, seed, plan);
      }
    }
    diagnostics_.throw_if_any();
    require_one_protocol(plan);
    require_own_folders(plan);
    diagnostics_.throw_if_any();
    check_shapes();
    diagnostics_.throw_if_any();
    return plan;
  }

 private:
  /// What the study decides for every run.
  void set_run(config::Node& node, const fs::path& dir, int64_t seed) const {
    set_text(node, "run", "dir", dir.string());
    set_text(node, "run", "seed", std::to_string(seed));
    set_text(node, "run", "device", config_.study.device);
    set_text(node, "run", "threads", std::to_string(config_.study.threads_per_run));
    if (config_.study.allow_leak) set_text(node, "data", "allow_leak", "true");
  }

  /// A table compares what was trained on the same; another set needs another study.
  void require_one_protocol(const StudyPlan& plan) {
    const StudyRun* first = nullptr;
    for (const auto* runs : {&plan.teachers, &plan.students}) {
      for (const StudyRun& run : *runs) {
        const std::string file = run.config.data.protocol_file();
        if (file.empty()) continue;
        if (first == nullptr) first = &run;
        const std::string first_file = first->config.data.protocol_file();
        if (file == first_file) continue;
        diagnostics_.add(
            {"study", 0, 0}, "data.source.file",
            format("all runs of a study share one protocol, but %s has '%s' and %s '%s'",
                   first->label, first_file, run.label, file));
        return;
      }
    }
  }

  /// What folder_name promises but for two names of one hash.
  void require_own_folders(const StudyPlan& plan) {
    std::map<std::string, std::string> label_of;
    for (const auto* runs : {&plan.teachers, &plan.students}) {
      for (const StudyRun& run : *runs) {
        const auto [other, is_new] = label_of.emplace(run.dir.string(), run.label);
        if (is_new) continue;
        diagnostics_.add({"study", 0, 0}, "",
                         format("%s and %s would share the folder %s; rename one of them",
                                other->second, run.label, run.dir));
      }
    }
  }

  void plan_teacher(const std::string& name, config::Node node, StudyPlan& plan) {
    merge(node, config_.overrides);
    const config::Node* run = node.find("run");
    const config::Node* seed_node = run ? run->find("seed") : nullptr;
    const config::Node seed_written =
        seed_node ? *seed_node : config::Node::make_scalar("1", node.where);
    const fs::path dir = dir_ / "teachers" / folder_name(name);
    set_run(node, dir, 1);
    node.find("run")->child("seed", node.where) = seed_written;
    const auto config = config::read<TrainingConfig>(node, diagnostics_, "teachers." + name);
    try {
      require_no_teacher(config);
    } catch (const ConfigError& e) {
      diagnostics_.add(node.where, "teachers." + name, e.what());
    }
    teacher_configs_[name] = config;
    plan.teachers.push_back(
        {"teacher " + name, "limbeck-pretrain", dir, config, config.run.seed, 0, 0, name});
  }

  void plan_student(size_t s, size_t m, int64_t seed, StudyPlan& plan) {
    const StudyScenario& scenario = config_.scenarios[s];
    const StudyMethod& method = config_.methods[m];
    config::Node node = scenario.student;
    merge(node, config_.overrides);
    const fs::path dir = dir_ / "runs" / folder_name(scenario.name) / folder_name(method.name) /
                         format("seed-%d", seed);
    set_run(node, dir, seed);
    set_text(node, "teacher", "checkpoint",
             (dir_ / "teachers" / folder_name(scenario.teacher)).string());
    // Read with the method in it, so that what holds across sections is checked, too.
    node.child("distill", node.where) = config::to_node(method.distill);
    auto config =
        config::read<TrainingConfig>(node, diagnostics_, format("scenarios.%d.student", s));
    if (config.distill.cache.dir.empty() && config.data.epochs_unique > 0) {
      config.distill.cache.dir = (dir_ / "teacher_cache").string();
    }
    if (seed == config_.study.seeds.front()) students_.push_back({s, m, config});
    plan.students.push_back({scenario.name + ", " + method.name + format(", seed %d", seed),
                             "limbeck-distill", dir, config, seed, s, m, scenario.teacher});
  }

  /// Builds every pair of networks untrained, so that a tap or a shape that does not fit is found
  /// before hours of training.
  void check_shapes() {
    for (auto& [s, m, config] : students_) {
      config.distill.cache.dir.clear();  // for trained teachers
      try {
        const auto student = nn::build_model(config.model, SeedKey(0));
        const auto teacher =
            nn::build_model(teacher_configs_.at(config_.scenarios[s].teacher).model, SeedKey(0));
        objective::LearningTask(student, teacher, config.objective, config.distill,
                                config.train.batch_size, SeedKey(0));
      } catch (const ConfigError& e) {
        diagnostics_.add(config_.scenarios[s].student.where,
                         "scenario '" + config_.scenarios[s].name + "' with method '" +
                             config_.methods[m].name + "'",
                         e.what());
      }
    }
  }

  struct Student {
    size_t scenario, method;
    TrainingConfig config;
  };

  const StudyConfig& config_;
  fs::path dir_;
  config::Diagnostics diagnostics_;
  std::map<std::string, TrainingConfig> teacher_configs_;
  std::vector<Student> students_;
};

}  // namespace

void StudyConfig::describe(config::Visitor& v) {
  v.section("study", study, "what is repeated and scored");
  v.named("teachers", teachers, "configurations as limbeck-pretrain reads them, by name");
  v.list("scenarios", scenarios, "mismatch scenarios: a teacher and a student");
  v.list("methods", methods, "ways to train the student");
  v.value("overrides", overrides, "settings merged last into every teacher and student");
  if (overrides.kind == config::Node::Kind::null) overrides = config::Node::make_map({});
  v.require(!scenarios.empty(), "scenarios", "needs at least one scenario");
  v.require(!methods.empty(), "methods", "needs at least one method");
  v.require(unique_names(scenarios), "scenarios", "two scenarios have the same name");
  v.require(unique_names(methods), "methods", "two methods have the same name");
  v.require(unique_names(study.sets), "study", "two sets have the same name");
  for (const auto& scenario : scenarios) {
    v.require(teachers.count(scenario.teacher) > 0, "scenarios",
              "'" + scenario.name + "' names teacher '" + scenario.teacher +
                  "', which is not among teachers");
  }
  const auto is_baseline = [&](const StudyMethod& method) { return method.name == study.baseline; };
  v.require(study.baseline.empty() || std::any_of(methods.begin(), methods.end(), is_baseline),
            "study", "baseline '" + study.baseline + "' is not among methods");
}

StudyPlan plan_study(const StudyConfig& config) { return Planner(config).plan(); }

}  // namespace limbeck
