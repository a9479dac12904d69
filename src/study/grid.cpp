#include "study/grid.h"

#include <utility>

#include "limbeck/core/format.h"
#include "study/folder_name.h"
#include "study/search.h"

namespace limbeck {
namespace {

std::string joined(std::vector<std::string> parts, const char* separator) {
  std::erase(parts, "");
  return join(parts, separator);
}

class Grid {
 public:
  Grid(const StudyConfig& config, const std::map<std::string, TrainingConfig>& teachers,
       const std::set<std::pair<size_t, size_t>>& cached, StudyPlan& plan)
      : config_(config), teachers_(teachers), cached_(cached), plan_(plan) {}

  void lay_out() {
    for (const auto& [name, node] : config_.teachers) add_teachers(name);
    const size_t teachers = plan_.nodes.size();
    for (size_t s = 0; s < config_.scenarios.size(); ++s) {
      add_search_caches(s);
      for (size_t w = 0; w < plan_.sweep.size(); ++w) add_caches(s, w);
    }
    for (size_t s = 0; s < config_.scenarios.size(); ++s) add_points(s);
    const size_t students = plan_.nodes.size();
    for (size_t s = 0; s < config_.scenarios.size(); ++s) {
      for (size_t m = 0; m < config_.methods.size(); ++m) {
        for (size_t w = 0; w < plan_.sweep.size(); ++w) add_students(s, m, w);
      }
    }
    const size_t scored = plan_.nodes.size();
    for (size_t i = 0; i < teachers; ++i) add_scores(i);
    for (size_t i = students; i < scored; ++i) add_scores(i);
  }

 private:
  bool has_terms(size_t method) const { return !config_.methods[method].distill.terms.empty(); }

  /// A search of its own, and not another scenario's.
  bool is_searched(size_t scenario) const { return search_scenario(config_, scenario) == scenario; }

  std::vector<int64_t> seeds_of(const std::string& teacher) const {
    if (!config_.study.teacher_seeds.empty()) return config_.study.teacher_seeds;
    return {teachers_.at(teacher).run.seed};
  }
  /// Students of one teacher are not told apart by its seed.
  bool are_several() const { return config_.study.teacher_seeds.size() > 1; }

  void add(StudyNode node) { plan_.nodes.push_back(std::move(node)); }

  void need(StudyNode& node, const std::string& id) const {
    if (const auto index = plan_.find(id)) node.needs.push_back(*index);
  }

  std::string teacher_id(const std::string& name, int64_t seed) const {
    const bool is_own = config_.study.teacher_seeds.empty();
    return "teachers/" + folder_name(name) + (is_own ? "" : format("/seed-%d", seed));
  }

  void add_teachers(const std::string& name) {
    const bool is_own = config_.study.teacher_seeds.empty();
    for (const int64_t seed : seeds_of(name)) {
      add({.id = teacher_id(name, seed),
           .label = "teacher " + name + (is_own ? "" : format(", seed %d", seed)),
           .kind = NodeKind::teacher,
           .teacher = name,
           .teacher_seed = seed,
           .seed = seed});
    }
  }

  std::string scenario_folder(size_t s) const { return folder_name(config_.scenarios[s].name); }
  std::string sweep_folder(size_t w) const {
    return plan_.sweep[w].name.empty() ? "" : folder_name(plan_.sweep[w].name);
  }

  std::string cache_id(size_t s, size_t w, int64_t teacher_seed, int64_t seed) const {
    return joined(
        {"cache", scenario_folder(s), sweep_folder(w),
         are_several() ? format("teacher-%d", teacher_seed) : "", format("seed-%d", seed)},
        "/");
  }
  std::string search_cache_id(size_t s, int64_t seed) const {
    return joined({"cache", "search", scenario_folder(s), format("seed-%d", seed)}, "/");
  }

  /// Of the batches that trainings of one seed meet again. `what` tells it from others.
  void add_cache(StudyNode node, const std::string& what) {
    const StudyScenario& scenario = config_.scenarios[node.scenario];
    node.kind = NodeKind::cache;
    node.teacher = scenario.teacher;
    node.label = joined({"cache of teacher " + node.teacher + " for " + scenario.name, what,
                         are_several() ? format("teacher seed %d", node.teacher_seed) : "",
                         format("seed %d", node.seed)},
                        ", ");
    need(node, teacher_id(node.teacher, node.teacher_seed));
    add(std::move(node));
  }

  void add_caches(size_t s, size_t w) {
    if (!cached_.contains({s, w})) return;
    for (const int64_t teacher_seed : seeds_of(config_.scenarios[s].teacher)) {
      for (const int64_t seed : config_.study.seeds) {
        add_cache({.id = cache_id(s, w, teacher_seed, seed),
                   .scenario = s,
                   .sweep = w,
                   .teacher_seed = teacher_seed,
                   .seed = seed},
                  plan_.sweep[w].name);
      }
    }
  }

  void add_search_caches(size_t s) {
    if (!is_searched(s) || !cached_.contains({s, kUnswept})) return;
    for (const int64_t seed : config_.study.search.seeds) {
      add_cache({.id = search_cache_id(s, seed),
                 .scenario = s,
                 .teacher_seed = seeds_of(config_.scenarios[s].teacher).front(),
                 .seed = seed},
                "search");
    }
  }

  void add_points(size_t s) {
    if (!is_searched(s)) return;
    const StudyScenario& scenario = config_.scenarios[s];
    const int64_t teacher_seed = seeds_of(scenario.teacher).front();
    for (size_t m = 0; m < config_.methods.size(); ++m) {
      for (size_t p = 0; p < plan_.search[m].size(); ++p) {
        for (const int64_t seed : config_.study.search.seeds) {
          StudyNode node{.id = point_id(s, m, p, seed),
                         .label = joined({"search: " + scenario.name, config_.methods[m].name,
                                          plan_.search[m][p].name, format("seed %d", seed)},
                                         ", "),
                         .kind = NodeKind::point,
                         .scenario = s,
                         .method = m,
                         .point = p,
                         .teacher = scenario.teacher,
                         .teacher_seed = has_terms(m) ? teacher_seed : 0,
                         .seed = seed};
          if (has_terms(m)) {
            need(node, teacher_id(scenario.teacher, teacher_seed));
            need(node, search_cache_id(s, seed));
          }
          add(std::move(node));
        }
      }
    }
  }

  std::string point_id(size_t s, size_t m, size_t p, int64_t seed) const {
    return joined({"search", scenario_folder(s), folder_name(config_.methods[m].name),
                   format("point-%d", p + 1), format("seed-%d", seed)},
                  "/");
  }

  void add_students(size_t s, size_t m, size_t w) {
    const std::vector<int64_t> teacher_seeds =
        has_terms(m) ? seeds_of(config_.scenarios[s].teacher) : std::vector<int64_t>{0};
    for (const int64_t teacher_seed : teacher_seeds) {
      for (const int64_t seed : config_.study.seeds) add_student(s, m, w, teacher_seed, seed);
    }
  }

  void add_student(size_t s, size_t m, size_t w, int64_t teacher_seed, int64_t seed) {
    const StudyScenario& scenario = config_.scenarios[s];
    const bool is_told = has_terms(m) && are_several();
    StudyNode node{.id = joined({"runs", scenario_folder(s), folder_name(config_.methods[m].name),
                                 sweep_folder(w), is_told ? format("teacher-%d", teacher_seed) : "",
                                 format("seed-%d", seed)},
                                "/"),
                   .label = joined({scenario.name, config_.methods[m].name, plan_.sweep[w].name,
                                    is_told ? format("teacher seed %d", teacher_seed) : "",
                                    format("seed %d", seed)},
                                   ", "),
                   .kind = NodeKind::student,
                   .scenario = s,
                   .method = m,
                   .sweep = w,
                   .teacher = scenario.teacher,
                   .teacher_seed = teacher_seed,
                   .seed = seed};
    if (has_terms(m)) {
      need(node, teacher_id(scenario.teacher, teacher_seed));
      need(node, cache_id(s, w, teacher_seed, seed));
    }
    for (size_t p = 0; p < plan_.search[m].size(); ++p) {
      for (const int64_t search_seed : config_.study.search.seeds) {
        need(node, point_id(search_scenario(config_, s), m, p, search_seed));
      }
    }
    add(std::move(node));
  }

  void add_scores(size_t run) {
    StudyNode node = plan_.nodes[run];
    node.id = "scores/" + node.id;
    node.label = "scores of " + node.label;
    node.kind = NodeKind::scores;
    node.needs = {run};
    add(std::move(node));
  }

  const StudyConfig& config_;
  const std::map<std::string, TrainingConfig>& teachers_;
  const std::set<std::pair<size_t, size_t>>& cached_;
  StudyPlan& plan_;
};

}  // namespace

void lay_out(const StudyConfig& config, const std::map<std::string, TrainingConfig>& teachers,
             const std::set<std::pair<size_t, size_t>>& cached, StudyPlan& plan) {
  Grid(config, teachers, cached, plan).lay_out();
}

}  // namespace limbeck
