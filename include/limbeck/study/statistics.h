#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "limbeck/core/random.h"
#include "limbeck/core/statistics.h"

/// What a study says of its arms. A value that is missing is NaN; each function says what it leaves
/// out for it. What is drawn at random comes from a SeedKey and is the same on every machine.

namespace limbeck {

/// Resamples of every bootstrap, and draws of signs where not all of them can be counted.
inline constexpr size_t kResamples = 10000;

/// Bounds of a 95 % interval; NaN where there is none.
struct Interval {
  double low = std::numeric_limits<double>::quiet_NaN();
  double high = std::numeric_limits<double>::quiet_NaN();
};

/// The values that are not missing, in their order; summarize() and interval95() want them so.
std::vector<double> known_values(const std::vector<double>& values);

/// How likely a run of b is better than one of a. Interval: percentiles of the stratified
/// bootstrap, which draws the runs of each task and arm by themselves.
struct Improvement {
  double probability = std::numeric_limits<double>::quiet_NaN();
  Interval interval;  ///< none where no task has two runs of one arm
};

/// P(X > Y) of Agarwal et al. (2021, arXiv 2108.13264), X of b: the share of all pairs (x, y) in
/// which x is better, ties half, and the mean of that over tasks. a[i] and b[i] are the values of
/// the runs with task i (for a study: a scenario); they need not be as many and have no order. A
/// task that lacks one arm is left out; with none, all is NaN. Throws std::invalid_argument where
/// the arms have not as many tasks.
Improvement probability_of_improvement(const std::vector<std::vector<double>>& a,
                                       const std::vector<std::vector<double>>& b,
                                       bool higher_is_better, SeedKey key);

/// Two arms whose runs stand in pairs, by seed: all of b − a.
struct PairedAnalysis {
  PairedDifference difference;  ///< n, means, interval by Student's t, wins
  double deviation = 0;         ///< sample standard deviation of the differences; NaN for n < 2

  /// Paired t test, two-sided: the primary one. NaN for n < 2. Where all differences are the same,
  /// t is 0 and p 1 if they are 0; else t is infinite and p 0, which says that the values have too
  /// few digits, not that there is no doubt.
  double t = 0;
  double p = 0;

  /// Permutation test, two-sided: the share of all ways to swap a and b within pairs (signs of the
  /// differences) that give a mean as far from 0 or farther. NaN for n = 0. Above 20 pairs
  /// kResamples ways are drawn, and the one that was seen counts among them (Phipson and Smyth,
  /// 2010, arXiv 1603.05766).
  double permutation_p = 0;
  bool permutation_exact = true;  ///< all ways were counted
  /// The smallest p that the permutation test can give for n pairs, 2 / 2^n, where none is a tie.
  double permutation_smallest_p = 0;

  /// Hedges' g_av: the mean difference over the root of the mean variance of both arms (d_av of
  /// Cumming, 2012; Lakens, 2013, doi 10.3389/fpsyg.2013.00863), times Hedges' (1981) exact factor
  /// J for n − 1 degrees of freedom, as Borenstein et al. (2009, chapter 4) for matched groups.
  /// The spread of the arms, not of the differences: it compares with unpaired studies. NaN for
  /// n < 3 (J is 0 for 2). Without any spread 0 or infinite.
  double hedges_g = 0;

  Improvement improvement;  ///< of the runs in whole pairs; one task
  /// See detectable_difference(); of this n and deviation.
  double detectable = 0;
};

/// a[i] and b[i] are of one seed; where one is missing, the pair is left out. The pairs count as
/// independent: those that share a teacher are not, see variance_components(). Throws
/// std::invalid_argument for lists of different lengths.
PairedAnalysis analyze_pairs(const std::vector<double>& a, const std::vector<double>& b,
                             bool higher_is_better, SeedKey key);

/// The fewest pairs for which a permutation test of signs can give p ≤ `alpha`, two-sided: 6 for
/// .05. `alpha` > 0.
size_t pairs_needed(double alpha);

/// The mean difference that a paired t test of `n` pairs, two-sided at .05, finds with a
/// probability of 80 %, where differences have this standard deviation: by the non-central t
/// distribution, both tails. In the unit of `deviation`; NaN for n < 2 or a deviation of NaN. It
/// takes the deviation as known, which for few seeds is itself a guess.
double detectable_difference(double deviation, size_t n);

/// Holm's (1979) p values of a family: each may be held against alpha, and the chance of any false
/// finding stays below it. In the order given. NaN stays NaN and is not of the family.
std::vector<double> holm(const std::vector<double>& p);

/// Mean of the middle half: a quarter of the values, rounded down, is left out at either end
/// (scipy.stats.trim_mean).
struct InterquartileMean {
  size_t n = 0;  ///< values that are known
  double mean = std::numeric_limits<double>::quiet_NaN();
  Interval interval;  ///< percentiles of the bootstrap over the values
};

/// NaN for n < 5.
InterquartileMean interquartile_mean(const std::vector<double>& values, SeedKey key);

/// The mean over seeds and utterances, with what new seeds, speakers and utterances would change.
struct HierarchicalMean {
  size_t seeds = 0, speakers = 0, utterances = 0;  ///< that it is made from
  double mean = std::numeric_limits<double>::quiet_NaN();
  Interval interval;  ///< NaN for fewer than 2 utterances
  /// Too few speakers to say anything of others: of two the bootstrap knows three mixtures.
  bool few_speakers() const { return speakers < 10; }
};

/// Interval by a hierarchical bootstrap: every resample draws seeds, speakers, and of each drawn
/// speaker as many utterances as are there, all with replacement; its value is the mean over the
/// drawn seeds and utterances. All seeds are scored on the same utterances, so that one draw of
/// those counts for all drawn seeds (crossed, as Owen's pigeonhole bootstrap, 2007, doi
/// 10.1214/07-AOAS122). The bootstrap is too narrow for few seeds, by √((n − 1) / n) and without
/// Student's t: for what seeds do, analyze_pairs() is to be quoted.
///
/// values[i][j] is of seed i on utterance j, speakers[j] who speaks it; utterances without a name
/// count as one speaker's. A seed without any value is left out, then utterances that a seed has
/// no value of. Throws std::invalid_argument for rows of another length.
HierarchicalMean hierarchical_bootstrap(const std::vector<std::vector<double>>& values,
                                        const std::vector<std::string>& speakers, SeedKey key);

/// Variances of runs whose teacher seeds are crossed with student seeds.
struct VarianceComponents {
  size_t teachers = 0, students = 0;  ///< seeds that it is made from
  double teacher = 0;                 ///< of what a teacher's seed does to all its students
  double student = 0;                 ///< of what a student's seed does with every teacher
  double residual = 0;                ///< of the rest: the pair of both, and chance
  bool clipped = false;               ///< `teacher` or `student` was estimated below 0, and is 0

  /// Variance of students of one teacher.
  double of_students() const { return student + residual; }
};

/// Two-way random model without replication: ANOVA estimators from the mean squares (Searle et al.,
/// Variance Components, 1992, chapter 4). values[i][j] is of teacher seed i and student seed j. A
/// teacher without any value is left out, then student seeds that a teacher has no value of;
/// nothing where fewer than two of either are left. Throws std::invalid_argument for rows of
/// different lengths.
std::optional<VarianceComponents> variance_components(
    const std::vector<std::vector<double>>& values);

}  // namespace limbeck
