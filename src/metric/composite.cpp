#include "metric/composite.h"

#include <algorithm>

namespace limbeck::metric {

CompositeScores composite_scores(const SpectralDistances& distances, double segmental_snr_db,
                                 double pesq) {
  const auto [llr, wss] = distances;
  const auto clip = [](double rating) { return std::clamp(rating, 1.0, 5.0); };
  return {clip(3.093 - 1.029 * llr + 0.603 * pesq - 0.009 * wss),
          clip(1.634 + 0.478 * pesq - 0.007 * wss + 0.063 * segmental_snr_db),
          clip(1.594 + 0.805 * pesq - 0.512 * llr - 0.007 * wss)};
}

}  // namespace limbeck::metric
