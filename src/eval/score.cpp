#include "eval/score.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "eval/fit.h"
#include "eval/journal.h"
#include "limbeck/core/error.h"
#include "limbeck/core/interrupt.h"
#include "limbeck/core/parallel.h"
#include "limbeck/core/progress.h"
#include "limbeck/nn/device.h"

namespace limbeck {
namespace {

/// The signals of one utterance on their way to the scores.
struct Signals {
  Waveform clean, noisy, estimate;
  Overlap noisy_overlap, estimate_overlap;
};

void read_recordings(const EvaluationItem& item, const FitOptions& options, Signals& signals) {
  signals.clean = read_for_scoring(item.clean, options);
  if (!item.noisy.path.empty()) {
    signals.noisy = read_for_scoring(item.noisy, options);
    signals.noisy_overlap = fit(signals.clean, signals.noisy, item.noisy.path.string(), options);
  }
}

/// One score, or NaN and a failure that says why there is none.
double score_of(const Metric& metric, const std::string& name, const std::string& id,
                ScoredPair& pair, std::vector<UtteranceFailure>& failures) {
  try {
    const double value = metric.score(pair);
    if (std::isfinite(value)) return value;
    throw DataError("the score is not a finite number");
  } catch (const DataError& e) {
    failures.push_back({id, name, e.what()});
    return NAN;
  }
}

std::vector<double> scores_of(std::span<const float> clean, std::span<const float> other,
                              int rate_hz, const std::vector<Metric>& metrics,
                              const std::string& suffix, const std::string& id,
                              std::vector<UtteranceFailure>& failures) {
  ScoredPair pair(clean, other, rate_hz);
  std::vector<double> scores;
  for (const Metric& metric : metrics) {
    scores.push_back(score_of(metric, metric.name + suffix, id, pair, failures));
  }
  return scores;
}

Outcome score(const EvaluationItem& item, const Signals& s, const ScoreOptions& options) {
  Outcome outcome;
  UtteranceScores row{item.id, s.clean.seconds(), item.condition, {}, {}, {}};
  if (options.fit.align) {
    row.lag_samples = s.estimate_overlap.lag();
  } else {
    row.cut_samples = s.estimate_overlap.cut(s.clean, s.estimate);
  }
  row.scores =
      scores_of(s.estimate_overlap.of_clean(s.clean), s.estimate_overlap.of_other(s.estimate),
                s.clean.rate_hz, options.metrics, "", item.id, outcome.failures);
  if (!item.noisy.path.empty()) {
    if (!options.fit.align) {
      row.cut_samples = std::max(row.cut_samples, s.noisy_overlap.cut(s.clean, s.noisy));
    }
    row.noisy_scores =
        scores_of(s.noisy_overlap.of_clean(s.clean), s.noisy_overlap.of_other(s.noisy),
                  s.clean.rate_hz, options.metrics, "_noisy", item.id, outcome.failures);
  }
  outcome.row = std::move(row);
  return outcome;
}

/// Works on one batch: reads, makes or reads the estimates, scores.
class BatchScorer {
 public:
  BatchScorer(const std::vector<EvaluationItem>& items, const ScoreOptions& options)
      : items_(items), options_(options) {}

  std::vector<Outcome> run(const std::vector<size_t>& batch) const {
    std::vector<Signals> signals(batch.size());
    std::vector<Outcome> outcomes(batch.size());
    const auto attempt = [&](size_t i, const auto& body) {
      if (!outcomes[i].failures.empty()) return;
      try {
        nn::within_memory(at::kCPU, [&] { body(items_[batch[i]], signals[i]); });
      } catch (const DataError& e) {
        outcomes[i].failures.push_back({items_[batch[i]].id, "", e.what()});
      }
    };
    for (size_t i = 0; i < batch.size(); ++i) {
      attempt(i, [&](const EvaluationItem& item, Signals& s) {
        read_recordings(item, options_.fit, s);
        if (!item.estimate.path.empty()) {
          s.estimate = read_for_scoring(item.estimate, options_.fit);
        }
      });
    }
    if (options_.enhance) enhance(batch, signals, outcomes);
    for (size_t i = 0; i < batch.size(); ++i) {
      attempt(i, [&](const EvaluationItem& item, Signals& s) {
        s.estimate_overlap = fit(s.clean, s.estimate, name_of_estimate(item), options_.fit);
        outcomes[i] = score(item, s, options_);
      });
    }
    return outcomes;
  }

 private:
  static std::string name_of_estimate(const EvaluationItem& item) {
    return item.estimate.path.empty() ? "estimate" : item.estimate.path.string();
  }

  /// A failure of the model is one of every utterance of the batch.
  void enhance(const std::vector<size_t>& batch, std::vector<Signals>& signals,
               std::vector<Outcome>& outcomes) const {
    std::vector<size_t> sound;
    std::vector<const EvaluationItem*> items;
    std::vector<std::vector<float>> noisy;
    for (size_t i = 0; i < batch.size(); ++i) {
      if (!outcomes[i].failures.empty()) continue;
      sound.push_back(i);
      items.push_back(&items_[batch[i]]);
      noisy.push_back(signals[i].noisy.samples);
    }
    if (sound.empty()) return;
    try {
      auto estimates = nn::within_memory(at::kCPU, [&] {
        return options_.enhance(items, noisy, signals[sound.front()].noisy.rate_hz);
      });
      for (size_t k = 0; k < sound.size(); ++k) {
        Signals& s = signals[sound[k]];
        s.estimate = {std::move(estimates.at(k)), s.noisy.rate_hz};
      }
    } catch (const DataError& e) {
      for (const size_t i : sound) {
        outcomes[i].failures.push_back({items_[batch[i]].id, "", e.what()});
      }
    }
  }

  const std::vector<EvaluationItem>& items_;
  const ScoreOptions& options_;
};

/// Batches with what is not known yet.
std::vector<std::vector<size_t>> remaining(const std::vector<EvaluationItem>& items,
                                           std::vector<std::vector<size_t>> batches,
                                           const Journal* journal) {
  if (batches.empty()) {
    for (size_t i = 0; i < items.size(); ++i) batches.push_back({i});
  }
  if (journal == nullptr) return batches;
  for (auto& batch : batches) {
    std::erase_if(batch, [&](size_t i) { return journal->known().count(items[i].id) > 0; });
  }
  std::erase_if(batches, [](const auto& batch) { return batch.empty(); });
  return batches;
}

}  // namespace

RunResults score_items(const std::vector<EvaluationItem>& items, const ScoreOptions& options,
                       Logger& logger) {
  const Journal* journal = options.journal;
  const auto batches = remaining(items, options.batches, journal);
  std::vector<Outcome> outcomes(items.size());
  size_t known = 0;
  for (size_t i = 0; i < items.size() && journal; ++i) {
    const auto found = journal->known().find(items[i].id);
    if (found == journal->known().end()) continue;
    outcomes[i] = found->second;
    ++known;
  }
  if (known > 0) {
    logger.info("going on after " + std::to_string(known) + " utterances that are scored");
  }

  Progress progress(logger, "scoring", "utterances", static_cast<int64_t>(items.size()),
                    static_cast<int64_t>(known));
  const BatchScorer scorer(items, options);
  std::atomic<int64_t> scored{static_cast<int64_t>(known)};
  const auto score_batch = [&](int64_t b) {
    const auto& batch = batches[static_cast<size_t>(b)];
    auto done = scorer.run(batch);
    for (size_t i = 0; i < batch.size(); ++i) {
      if (options.journal && done[i].row) options.journal->add(items[batch[i]].id, done[i]);
      outcomes[batch[i]] = std::move(done[i]);
    }
    scored += static_cast<int64_t>(batch.size());
  };
  try {
    parallel_for(static_cast<int64_t>(batches.size()), options.jobs, progress, score_batch,
                 &scored);
  } catch (const Interrupted& e) {
    if (!journal) throw;
    logger.info("interrupted; what is scored is kept, the same command goes on");
    throw ToldInterrupt(e.exit_code() - 128);
  }

  RunResults results;
  for (Outcome& outcome : outcomes) {
    if (outcome.row) results.rows.push_back(std::move(*outcome.row));
    for (auto& failure : outcome.failures) results.failures.push_back(std::move(failure));
  }
  return results;
}

}  // namespace limbeck
