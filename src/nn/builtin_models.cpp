#include "limbeck/nn/model.h"

namespace limbeck::nn {

void add_denoising_autoencoder(ModelRegistry& r);

const ModelRegistry& models() {
  static const ModelRegistry registry = [] {
    ModelRegistry r("model");
    add_denoising_autoencoder(r);
    return r;
  }();
  return registry;
}

}  // namespace limbeck::nn
