#include "limbeck/study/study.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <set>

#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/core/processes.h"
#include "limbeck/core/progress.h"
#include "limbeck/core/statistics.h"
#include "limbeck/data/leak.h"
#include "limbeck/eval/evaluate.h"
#include "limbeck/nn/device.h"
#include "study/guard.h"
#include "study/report.h"

namespace limbeck {
namespace fs = std::filesystem;
namespace {

/// Newest step that a run has written of itself.
int64_t current_step(const StudyRun& run) {
  std::error_code absent;
  const fs::path path = run.dir / "metrics.jsonl";
  if (!fs::exists(path, absent)) return 0;
  const std::string text = read_file(path);
  const size_t end = text.find_last_not_of('\n');
  if (end == std::string::npos) return 0;
  const size_t start = text.rfind('\n', end);
  const auto line = nlohmann::json::parse(text.substr(start == std::string::npos ? 0 : start + 1),
                                          nullptr, false);
  return line.is_object() ? line.value("step", int64_t{0}) : 0;
}

bool is_trained(const StudyRun& run) {
  const fs::path last = run.dir / "last.json";
  std::error_code absent;
  if (!fs::exists(last, absent)) return false;
  const auto pointer = nlohmann::json::parse(read_file(last), nullptr, false);
  return pointer.is_object() && pointer.value("step", int64_t{0}) >= run.steps;
}

std::string last_line(const fs::path& log) {
  std::string text = read_file(log);
  while (text.ends_with('\n')) text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

class Study {
 public:
  Study(const StudyConfig& config, StudyPlan plan, std::vector<TestSet> sets, fs::path tools,
        Logger& logger)
      : config_(config),
        plan_(std::move(plan)),
        sets_(std::move(sets)),
        tools_(std::move(tools)),
        logger_(logger) {}

  ExitCode run() {
    train("teachers", plan_.teachers, static_cast<size_t>(1), true);
    std::vector<StudyRun> students;
    for (const StudyRun& student : plan_.students) {
      if (failed_teachers_.count(student.teacher)) {
        failures_.push_back({student.label, "its teacher failed"});
      } else {
        students.push_back(student);
      }
    }
    train("students", students, jobs(), false);
    const StudyResults results = score(students);
    const std::string table = write_report(plan_.dir, config_, results, failures_);
    print("%s", table);
    for (const auto& failure : failures_) logger_.error(failure.label + ": " + failure.reason);
    logger_.info("results: " + (plan_.dir / "results.csv").string() + ", " +
                 (plan_.dir / "table.md").string());
    return failures_.empty() ? ExitCode::ok : ExitCode::some_failed;
  }

 private:
  size_t jobs() const {
    if (config_.study.jobs > 0) return static_cast<size_t>(config_.study.jobs);
    if (!nn::is_cpu(config_.study.device)) return 1;
    return static_cast<size_t>(
        std::max(nn::available_cores() / static_cast<int>(config_.study.threads_per_run), 1));
  }

  /// Teachers are trained one after the other, with all cores; students with the threads that the
  /// study states.
  void train(const std::string& what, const std::vector<StudyRun>& runs, size_t at_a_time,
             bool all_cores) {
    std::vector<Command> commands;
    std::vector<const StudyRun*> started;
    int64_t total = 0;
    for (const StudyRun& run : runs) {
      total += run.steps;
      if (is_trained(run)) continue;
      fs::create_directories(plan_.dir / "configs");
      fs::create_directories(plan_.dir / "logs");
      const std::string name = slash_free(fs::relative(run.dir, plan_.dir));
      const fs::path yaml = plan_.dir / "configs" / (name + ".yaml");
      write_file_atomically(yaml, run.yaml);
      commands.push_back(
          {{(tools_ / run.tool).string(), yaml.string()}, plan_.dir / "logs" / (name + ".log")});
      if (all_cores)
        commands.back().arguments.insert(commands.back().arguments.end(), {"--threads", "0"});
      started.push_back(&run);
    }
    logger_.info(format("%s: %d to train, %d done before", what, commands.size(),
                        runs.size() - commands.size()));
    if (commands.empty()) return;
    const auto done = [&] {
      int64_t steps = 0;
      for (const StudyRun& run : runs) steps += std::min(current_step(run), run.steps);
      return steps;
    };
    Progress progress(logger_, what, "steps", total, done());
    const auto codes =
        run_commands(commands, at_a_time, [&] { progress.update(std::min(done(), total - 1)); });
    progress.finish();
    for (size_t i = 0; i < codes.size(); ++i) {
      if (codes[i] == 0) continue;
      failures_.push_back({started[i]->label, format("exit code %d: ", codes[i]) +
                                                  last_line(commands[i].log) + " (" +
                                                  commands[i].log.string() + ")"});
      failed_.insert(started[i]->dir.string());
      if (all_cores) failed_teachers_.insert(started[i]->teacher);
    }
  }

  static std::string slash_free(const fs::path& path) {
    std::string text = path.string();
    std::replace(text.begin(), text.end(), '/', '.');
    return text;
  }

  StudyResults score(const std::vector<StudyRun>& students) {
    StudyResults results;
    results.metrics = build_metrics(config_.study.metrics);
    for (size_t i = 0; i < sets_.size(); ++i) {
      results.notes[config_.study.sets[i].name] = sets_[i].notes;
    }
    Logger quiet(Verbosity::quiet);
    std::vector<StudyRun> trained;
    const std::vector<StudyRun>& teachers = plan_.teachers;
    for (const auto* group : {&teachers, &students}) {
      for (const StudyRun& run : *group) {
        if (!failed_.count(run.dir.string())) trained.push_back(run);
      }
    }
    Progress progress(logger_, "scoring", "runs", static_cast<int64_t>(trained.size()));
    int64_t done = 0;
    for (const StudyRun& run : trained) {
      for (const StudySet& set : config_.study.sets) {
        try {
          const Evaluation evaluation =
              evaluate_model({.model = run.dir.string(),
                              .manifest = set.manifest,
                              .protocol = set.protocol,
                              .allow_leak = config_.study.allow_leak,
                              .metrics = results.metrics,
                              .folder = (run.dir / "eval" / set.name).string(),
                              .device = config_.study.device},
                             quiet);
          for (const auto& failure : evaluation.failures) {
            failures_.push_back({run.label + ", " + set.name,
                                 failure.id + " " + failure.metric + ": " + failure.reason});
          }
          for (const auto& note : evaluation.notes) add_note(results.notes[set.name], note);
          results.scores.push_back(scored(run, set.name, evaluation));
        } catch (const Error& e) {
          failures_.push_back({run.label + ", " + set.name, e.what()});
        }
      }
      results.costs[run.dir.string()] = nn::model_cost(nn::find_model_file(run.dir, "best"));
      progress.update(++done);
    }
    return results;
  }

  static RunScores scored(const StudyRun& run, const std::string& set,
                          const Evaluation& evaluation) {
    RunScores scores{run, set, {}, {}};
    for (size_t m = 0; m < evaluation.metrics.size(); ++m) {
      if (evaluation.scores(m).empty()) {
        throw DataError(evaluation.metrics[m].name + " is not defined for any utterance");
      }
      scores.means.push_back(summarize(evaluation.scores(m)).mean);
      scores.noisy_means.push_back(summarize(evaluation.scores(m, true)).mean);
    }
    return scores;
  }

  const StudyConfig& config_;
  StudyPlan plan_;
  std::vector<TestSet> sets_;
  fs::path tools_;
  Logger& logger_;
  std::vector<StudyFailure> failures_;
  std::set<std::string> failed_;
  std::set<std::string> failed_teachers_;
};

}  // namespace

ExitCode run_study(const StudyConfig& config, const fs::path& tools, bool check_only,
                   Logger& logger) {
  nn::select_device(config.study.device);
  StudyPlan plan = plan_study(config);
  std::vector<TestSet> sets = read_sets(config);
  guard_sets(config, plan, sets, logger);
  logger.info(
      format("study %s: %d teachers; %d scenarios x %d methods x %d seeds = %d students; in %s",
             config.study.name, plan.teachers.size(), config.scenarios.size(),
             config.methods.size(), config.study.seeds.size(), plan.students.size(), plan.dir));
  if (check_only) {
    logger.info("configuration is sound");
    return ExitCode::ok;
  }
  fs::create_directories(plan.dir);
  const DirectoryLock lock(plan.dir);
  write_file_atomically(plan.dir / "study.yaml", config::to_yaml(config::to_node(config)));
  return Study(config, std::move(plan), std::move(sets), tools, logger).run();
}

}  // namespace limbeck
