#include "limbeck/study/study.h"

#include <algorithm>
#include <set>

#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/core/processes.h"
#include "limbeck/core/progress.h"
#include "limbeck/data/leak.h"
#include "limbeck/eval/job.h"
#include "limbeck/nn/device.h"
#include "limbeck/nn/model_file.h"
#include "limbeck/run/run_view.h"
#include "study/folder_name.h"
#include "study/report.h"
#include "study/run_states.h"
#include "study/test_sets.h"

namespace limbeck {
namespace fs = std::filesystem;
namespace {

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
        states_(plan_),
        sets_(std::move(sets)),
        tools_(std::move(tools)),
        logger_(logger) {}

  /// How every run stands; throws ConfigError if one of them may not be gone on with.
  void check(bool show) {
    if (show) {
      for (const StudyRun* run : all_runs()) {
        logger_.info(run->label + ": " + state_name(states_.of(*run).state));
      }
    }
    states_.require_none_refused(all_runs());
  }

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
  std::vector<const StudyRun*> all_runs() const {
    std::vector<const StudyRun*> runs;
    for (const auto* group : {&plan_.teachers, &plan_.students}) {
      for (const StudyRun& run : *group) runs.push_back(&run);
    }
    return runs;
  }

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
    std::vector<const StudyRun*> all, started;
    int64_t total = 0;
    for (const StudyRun& run : runs) all.push_back(&run);
    states_.require_none_refused(all);  // now that the teachers are known
    for (const StudyRun& run : runs) {
      total += run.config.train.steps;
      if (states_.of(run).state == RunState::done) continue;
      const std::string name = fs::relative(run.dir, plan_.dir).string();
      const fs::path yaml = plan_.dir / "configs" / (name + ".yaml");
      const fs::path said = plan_.dir / "logs" / (name + ".log");
      for (const fs::path& file : {yaml, said}) fs::create_directories(file.parent_path());
      write_file_atomically(yaml, config::to_yaml(config::to_node(run.config)));
      commands.push_back({{(tools_ / run.tool).string(), yaml.string()}, said});
      if (all_cores)
        commands.back().arguments.insert(commands.back().arguments.end(), {"--threads", "0"});
      started.push_back(&run);
    }
    logger_.info(format("%s: %d to train, %d done before", what, commands.size(),
                        runs.size() - commands.size()));
    if (commands.empty()) return;
    const auto done = [&] {
      int64_t steps = 0;
      for (const StudyRun& run : runs) {
        steps += std::min(RunView(run.dir).progress(), run.config.train.steps);
      }
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

  StudyResults score(const std::vector<StudyRun>& students) {
    StudyResults results;
    results.metrics = build_metrics(config_.study.metrics);
    for (size_t i = 0; i < sets_.size(); ++i) {
      results.notes[config_.study.sets[i].name] = sets_[i].notes;
    }
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
      score_run(run, results);
      progress.update(++done);
    }
    return results;
  }

  /// On every set. What cannot be scored is a failure of this run alone.
  void score_run(const StudyRun& run, StudyResults& results) {
    Logger quiet(Verbosity::quiet);
    const Scoring scoring{.metrics = results.metrics, .device = config_.study.device};
    const ModelSource source{.path = run.dir.string(), .allow_leak = config_.study.allow_leak};
    for (const StudySet& set : config_.study.sets) {
      try {
        const TestSet pairs = read_test_set(set.manifest, set.protocol);
        EvaluationJob job =
            model_job(source, pairs, scoring, run.dir / "eval" / folder_name(set.name), quiet);
        job.system = run.label;
        job.replaces_others = true;
        ResultTable table = run_job(job, quiet);
        RunResults& scores = table.runs.front();
        for (const auto& failure : scores.failures) {
          failures_.push_back({run.label + ", " + set.name,
                               failure.id + " " + failure.metric + ": " + failure.reason});
        }
        table.require_scores();
        for (const auto& note : scores.notes) add_note(results.notes[set.name], note);
        if (results.runs.empty() || results.runs.back().run.dir != run.dir) {
          results.runs.push_back({run, nn::model_cost(job.model_file)});
        }
        scores.name = results.runs.back().name();
        results.tables.try_emplace(set.name, ResultTable{results.metrics}).first->second.add(table);
      } catch (const Error& e) {
        failures_.push_back({run.label + ", " + set.name, e.what()});
      }
    }
  }

  const StudyConfig& config_;
  StudyPlan plan_;
  RunStates states_;
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
  check_sets(config, plan, sets, logger);
  if (check_only) check_files(plan, sets, logger);
  logger.info(
      format("study %s: %d teachers; %d scenarios x %d methods x %d seeds = %d students; in %s",
             config.study.name, plan.teachers.size(), config.scenarios.size(),
             config.methods.size(), config.study.seeds.size(), plan.students.size(), plan.dir));
  const fs::path dir = plan.dir;
  Study study(config, std::move(plan), std::move(sets), tools, logger);
  study.check(check_only);
  if (check_only) {
    logger.info("configuration is sound");
    return ExitCode::ok;
  }
  fs::create_directories(dir);
  const DirectoryLock lock(dir, &logger);
  write_file_atomically(dir / "study.yaml", config::to_yaml(config::to_node(config)));
  return study.run();
}

}  // namespace limbeck
