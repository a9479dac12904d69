#include <algorithm>
#include <cmath>
#include <map>
#include <stdexcept>

#include "limbeck/study/statistics.h"
#include "study/statistics_parts.h"

namespace limbeck {
namespace {

/// One task: the places of its runs among the distinct values of both arms, from the worst on.
struct RankedTask {
  std::vector<size_t> a, b;
  size_t ranks = 0;
};

RankedTask ranked(const std::vector<double>& a, const std::vector<double>& b,
                  bool higher_is_better) {
  std::vector<double> values = a;
  values.insert(values.end(), b.begin(), b.end());
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  const auto ranks_of = [&](const std::vector<double>& some) {
    std::vector<size_t> ranks;
    for (const double value : some) {
      const auto at = std::lower_bound(values.begin(), values.end(), value);
      ranks.push_back(
          static_cast<size_t>(higher_is_better ? at - values.begin() : values.end() - at - 1));
    }
    std::sort(ranks.begin(), ranks.end());  // draws do not depend on the order of runs
    return ranks;
  };
  return {ranks_of(a), ranks_of(b), values.size()};
}

/// Runs by rank.
std::vector<double> counted(const std::vector<size_t>& runs, size_t ranks) {
  std::vector<double> counts(ranks);
  for (const size_t rank : runs) ++counts[rank];
  return counts;
}

std::vector<double> drawn(const std::vector<size_t>& runs, size_t ranks, Random& random) {
  std::vector<double> counts(ranks);
  for (size_t i = 0; i < runs.size(); ++i) ++counts[runs[random.below(runs.size())]];
  return counts;
}

/// Share of the pairs in which b is better, of the runs by rank.
double share_better(const std::vector<double>& a, const std::vector<double>& b) {
  double worse = 0, better = 0, of_b = 0;
  for (size_t rank = 0; rank < a.size(); ++rank) {
    better += b[rank] * (worse + a[rank] / 2);
    worse += a[rank];
    of_b += b[rank];
  }
  return better / (worse * of_b);
}

/// Of sorted values.
double middle_mean(const std::vector<double>& values) {
  const size_t cut = values.size() / 4;
  double sum = 0;
  for (size_t i = cut; i < values.size() - cut; ++i) sum += values[i];
  return sum / static_cast<double>(values.size() - 2 * cut);
}

/// values[i][j] of those that are complete: of seed i and utterance j.
struct Scores {
  std::vector<std::vector<double>> values;
  std::vector<std::vector<size_t>> speakers;  ///< utterances of each
};

Scores complete_scores(const std::vector<std::vector<double>>& values,
                       const std::vector<std::string>& speakers) {
  const CompletePart part = complete_part(values);
  if (!values.empty() && values[0].size() != speakers.size()) {
    throw std::invalid_argument("as many values as speakers are needed");
  }
  Scores scores;
  for (const size_t seed : part.rows) {
    auto& row = scores.values.emplace_back();
    for (const size_t utterance : part.columns) row.push_back(values[seed][utterance]);
  }
  std::map<std::string, std::vector<size_t>> by_speaker;
  for (size_t j = 0; j < part.columns.size(); ++j) {
    by_speaker[speakers[part.columns[j]]].push_back(j);
  }
  for (auto& [name, utterances] : by_speaker) scores.speakers.push_back(std::move(utterances));
  return scores;
}

double resampled_mean(const Scores& scores, Random& random, std::vector<double>& over_seeds) {
  std::fill(over_seeds.begin(), over_seeds.end(), 0);
  for (size_t i = 0; i < scores.values.size(); ++i) {
    const auto& seed = scores.values[random.below(scores.values.size())];
    for (size_t j = 0; j < seed.size(); ++j) over_seeds[j] += seed[j];
  }
  double sum = 0;
  size_t count = 0;
  for (size_t k = 0; k < scores.speakers.size(); ++k) {
    const auto& utterances = scores.speakers[random.below(scores.speakers.size())];
    for (size_t j = 0; j < utterances.size(); ++j) {
      sum += over_seeds[utterances[random.below(utterances.size())]];
    }
    count += utterances.size();
  }
  return sum / static_cast<double>(count * scores.values.size());
}

}  // namespace

Interval percentile_interval(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto percentile = [&](double share) {
    const double place = share * static_cast<double>(values.size() - 1);
    const auto below = static_cast<size_t>(place);
    const size_t above = std::min(below + 1, values.size() - 1);
    return std::lerp(values[below], values[above], place - static_cast<double>(below));
  };
  return {percentile(0.025), percentile(0.975)};
}

Improvement probability_of_improvement(const std::vector<std::vector<double>>& a,
                                       const std::vector<std::vector<double>>& b,
                                       bool higher_is_better, SeedKey key) {
  if (a.size() != b.size()) throw std::invalid_argument("arms that have not the same tasks");
  std::vector<RankedTask> tasks;
  bool varies = false;
  for (size_t i = 0; i < a.size(); ++i) {
    RankedTask task = ranked(known_values(a[i]), known_values(b[i]), higher_is_better);
    if (task.a.empty() || task.b.empty()) continue;
    varies |= task.a.size() > 1 || task.b.size() > 1;
    tasks.push_back(std::move(task));
  }
  if (tasks.empty()) return {};
  const auto count = static_cast<double>(tasks.size());
  Improvement result{0, {}};
  for (const auto& task : tasks) {
    result.probability +=
        share_better(counted(task.a, task.ranks), counted(task.b, task.ranks)) / count;
  }
  if (!varies) return result;
  Random random(key);
  std::vector<double> resamples(kResamples);
  for (double& resample : resamples) {
    for (const auto& task : tasks) {
      const auto of_a = drawn(task.a, task.ranks, random);
      resample += share_better(of_a, drawn(task.b, task.ranks, random)) / count;
    }
  }
  result.interval = percentile_interval(std::move(resamples));
  return result;
}

InterquartileMean interquartile_mean(const std::vector<double>& values, SeedKey key) {
  std::vector<double> sorted = known_values(values);
  InterquartileMean result;
  result.n = sorted.size();
  if (result.n < 5) return result;
  std::sort(sorted.begin(), sorted.end());
  result.mean = middle_mean(sorted);
  Random random(key);
  std::vector<double> resamples(kResamples), sample(result.n);
  for (double& resample : resamples) {
    for (double& value : sample) value = sorted[random.below(sorted.size())];
    std::sort(sample.begin(), sample.end());
    resample = middle_mean(sample);
  }
  result.interval = percentile_interval(std::move(resamples));
  return result;
}

HierarchicalMean hierarchical_bootstrap(const std::vector<std::vector<double>>& values,
                                        const std::vector<std::string>& speakers, SeedKey key) {
  const Scores scores = complete_scores(values, speakers);
  HierarchicalMean result;
  result.seeds = scores.values.size();
  result.speakers = scores.speakers.size();
  result.utterances = scores.values.empty() ? 0 : scores.values[0].size();
  if (result.utterances == 0) return result;
  std::vector<double> of_seeds;
  for (const auto& seed : scores.values) of_seeds.push_back(summarize(seed).mean);
  result.mean = summarize(of_seeds).mean;
  if (result.utterances < 2) return result;
  Random random(key);
  std::vector<double> resamples(kResamples), over_seeds(result.utterances);
  for (double& resample : resamples) resample = resampled_mean(scores, random, over_seeds);
  result.interval = percentile_interval(std::move(resamples));
  return result;
}

}  // namespace limbeck
