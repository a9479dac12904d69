#include "limbeck/objective/adapter.h"

namespace limbeck::objective {

// Each is a file of adapters/.
void add_frame_linear(AdapterRegistry&);
void add_inverted_bottleneck(AdapterRegistry&);
void add_linear(AdapterRegistry&);
void add_none(AdapterRegistry&);

const AdapterRegistry& adapters() {
  static const AdapterRegistry registry = [] {
    AdapterRegistry all("adapter");
    add_frame_linear(all);
    add_inverted_bottleneck(all);
    add_linear(all);
    add_none(all);
    return all;
  }();
  return registry;
}

}  // namespace limbeck::objective
