#include "limbeck/study/study.h"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <set>
#include <thread>

#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/core/interrupt.h"
#include "limbeck/core/processes.h"
#include "limbeck/core/progress.h"
#include "limbeck/data/leak.h"
#include "limbeck/data/options.h"
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

/// What a program said last, after `from` bytes of its log: its error, or else its last line.
std::string last_words(const fs::path& log, size_t from) {
  std::string text = "\n" + read_file(log).substr(from);
  while (text.ends_with('\n')) text.pop_back();
  const std::string mark = "\nerror: ";
  const size_t error = text.rfind(mark);
  return error == std::string::npos ? text.substr(text.rfind('\n') + 1)
                                    : text.substr(error + mark.size());
}

int64_t planned_steps(const TrainingConfig& config) {
  if (config.train.epochs == 0) return config.train.steps;
  return in_steps(config.train, make_train_dataset(config.data)->size()).steps;
}

/// A training whose study was killed saves and ends by itself, and holds its folder until then.
/// Whoever holds it for longer is told of by the training that wants it.
void wait_until_free(const StudyRun& run, Logger& logger) {
  constexpr int kTries = 600;
  for (int i = 0; i < kTries && fs::exists(run.dir); ++i) {
    try {
      const DirectoryLock free(run.dir);
      return;
    } catch (const ConfigError&) {
      throw_if_interrupted();
      if (i == 0) logger.info(run.label + ": waiting for an earlier training of it to end");
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  }
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
    std::vector<RunStanding> standings;
    for (const StudyRun* run : all_runs()) {
      standings.push_back(states_.of(*run));
      const RunStanding& standing = standings.back();
      if (show) logger_.info(run->label + ": " + state_name(standing.state));
      if (show && standing.state == StudyRunState::damaged)
        logger_.warn(damage_text(*run, standing));
    }
    states_.require_none_refused(all_runs(), standings);
  }

  ExitCode run() {
    train("teachers", plan_.teachers, 1, true);
    std::vector<StudyRun> students;
    for (const StudyRun& student : plan_.students) {
      const bool has_teacher = !student.config.distill.terms.empty();
      if (has_teacher && failed_.count(student.config.teacher.checkpoint) &&
          states_.of(student).state != StudyRunState::done) {
        fail(student, "its teacher failed");
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

  static std::string damage_text(const StudyRun& run, const RunStanding& standing) {
    return join(standing.reasons, "; ") + "; to train it anew, remove " + run.dir.string();
  }

  size_t jobs() const {
    if (config_.study.jobs > 0) return static_cast<size_t>(config_.study.jobs);
    if (!nn::is_cpu(config_.study.device)) return 1;
    return static_cast<size_t>(
        std::max(nn::available_cores() / static_cast<int>(config_.study.threads_per_run), 1));
  }

  void fail(const StudyRun& run, const std::string& reason) {
    failures_.push_back({run.label, reason});
    failed_.insert(run.dir.string());
  }

  /// A run in a process of its own, and where its log began.
  struct Training {
    const StudyRun* run;
    Command command;
    size_t log_begin;
  };

  Training training_of(const StudyRun& run, const RunStanding& standing, bool all_cores) {
    const std::string name = run.dir.lexically_relative(plan_.dir).string();
    const fs::path yaml = plan_.dir / "configs" / (name + ".yaml");
    const fs::path log = plan_.dir / "logs" / (name + ".log");
    for (const fs::path& file : {yaml, log}) fs::create_directories(file.parent_path());
    write_file_atomically(yaml, config::to_yaml(config::to_node(run.config)));
    std::vector<std::string> arguments = {(tools_ / run.tool).string(), yaml.string()};
    if (all_cores) arguments.insert(arguments.end(), {"--threads", "0"});
    if (standing.state == StudyRunState::to_train_anew) {
      logger_.info(run.label + ": is trained anew in place of one that came to nothing:" +
                   listed(standing.reasons));
      arguments.emplace_back("--restart");
    }
    return {&run, {arguments, log}, fs::exists(log) ? fs::file_size(log) : 0};
  }

  /// Teachers are trained one after the other, with all cores; students with the threads that the
  /// study states. What cannot be trained is a failure of this run alone.
  void train(const std::string& what, const std::vector<StudyRun>& runs, size_t at_a_time,
             bool all_cores) {
    std::vector<const StudyRun*> all;
    std::vector<RunStanding> standings;
    for (const StudyRun& run : runs) {
      if (!states_.is_known_as_done(run)) wait_until_free(run, logger_);
      all.push_back(&run);
      standings.push_back(states_.of(run));
    }
    states_.require_none_refused(all, standings);  // now that the teachers are known
    std::vector<Training> trainings;
    size_t done_before = 0;
    std::vector<int64_t> planned;
    for (size_t i = 0; i < runs.size(); ++i) {
      const StudyRun& run = runs[i];
      const RunStanding& standing = standings[i];
      planned.push_back(planned_steps(run.config));
      if (standing.state == StudyRunState::done) {
        ++done_before;
      } else if (standing.state == StudyRunState::damaged) {
        fail(run, damage_text(run, standing));
      } else {
        trainings.push_back(training_of(run, standing, all_cores));
      }
    }
    logger_.info(format("%s: %d to train, %d done before", what, trainings.size(), done_before));
    if (trainings.empty()) return;
    const auto steps_done = [&] {
      int64_t steps = 0;
      for (size_t i = 0; i < runs.size(); ++i) {
        steps += std::min(RunView(runs[i].dir).progress(), planned[i]);
      }
      return steps;
    };
    const int64_t total = std::accumulate(planned.begin(), planned.end(), int64_t{0});
    std::vector<Command> commands;
    for (const Training& training : trainings) commands.push_back(training.command);
    Progress progress(logger_, what, "steps", total, steps_done());
    const auto codes = run_commands(commands, at_a_time,
                                    [&] { progress.update(std::min(steps_done(), total - 1)); });
    progress.finish();
    for (size_t i = 0; i < codes.size(); ++i) {
      if (codes[i] == 0) continue;
      const fs::path& log = commands[i].log;
      fail(*trainings[i].run,
           format("exit code %d: %s (%s)", codes[i], last_words(log, trainings[i].log_begin), log));
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
      } catch (const Interrupted&) {
        throw;
      } catch (const std::exception& e) {  // LibTorch's, too, as where a GPU's memory is too small
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
  std::set<std::string> failed_;  ///< folders of runs
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
