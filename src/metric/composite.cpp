#include "metric/composite.h"

#include <algorithm>

#include "metric/pesq.h"
#include "metric/segmental_snr.h"

namespace limbeck::metric {
namespace {

constexpr double kLowestRating = 1;
constexpr double kHighestRating = 5;

const CompositeScores& ratings_of(ScoredPair& pair) {
  return pair.shared<CompositeScores>([&] {
    const double pesq = pesq_wideband(pair);
    const double segmental_snr_db = segmental_snr(pair);
    return composite_scores(spectral_distances(pair), segmental_snr_db, pesq);
  });
}

template <double CompositeScores::* Rating>
std::unique_ptr<Metric> rating(const char* title, int version) {
  return std::make_unique<Metric>(
      Metric{.title = title,
             .decimals = 3,
             .worst = kLowestRating,
             .version = version,
             .score = [](ScoredPair& pair) { return ratings_of(pair).*Rating; }});
}

}  // namespace

CompositeScores composite_scores(const SpectralDistances& distances, double segmental_snr_db,
                                 double pesq) {
  const auto [llr, wss] = distances;
  const auto clip = [](double rating) { return std::clamp(rating, kLowestRating, kHighestRating); };
  return {clip(3.093 - 1.029 * llr + 0.603 * pesq - 0.009 * wss),
          clip(1.634 + 0.478 * pesq - 0.007 * wss + 0.063 * segmental_snr_db),
          clip(1.594 + 0.805 * pesq - 0.512 * llr - 0.007 * wss)};
}

void add_composite(MetricRegistry& registry) {
  using config::NoOptions;
  using Scores = CompositeScores;
  registry.add<NoOptions>("csig", "predicted rating of the signal",
                          [](const NoOptions&) { return rating<&Scores::signal>("CSIG", 2); });
  registry.add<NoOptions>("cbak", "predicted rating of the background",
                          [](const NoOptions&) { return rating<&Scores::background>("CBAK", 1); });
  registry.add<NoOptions>("covl", "predicted rating of the whole",
                          [](const NoOptions&) { return rating<&Scores::overall>("COVL", 2); });
}

}  // namespace limbeck::metric
