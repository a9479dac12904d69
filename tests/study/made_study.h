#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "limbeck/core/format.h"
#include "limbeck/study/config.h"
#include "limbeck/study/results.h"

namespace limbeck::test {

/// A study that nobody ran: a teacher "t", a set "vbd_test", and scores as they are added. Of its
/// methods "none" alone follows no teacher.
struct MadeStudy {
  StudyConfig config;
  StudyResults results;

  MadeStudy(const std::vector<std::string>& scenarios, const std::vector<std::string>& methods,
            const std::vector<MetricConfig>& metrics = {"si_sdr"}) {
    config.study.name = "made";
    config.study.metrics = metrics;
    config.study.sets = {{"vbd_test", "test.csv", ""}};
    config.teachers["t"] = {};
    for (const auto& name : scenarios) config.scenarios.push_back({name, "t", {}});
    for (const auto& name : methods) {
      StudyMethod& method = config.methods.emplace_back();
      method.name = name;
      if (name != "none") method.distill.terms.emplace_back();
    }
    results.metrics = build_metrics(metrics);
    for (const auto& set : config.study.sets) results.tables[set.name].metrics = results.metrics;
  }

  /// One run. Each metric has the value on average over four utterances of two speakers, which are
  /// 0.1 apart; the noisy side has 3.
  ScoredRun& add(const StudyArm& arm, int64_t seed, std::vector<double> values,
                 int64_t teacher_seed = 1) {
    const std::string label = config.scenarios[arm.scenario].name + ", " +
                              config.methods[arm.method].name +
                              format(", teacher seed %d, seed %d", teacher_seed, seed);
    ScoredRun run{.id = format("runs/%d/%d/%d/teacher-%d/seed-%d", arm.scenario, arm.method,
                               arm.sweep, teacher_seed, seed),
                  .label = label,
                  .arm = arm,
                  .teacher = "t",
                  .teacher_seed = teacher_seed,
                  .seed = seed,
                  .parameters = 12345 * static_cast<int64_t>(arm.scenario + 1),
                  .macs_per_second = 6.78e6 * static_cast<double>(arm.scenario + 1)};
    return put(std::move(run), std::move(values));
  }

  ScoredRun& add_teacher(int64_t seed, std::vector<double> values) {
    ScoredRun run{.id = format("teachers/t/seed-%d", seed),
                  .label = format("teacher t, seed %d", seed),
                  .arm = {},
                  .teacher = "t",
                  .teacher_seed = seed,
                  .seed = seed,
                  .parameters = 2400000,
                  .macs_per_second = 1.5e9};
    return put(std::move(run), std::move(values));
  }

  RunResults& last_scores(const std::string& set = "vbd_test") {
    return results.tables[set].runs.back();
  }

 private:
  ScoredRun& put(ScoredRun run, std::vector<double> values) {
    for (auto& [name, table] : results.tables) {
      RunResults& scores = table.runs.emplace_back(RunResults{run.id});
      for (int i = 0; i < 4; ++i) {
        UtteranceScores& row = scores.rows.emplace_back();
        row.id = format("u%d", i);
        row.seconds = 1;
        row.condition.speaker = i < 2 ? "p232" : "p257";
        for (const double value : values) row.scores.push_back(value + 0.1 * (i - 1.5));
        row.noisy_scores.assign(values.size(), 3);
      }
    }
    results.runs.push_back(std::move(run));
    return results.runs.back();
  }
};

}  // namespace limbeck::test
