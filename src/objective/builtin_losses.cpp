#include "limbeck/objective/loss.h"

namespace limbeck::objective {

// Each is a file of losses/.
void add_compressed_spectrum(LossRegistry&);
void add_si_sdr(LossRegistry&);

const LossRegistry& losses() {
  static const LossRegistry registry = [] {
    LossRegistry all("loss");
    add_compressed_spectrum(all);
    add_si_sdr(all);
    return all;
  }();
  return registry;
}

}  // namespace limbeck::objective
