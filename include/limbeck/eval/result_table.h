#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "limbeck/core/statistics.h"
#include "limbeck/metric/metric.h"

namespace limbeck {

/// What is known of the recording of an utterance; empty where it is not.
struct Condition {
  std::string speaker;
  std::string snr_db;  ///< of the noisy side, as the manifest writes it
  std::string noise;

  bool operator==(const Condition&) const = default;
};

/// Scores of one utterance, in the order of ResultTable::metrics; NaN where a score is not defined.
struct UtteranceScores {
  std::string id;
  double seconds = 0;
  Condition condition;
  std::optional<int64_t> lag_samples;  ///< of the estimate, where it was aligned
  std::vector<double> scores;
  std::vector<double> noisy_scores;  ///< empty where no noisy side is known
  /// By which the longest of its files is longer than what is scored (data/pair_lengths.h); 0 where
  /// it was aligned.
  int64_t cut_samples = 0;

  /// NaN where the side is not known.
  double score(size_t metric, bool noisy = false) const;
};

struct UtteranceFailure {
  std::string id;
  std::string metric;  ///< the one that is not defined; empty: nothing of the utterance is scored
  std::string reason;
};

/// On what scores were made: names ("device") and values ("cpu"). It may change last digits.
using Environment = std::map<std::string, std::string>;

/// What one system reached on one set.
struct RunResults {
  std::string name;  ///< heads its row
  std::vector<UtteranceScores> rows = {};
  std::vector<UtteranceFailure> failures = {};
  std::vector<std::string> notes = {};  ///< what has to be said wherever the scores are shown
  Environment environment = {};

  bool has_noisy() const;
};

/// Scores by run, utterance and metric: all that tables, files, comparisons and studies are made
/// from. Scores that are not defined take part in no mean.
struct ResultTable {
  std::vector<Metric> metrics;
  std::vector<RunResults> runs = {};
  /// What `paired` left out, and why, a text for each metric of which it did.
  std::vector<std::string> left_out = {};

  /// Index in `metrics`, if it is there.
  std::optional<size_t> find(const std::string& metric) const;
  const RunResults* find_run(const std::string& name) const;

  /// Takes over the runs of a table of the same metrics; throws std::invalid_argument for others.
  void add(ResultTable other);
  /// The same with these metrics only; nothing if one of them, in this version, is not there.
  std::optional<ResultTable> select(const std::vector<Metric>& metrics) const;

  /// The same with means that may be compared, as those that stand in one table must: a metric
  /// keeps only the utterances of which every run that has any score of it has one, on the noisy
  /// side too where that is known. An utterance that one system has no score of would else be
  /// missing from its mean alone, and it is seldom an easy one.
  ResultTable paired() const;

  /// The scores of all utterances that have one.
  std::vector<double> scores(const RunResults& run, size_t metric, bool noisy = false) const;
  /// Of the scores of a run over its utterances.
  Summary over_utterances(const RunResults& run, size_t metric, bool noisy = false) const;
  /// Of the means of these runs.
  Summary over_runs(const std::vector<const RunResults*>& some, size_t metric) const;
  std::vector<const RunResults*> all_runs() const;

  /// Utterances of which a file was cut, in any run.
  std::set<std::string> cut_utterances() const;

  /// Improvement in SI-SDR of one utterance, dB; NaN where it is not known.
  double si_sdr_improvement(const UtteranceScores& row) const;

  /// What has to be said of the runs, with their names where it is not true of all of them: their
  /// notes, then what their environments differ by.
  std::vector<std::string> remarks() const;
  /// Throws DataError, naming the run, where a metric has no score of any utterance.
  void require_scores() const;
};

/// "device differs: cpu (a, b); cuda (c)", a line for each name whose value is not the same in all
/// runs of which it is known.
std::vector<std::string> environment_differences(const std::vector<const RunResults*>& runs);

}  // namespace limbeck
