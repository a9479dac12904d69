#include "nn/temporal.h"

namespace limbeck::nn {

void add_dual_path(TemporalRegistry& r);
void add_gru(TemporalRegistry& r);
void add_none(TemporalRegistry& r);

const TemporalRegistry& temporal_models() {
  static const TemporalRegistry registry = [] {
    TemporalRegistry r("temporal model");
    add_dual_path(r);
    add_gru(r);
    add_none(r);
    return r;
  }();
  return registry;
}

}  // namespace limbeck::nn
