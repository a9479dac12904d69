#include "limbeck/metric/metric.h"

namespace limbeck {
namespace metric {

// Each is a file of this folder.
void add_pesq(MetricRegistry&);
void add_composite(MetricRegistry&);
void add_stoi(MetricRegistry&);
void add_si_sdr(MetricRegistry&);
void add_segmental_snr(MetricRegistry&);
void add_spectral_distances(MetricRegistry&);

}  // namespace metric

const MetricRegistry& metric_registry() {
  static const MetricRegistry registry = [] {
    MetricRegistry all("metric");  // in the order of tables
    metric::add_pesq(all);
    metric::add_composite(all);
    metric::add_stoi(all);
    metric::add_si_sdr(all);
    metric::add_segmental_snr(all);
    metric::add_spectral_distances(all);
    return all;
  }();
  return registry;
}

}  // namespace limbeck
