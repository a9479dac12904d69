#include "study/node_config.h"

#include <algorithm>
#include <set>
#include <stdexcept>

#include "limbeck/config/reader.h"
#include "limbeck/core/format.h"
#include "study/search.h"
#include "study/settings.h"
#include "study/store.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;
using config::Node;

void set_text(Node& root, const std::string& section, const std::string& key,
              const std::string& text) {
  Node& map = root.child(section, root.where);
  if (!map.is_map()) map = Node::make_map(root.where);
  map.child(key, root.where) = Node::make_scalar(text, root.where);
}

/// What the study decides for every run. Folders come later; until then they are only there.
void set_run(Node& node, const StudyOptions& study, int64_t threads) {
  set_text(node, "run", "dir", "unknown");
  set_text(node, "run", "device", study.device);
  set_text(node, "run", "threads", std::to_string(threads));
  if (study.allow_leak) set_text(node, "data", "allow_leak", "true");
}

/// Lets `by` choose the best checkpoint, and be computed.
void select_by(const std::string& by, const config::Location& where, TrainingConfig& config,
               config::Diagnostics& diagnostics) {
  config.train.select = by;
  auto& metrics = config.train.validation.metrics;
  const std::string metric = by.substr(by.rfind('/') + 1);
  const bool is_there = std::any_of(metrics.begin(), metrics.end(),
                                    [&](const auto& m) { return m.column() == metric; });
  if (!is_there && metric_registry().contains(metric)) metrics.emplace_back(metric);
  Node node = config::to_node(config);
  node.where = where;
  config::read<TrainingConfig>(node, diagnostics, "study.search.by");
}

fs::path teacher_link(const StudyPlan& plan, const StudyNode& node) {
  const auto teacher = plan.need(node, NodeKind::teacher);
  // One that follows none names none of the study's, either.
  return teacher ? node_link(plan, plan.nodes[*teacher]) : fs::path();
}

/// The terms of all trainings that read the cache, each once, in the configuration of one of them.
TrainingConfig cache_config(const StudyConfig& config, const StudyPlan& plan, const StudyNode& node,
                            config::Diagnostics& diagnostics) {
  const size_t index = plan.find(node.id).value();
  std::optional<TrainingConfig> all;
  std::set<std::string> seen;
  std::set<std::pair<size_t, size_t>> read;  // method and point
  const auto take = [&](const StudyNode& reader, size_t point) {
    if (!read.emplace(reader.method, point).second) return;
    const auto& points = plan.search[reader.method];
    const TrainingConfig one =
        read_student(config, plan.dir, reader.scenario, reader.method,
                     {reader.kind == NodeKind::point ? nullptr : &plan.sweep[reader.sweep],
                      points.empty() ? nullptr : &points[point], reader.kind == NodeKind::point},
                     diagnostics);
    if (!all) {
      all = one;
      all->distill.terms.clear();
      all->distill.phases.clear();
    }
    // Another folder or precision is another cache, which its own trainings fill.
    const auto& cache = one.distill.cache;
    const auto& shared = all->distill.cache;
    if (cache.dir != shared.dir || cache.precision != shared.precision) return;
    for (const auto& term : one.distill.terms) {
      if (seen.insert(config::to_yaml(config::to_node(term))).second)
        all->distill.terms.push_back(term);
    }
  };
  for (const StudyNode& reader : plan.nodes) {
    if (std::find(reader.needs.begin(), reader.needs.end(), index) == reader.needs.end()) continue;
    const size_t points = std::max<size_t>(plan.search[reader.method].size(), 1);
    for (size_t point = 0; point < points; ++point) {
      if (reader.kind == NodeKind::student || point == reader.point) take(reader, point);
    }
  }
  return all.value();
}

TrainingConfig student_config(const StudyConfig& config, const StudyPlan& plan,
                              const StudyNode& node, size_t choice,
                              config::Diagnostics& diagnostics) {
  const auto& points = plan.search[node.method];
  StudentSettings settings;
  settings.is_searching = node.kind == NodeKind::point;
  if (settings.is_searching) {
    settings.point = &points.at(node.point);
  } else {
    settings.sweep = &plan.sweep[node.sweep];
    if (!points.empty()) settings.point = &points.at(choice);
  }
  return read_student(config, plan.dir, node.scenario, node.method, settings, diagnostics);
}

}  // namespace

TrainingConfig read_teacher(const StudyConfig& config, const std::string& name,
                            config::Diagnostics& diagnostics) {
  Node node = config.teachers.at(name);
  merge(node, config.overrides);
  set_run(node, config.study, 0);
  const auto read = config::read<TrainingConfig>(node, diagnostics, "teachers." + name);
  try {
    require_no_teacher(read);
  } catch (const ConfigError& e) {
    diagnostics.add(node.where, "teachers." + name, e.what());
  }
  return read;
}

TrainingConfig read_student(const StudyConfig& config, const fs::path& dir, size_t scenario,
                            size_t method, const StudentSettings& settings,
                            config::Diagnostics& diagnostics) {
  Node node = config.scenarios[scenario].student;
  merge(node, config.overrides);
  // Read with the method in it, so that what holds across sections is checked, too.
  const objective::DistillOptions& distill = config.methods[method].distill;
  node.child("distill", node.where) = config::to_node(distill);
  for (const SettingPoint* point : {settings.sweep, settings.point}) {
    if (point != nullptr) apply(*point, !distill.terms.empty(), node, diagnostics);
  }
  set_run(node, config.study, config.study.threads_per_run);
  set_text(node, "teacher", "checkpoint", "unknown");
  auto read =
      config::read<TrainingConfig>(node, diagnostics, format("scenarios.%d.student", scenario));
  if (settings.is_searching && !config.study.search.by.empty() && diagnostics.empty()) {
    select_by(config.study.search.by, node.where, read, diagnostics);
  }
  if (read.distill.cache.dir.empty() && read.data.epochs_unique > 0) {
    read.distill.cache.dir = (dir / "teacher_cache").string();
  }
  return read;
}

TrainingConfig node_config(const StudyConfig& config, const StudyPlan& plan, const StudyNode& node,
                           size_t choice) {
  config::Diagnostics diagnostics;
  TrainingConfig read;
  switch (node.kind) {
    case NodeKind::teacher:
      read = read_teacher(config, node.teacher, diagnostics);
      break;
    case NodeKind::cache:
      read = cache_config(config, plan, node, diagnostics);
      break;
    case NodeKind::point:
    case NodeKind::student:
      read = student_config(config, plan, node, choice, diagnostics);
      break;
    case NodeKind::scores:
      throw std::invalid_argument(node.id + ": scores are no training");
  }
  diagnostics.throw_if_any();
  read.run.dir = node_link(plan, node).string();
  read.run.seed = node.seed;
  if (node.kind != NodeKind::teacher) read.teacher.checkpoint = teacher_link(plan, node).string();
  return read;
}

TrainingConfig node_config(const StudyConfig& config, const StudyPlan& plan,
                           const StudyNode& node) {
  const bool is_chosen = node.kind == NodeKind::student && !plan.search[node.method].empty();
  const auto links = [&](const StudyNode& point) { return node_link(plan, point); };
  return node_config(config, plan, node, is_chosen ? chosen_point(config, plan, node, links) : 0);
}

int64_t PlannedSteps::items(const TrainingConfig& config) {
  const std::string key = config::to_yaml(config::to_node(config.data));
  auto known = items_.find(key);
  if (known == items_.end()) {
    known = items_.emplace(key, make_train_dataset(config.data)->size()).first;
  }
  return known->second;
}

int64_t PlannedSteps::of(const TrainingConfig& config) {
  return config.train.epochs == 0 ? config.train.steps
                                  : in_steps(config.train, items(config)).steps;
}

}  // namespace limbeck
