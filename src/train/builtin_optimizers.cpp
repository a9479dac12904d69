#include "train/optimizer.h"

namespace limbeck {

// Each is a file of optimizers/; adam and adamw share one.
void add_adam(OptimizerRegistry&);
void add_adamw(OptimizerRegistry&);
void add_sgd(OptimizerRegistry&);

const OptimizerRegistry& optimizers() {
  static const OptimizerRegistry registry = [] {
    OptimizerRegistry all("optimizer");
    add_adam(all);
    add_adamw(all);
    add_sgd(all);
    return all;
  }();
  return registry;
}

}  // namespace limbeck
