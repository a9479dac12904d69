#include "study/report_data.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "limbeck/core/format.h"

namespace limbeck {
namespace {

constexpr const char* kScratch = "none";  // the method that others are held against if it is there
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

using Runs = std::vector<const ScoredRun*>;

struct Pair {
  const ScoredRun* method;
  const ScoredRun* reference;
  int64_t teacher_seed;  ///< that of the side which follows a teacher
};

/// Methods that are compared, and whether the study asked for it.
struct Question {
  std::string method, reference;
  bool is_named;
};

std::vector<Question> questions_of(const StudyConfig& config) {
  std::vector<Question> questions;
  const auto add = [&](const std::string& method, const std::string& reference, bool is_named) {
    for (const Question& q : questions) {
      if ((q.method == method && q.reference == reference) ||
          (q.method == reference && q.reference == method)) {
        return;
      }
    }
    if (method != reference) questions.push_back({method, reference, is_named});
  };
  for (const auto& pair : config.study.compare) add(pair.at(0), pair.at(1), true);
  const std::string& baseline = config.study.baseline;
  const bool has_scratch = std::any_of(config.methods.begin(), config.methods.end(),
                                       [](const auto& m) { return m.name == kScratch; });
  for (const StudyMethod& method : config.methods) {
    if (!baseline.empty()) add(method.name, baseline, config.study.compare.empty());
  }
  for (const StudyMethod& method : config.methods) {
    if (has_scratch) add(method.name, kScratch, false);
  }
  return questions;
}

/// Over those that are known.
Summary summary_of(const std::vector<double>& values) { return summarize(known_values(values)); }

/// Everything that is said of one set.
class SetBuilder {
 public:
  SetBuilder(const StudyConfig& config, const StudyResults& results, const std::string& name)
      : config_(config), results_(results) {
    set_.name = name;
    const auto found = results.tables.find(name);
    set_.table =
        found == results.tables.end() ? ResultTable{results.metrics} : found->second.paired();
    if (const auto notes = results.notes.find(name); notes != results.notes.end()) {
      set_.notes = notes->second;
    }
  }

  SetReport build(size_t primary) {
    add_noisy();
    for (const auto& [name, unused] : config_.teachers) add_teacher(name);
    for_each_cell([&](size_t s, size_t w, size_t m) { add_students({s, m, w}); });
    for (const Question& question : questions_of(config_)) {
      for (size_t s = 0; s < config_.scenarios.size(); ++s) {
        for (size_t w = 0; w < results_.sweep.size(); ++w) add_difference(question, s, w, primary);
      }
    }
    return std::move(set_);
  }

 private:
  template <class Body>
  void for_each_cell(const Body& body) {
    for (size_t s = 0; s < config_.scenarios.size(); ++s) {
      for (size_t w = 0; w < results_.sweep.size(); ++w) {
        for (size_t m = 0; m < config_.methods.size(); ++m) body(s, w, m);
      }
    }
  }

  bool follows_teacher(size_t method) const {
    return !config_.methods[method].distill.terms.empty();
  }

  /// Of what follows a teacher, or does not.
  Unit unit_of(bool follows) const {
    const bool has_more_teachers = config_.study.teacher_seeds.size() > config_.study.seeds.size();
    return follows && has_more_teachers ? Unit::teacher_seed : Unit::seed;
  }

  /// Those of an arm that have scores.
  Runs runs_of(const StudyArm& arm) const {
    Runs runs;
    for (const ScoredRun& run : results_.runs) {
      if (run.arm == arm && set_.table.find_run(run.id) != nullptr) runs.push_back(&run);
    }
    return runs;
  }

  size_t missing_of(const StudyArm& arm) const {
    return static_cast<size_t>(std::count_if(
        results_.missing.begin(), results_.missing.end(), [&](const MissingRun& missing) {
          return missing.arm == arm && (missing.set.empty() || missing.set == set_.name);
        }));
  }

  double value_of(const ScoredRun& run, size_t metric) const {
    return set_.table.over_utterances(*set_.table.find_run(run.id), metric).mean;
  }

  void add_noisy() {
    const auto has_noisy = [](const RunResults& run) { return run.has_noisy(); };
    const auto& runs = set_.table.runs;
    const auto found = std::find_if(runs.begin(), runs.end(), has_noisy);
    if (found == runs.end()) return;
    SystemRow row{.kind = SystemKind::noisy, .method = "noisy"};
    for (size_t m = 0; m < set_.table.metrics.size(); ++m) {
      SystemScores& scores = row.scores.emplace_back();
      scores.values = {set_.table.over_utterances(*found, m, true).mean};
      scores.runs = scores.units = summary_of(scores.values);
    }
    set_.systems.push_back(std::move(row));
  }

  void add_teacher(const std::string& name) {
    SystemRow row{.kind = SystemKind::teacher, .method = "teacher " + name};
    for (const ScoredRun& run : results_.runs) {
      if (!run.arm && run.teacher == name && set_.table.find_run(run.id) != nullptr) {
        row.runs.push_back(&run);
      }
    }
    if (!row.runs.empty()) add_row(std::move(row));
  }

  void add_students(const StudyArm& arm) {
    SystemRow row{.scenario = config_.scenarios[arm.scenario].name,
                  .sweep = results_.sweep[arm.sweep],
                  .method = config_.methods[arm.method].name,
                  .runs = runs_of(arm),
                  .missing = missing_of(arm)};
    if (row.planned() > 0) add_row(std::move(row));
  }

  void add_row(SystemRow row) {
    for (const ScoredRun* run : row.runs) row.skipped_steps += run->skipped_steps;
    for (size_t m = 0; m < set_.table.metrics.size(); ++m) {
      row.scores.push_back(scores_of(row, m));
    }
    set_.systems.push_back(std::move(row));
  }

  SystemScores scores_of(const SystemRow& row, size_t metric) const {
    SystemScores scores;
    const bool follows = row.kind == SystemKind::student && follows_teacher(index_of(row.method));
    const Unit unit = unit_of(follows);
    std::map<int64_t, std::map<int64_t, double>> by_teacher;
    std::map<int64_t, std::vector<double>> by_unit;
    std::set<int64_t> seeds;
    for (const ScoredRun* run : row.runs) {
      const double value = value_of(*run, metric);
      scores.values.push_back(value);
      by_teacher[run->teacher_seed][run->seed] = value;
      by_unit[unit == Unit::seed ? run->seed : run->teacher_seed].push_back(value);
      seeds.insert(run->seed);
    }
    scores.runs = summary_of(scores.values);
    std::vector<double> means;
    for (const auto& [at, values] : by_unit) means.push_back(summary_of(values).mean);
    scores.units = summary_of(means);
    const SeedKey key = SeedKey(0).with("interquartile").with(set_.table.metrics[metric].name);
    scores.middle = interquartile_mean(scores.values, key);
    if (!follows) return scores;
    std::vector<std::vector<double>> grid;
    for (const auto& [teacher, values] : by_teacher) {
      auto& line = grid.emplace_back();
      for (const int64_t seed : seeds) {
        const auto found = values.find(seed);
        line.push_back(found == values.end() ? kNan : found->second);
      }
    }
    scores.variances = variance_components(grid);
    return scores;
  }

  /// Runs of one seed and one teacher; what follows none stands beside those of all teachers.
  std::vector<Pair> pairs_of(const Question& question, size_t scenario, size_t sweep) const {
    const size_t own = index_of(question.method), other = index_of(question.reference);
    std::vector<Pair> pairs;
    for (const ScoredRun* a : runs_of({scenario, own, sweep})) {
      for (const ScoredRun* b : runs_of({scenario, other, sweep})) {
        const bool both_follow = follows_teacher(own) && follows_teacher(other);
        if (a->seed != b->seed || (both_follow && a->teacher_seed != b->teacher_seed)) continue;
        pairs.push_back({a, b, (follows_teacher(own) ? a : b)->teacher_seed});
      }
    }
    return pairs;
  }

  size_t index_of(const std::string& method) const {
    const auto found = std::find_if(config_.methods.begin(), config_.methods.end(),
                                    [&](const auto& m) { return m.name == method; });
    return static_cast<size_t>(found - config_.methods.begin());
  }

  void add_difference(const Question& question, size_t scenario, size_t sweep, size_t primary) {
    ArmDifference result{.scenario = config_.scenarios[scenario].name,
                         .sweep = results_.sweep[sweep],
                         .method = question.method,
                         .reference = question.reference,
                         .is_named = question.is_named};
    result.follows_teacher =
        follows_teacher(index_of(question.method)) || follows_teacher(index_of(question.reference));
    result.unit = unit_of(result.follows_teacher);
    std::map<int64_t, std::vector<Pair>> units;
    for (const Pair& pair : pairs_of(question, scenario, sweep)) {
      units[result.unit == Unit::seed ? pair.method->seed : pair.teacher_seed].push_back(pair);
    }
    for (const auto& [unit, unused] : units) result.units.push_back(unit);
    const SeedKey key = SeedKey(0)
                            .with(set_.name)
                            .with(result.scenario)
                            .with(result.sweep)
                            .with(result.method)
                            .with(result.reference);
    for (size_t m = 0; m < set_.table.metrics.size(); ++m) {
      result.metrics.push_back(difference_of(units, m, key.with(set_.table.metrics[m].name)));
    }
    if (question.is_named) result.bootstrap = bootstrap_of(units, primary, key.with("bootstrap"));
    set_.differences.push_back(std::move(result));
  }

  ArmMetric difference_of(const std::map<int64_t, std::vector<Pair>>& units, size_t metric,
                          SeedKey key) const {
    ArmMetric difference;
    std::vector<double> own, reference;
    for (const auto& [unit, pairs] : units) {
      std::vector<double> a, b;
      for (const Pair& pair : pairs) {
        a.push_back(value_of(*pair.method, metric));
        b.push_back(value_of(*pair.reference, metric));
      }
      own.push_back(summary_of(a).mean);
      reference.push_back(summary_of(b).mean);
      difference.values.push_back(own.back() - reference.back());
    }
    difference.analysis =
        analyze_pairs(reference, own, set_.table.metrics[metric].higher_is_better, key);
    return difference;
  }

  /// Differences of each unit on each utterance, as all runs of the paired table have the same.
  HierarchicalMean bootstrap_of(const std::map<int64_t, std::vector<Pair>>& units, size_t metric,
                                SeedKey key) const {
    std::map<std::string, size_t> index;
    std::vector<std::string> speakers;
    for (const RunResults& run : set_.table.runs) {
      for (const UtteranceScores& row : run.rows) {
        if (index.emplace(row.id, speakers.size()).second) {
          speakers.push_back(row.condition.speaker);
        }
      }
    }
    std::vector<std::vector<double>> differences;
    for (const auto& [unit, pairs] : units) {
      std::vector<double> sums(speakers.size(), 0);
      for (const Pair& pair : pairs) {
        const auto a = by_utterance(*pair.method, metric, index);
        const auto b = by_utterance(*pair.reference, metric, index);
        for (size_t i = 0; i < sums.size(); ++i) {
          sums[i] += (a[i] - b[i]) / static_cast<double>(pairs.size());
        }
      }
      differences.push_back(std::move(sums));
    }
    return hierarchical_bootstrap(differences, speakers, key);
  }

  std::vector<double> by_utterance(const ScoredRun& run, size_t metric,
                                   const std::map<std::string, size_t>& index) const {
    std::vector<double> values(index.size(), kNan);
    for (const UtteranceScores& row : set_.table.find_run(run.id)->rows) {
      values[index.at(row.id)] = row.score(metric);
    }
    return values;
  }

  const StudyConfig& config_;
  const StudyResults& results_;
  SetReport set_;
};

/// Holm's p over the named comparisons of all sets. Those that cannot be computed yet count with
/// 1, so that a partial study corrects for no fewer than the whole.
void correct(ReportData& data) {
  std::vector<ArmDifference*> family;
  std::vector<double> p;
  for (SetReport& set : data.sets) {
    for (ArmDifference& difference : set.differences) {
      if (!difference.is_named) continue;
      family.push_back(&difference);
      const double own = difference.metrics[data.primary].analysis.p;
      p.push_back(std::isnan(own) ? 1 : own);
    }
  }
  const std::vector<double> corrected = holm(p);
  for (size_t i = 0; i < family.size(); ++i) {
    if (!std::isnan(family[i]->metrics[data.primary].analysis.p)) family[i]->holm_p = corrected[i];
  }
  data.family = family.size();
}

/// What the environments of some trainings differ by.
void add_environments(const StudyResults& results, bool of_teachers,
                      std::vector<std::string>& warnings) {
  std::vector<RunResults> trained;
  for (const ScoredRun& run : results.runs) {
    if (run.arm.has_value() == of_teachers) continue;
    trained.push_back({.name = run.label, .environment = run.environment});
  }
  std::vector<const RunResults*> all;
  for (const RunResults& run : trained) all.push_back(&run);
  for (const std::string& text : environment_differences(all)) {
    warnings.push_back(std::string(of_teachers ? "Teachers" : "Students") +
                       " were trained in different environments: " + text);
  }
}

std::vector<std::string> warnings_of(const StudyResults& results,
                                     const std::vector<SetReport>& sets) {
  std::vector<std::string> warnings;
  for (const std::string& text : results.unfair) warnings.push_back("Unfair: " + text);
  for (const ScoredRun& run : results.runs) {
    if (run.skipped_steps == 0) continue;
    warnings.push_back(
        format("%s: %d training steps were skipped, as their loss or gradient was "
               "not finite",
               run.label, run.skipped_steps));
  }
  add_environments(results, false, warnings);
  add_environments(results, true, warnings);
  for (const SetReport& set : sets) {
    for (const std::string& text : environment_differences(set.table.all_runs())) {
      warnings.push_back("Set " + set.name + " was scored in different environments: " + text);
    }
    for (const std::string& text : set.table.left_out) {
      warnings.push_back("Set " + set.name + ", " + text);
    }
  }
  return warnings;
}

}  // namespace

ReportData report_data(const StudyConfig& config, const StudyResults& results) {
  ReportData data;
  const ResultTable metrics{results.metrics};
  data.primary = metrics.find(config.study.primary).value_or(0);
  data.has_sweep = results.sweep.size() > 1 || !results.sweep.front().empty();
  data.has_teachers = config.study.teacher_seeds.size() > 1;
  for (const StudySet& set : config.study.sets) {
    data.sets.push_back(SetBuilder(config, results, set.name).build(data.primary));
  }
  correct(data);
  data.warnings = warnings_of(results, data.sets);
  return data;
}

std::string missing_text(const MissingRun& missing) {
  return missing.label + (missing.set.empty() ? "" : ", set " + missing.set) + ": " +
         missing.reason;
}

}  // namespace limbeck
