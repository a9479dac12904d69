#include "limbeck/nn/denoising_autoencoder.h"

namespace limbeck::nn {

const ModelRegistry& models() {
  static const ModelRegistry registry = [] {
    ModelRegistry r("model");
    r.add<DenoisingAutoencoderOptions>(
        "denoising_autoencoder", "linear inverted bottlenecks around a narrow latent, with a mask",
        [](const DenoisingAutoencoderOptions& o) -> std::unique_ptr<DenoisingModel> {
          return std::make_unique<DenoisingAutoencoder>(o);
        });
    return r;
  }();
  return registry;
}

}  // namespace limbeck::nn
