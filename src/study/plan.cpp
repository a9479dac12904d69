#include "limbeck/study/plan.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/objective/task.h"
#include "study/folder_name.h"
#include "study/grid.h"
#include "study/node_config.h"
#include "study/search.h"
#include "study/settings.h"

namespace limbeck {
namespace fs = std::filesystem;
namespace {

fs::path dir_of(const StudyOptions& study) {
  return study.dir.empty() ? fs::path("studies") / folder_name(study.name) : fs::path(study.dir);
}

fs::path store_of(const StudyOptions& study) {
  if (!study.store.empty()) return study.store;
  const fs::path dir = dir_of(study).lexically_normal();
  return (dir.has_filename() ? dir : dir.parent_path()).parent_path() / "store";
}

/// Reads every configuration that the grid has, seeds aside, and holds them against each other.
class Checker {
 public:
  Checker(const StudyConfig& config, const StudyPlan& plan, config::Diagnostics& diagnostics)
      : config_(config), plan_(plan), diagnostics_(diagnostics) {}

  void check() {
    for (const auto& [name, node] : config_.teachers) {
      teachers_[name] = read_teacher(config_, name, diagnostics_);
    }
    for (size_t s = 0; s < config_.scenarios.size(); ++s) {
      for (size_t m = 0; m < config_.methods.size(); ++m) read_students(s, m);
    }
    if (diagnostics_.empty()) require_one_protocol();
  }

  /// Builds every pair of networks untrained, so that a tap or a shape that does not fit is found
  /// before hours of training.
  void check_networks() {
    if (!diagnostics_.empty()) return;
    for (const Student& student : students_) check_shapes(student);
  }

  const std::map<std::string, TrainingConfig>& teachers() const { return teachers_; }

  /// As lay_out takes it.
  std::set<std::pair<size_t, size_t>> cached() const {
    std::set<std::pair<size_t, size_t>> found;
    for (const Student& student : students_) {
      const auto& distill = student.config.distill;
      if (distill.terms.empty() || distill.cache.dir.empty()) continue;
      found.emplace(student.scenario, student.sweep);
    }
    return found;
  }

 private:
  struct Student {
    std::string name;  ///< for messages
    size_t scenario, sweep;
    TrainingConfig config;
  };

  void read_students(size_t s, size_t m) {
    const std::vector<SettingPoint>& points = plan_.search[m];
    for (size_t w = 0; w < plan_.sweep.size(); ++w) {
      if (points.empty()) read_student_of(s, m, w, nullptr);
      for (const SettingPoint& point : points) read_student_of(s, m, w, &point);
    }
    if (search_scenario(config_, s) != s) return;
    for (const SettingPoint& point : points) read_student_of(s, m, kUnswept, &point);
  }

  void read_student_of(size_t s, size_t m, size_t w, const SettingPoint* point) {
    const bool is_searching = w == kUnswept;
    const SettingPoint* sweep = is_searching ? nullptr : &plan_.sweep[w];
    std::string name = "scenario '" + config_.scenarios[s].name + "' with method '" +
                       config_.methods[m].name + "'";
    for (const SettingPoint* varied : {sweep, point}) {
      if (varied != nullptr && !varied->name.empty()) name += ", " + varied->name;
    }
    students_.push_back(
        {std::move(name), s, w,
         read_student(config_, plan_.dir, s, m, {sweep, point, is_searching}, diagnostics_)});
  }

  /// A table compares what was trained on the same; another set needs another study.
  void require_one_protocol() {
    std::string first_file, first_name;
    const auto take = [&](const std::string& name, const TrainingConfig& config) {
      const std::string file = config.data.protocol_file();
      if (file.empty()) return;
      if (first_file.empty()) {
        first_file = file;
        first_name = name;
      }
      if (file == first_file) return;
      diagnostics_.add({"study", 0, 0}, "data.source.file",
                       format("all runs of a study share one protocol, but %s has '%s' and %s '%s'",
                              first_name, first_file, name, file));
    };
    for (const auto& [name, config] : teachers_) take("teacher '" + name + "'", config);
    for (const Student& student : students_) take(student.name, student.config);
  }

  void check_shapes(const Student& student) {
    const StudyScenario& scenario = config_.scenarios[student.scenario];
    auto distill = student.config.distill;
    distill.cache.dir.clear();  // for trained teachers
    const std::string pair = scenario.teacher +
                             config::to_yaml(config::to_node(student.config.model)) +
                             config::to_yaml(config::to_node(distill)) +
                             config::to_yaml(config::to_node(student.config.objective)) +
                             std::to_string(student.config.train.batch_size);
    if (!pairs_.insert(pair).second) return;
    try {
      const auto network = nn::build_model(student.config.model, SeedKey(0));
      const auto teacher = nn::build_model(teachers_.at(scenario.teacher).model, SeedKey(0));
      objective::LearningTask(network, teacher, student.config.objective, distill,
                              student.config.train.batch_size, SeedKey(0));
    } catch (const ConfigError& e) {
      diagnostics_.add(scenario.student.where, student.name, e.what());
    }
  }

  const StudyConfig& config_;
  const StudyPlan& plan_;
  config::Diagnostics& diagnostics_;
  std::map<std::string, TrainingConfig> teachers_;
  std::vector<Student> students_;
  std::set<std::string> pairs_;  ///< whose shapes were looked at
};

/// What folder_name promises but for two names of one hash.
void require_own_ids(const StudyPlan& plan, config::Diagnostics& diagnostics) {
  std::map<std::string, std::string> label_of;
  for (const StudyNode& node : plan.nodes) {
    const auto [other, is_new] = label_of.emplace(node.id, node.label);
    if (is_new) continue;
    diagnostics.add({"study", 0, 0}, "",
                    format("%s and %s would share the folder %s; rename one of them", other->second,
                           node.label, node.id));
  }
}

StudyPlan plan(const StudyConfig& config, bool with_networks) {
  config::Diagnostics diagnostics;
  StudyPlan plan;
  plan.dir = dir_of(config.study);
  plan.store = store_of(config.study);
  plan.sweep = sweep_points(config, diagnostics);
  plan.search = search_points(config, diagnostics);
  if (!diagnostics.empty()) {  // of the rest all is told that does not depend on these
    plan.sweep.assign(1, {});
    plan.search.assign(config.methods.size(), {});
  }
  Checker checker(config, plan, diagnostics);
  checker.check();
  if (with_networks) checker.check_networks();
  diagnostics.throw_if_any();
  lay_out(config, checker.teachers(), checker.cached(), plan);
  require_own_ids(plan, diagnostics);
  diagnostics.throw_if_any();
  return plan;
}

}  // namespace

const char* to_string(NodeKind kind) {
  switch (kind) {
    case NodeKind::teacher:
      return "teacher";
    case NodeKind::cache:
      return "cache";
    case NodeKind::point:
      return "search point";
    case NodeKind::student:
      return "student";
    case NodeKind::scores:
      return "scores";
  }
  return "";
}

bool StudyNode::is_training() const { return kind != NodeKind::cache && kind != NodeKind::scores; }

std::optional<size_t> StudyPlan::find(const std::string& id) const {
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i].id == id) return i;
  }
  return std::nullopt;
}

std::optional<size_t> StudyPlan::need(const StudyNode& node, NodeKind kind) const {
  for (const size_t index : node.needs) {
    if (nodes[index].kind == kind) return index;
  }
  return std::nullopt;
}

StudyPlan plan_study(const StudyConfig& config) { return plan(config, true); }

StudyPlan replan_study(const StudyConfig& config) { return plan(config, false); }

}  // namespace limbeck
