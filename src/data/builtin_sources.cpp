#include "data/source.h"

namespace limbeck {

// Each is a file of sources/.
void add_mixtures(SourceRegistry&);
void add_pairs(SourceRegistry&);
void add_protocol(SourceRegistry&);

const SourceRegistry& data_sources() {
  static const SourceRegistry registry = [] {
    SourceRegistry all("data source");
    add_mixtures(all);
    add_pairs(all);
    add_protocol(all);
    return all;
  }();
  return registry;
}

}  // namespace limbeck
