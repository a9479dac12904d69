#include "objective/losses/compressed_spectrum.h"
#include "objective/losses/si_sdr_loss.h"

namespace limbeck::objective {

const LossRegistry& losses() {
  static const LossRegistry registry = [] {
    LossRegistry r("loss");
    r.add<CompressedSpectrumOptions>(
        "compressed_spectrum", "power-compressed magnitude and complex spectra, squared difference",
        [](const CompressedSpectrumOptions& o) -> std::unique_ptr<Loss> {
          return std::make_unique<CompressedSpectrum>(o);
        });
    r.add<SiSdrLossOptions>("si_sdr", "negative SI-SDR in dB",
                            [](const SiSdrLossOptions&) -> std::unique_ptr<Loss> {
                              return std::make_unique<SiSdrLoss>();
                            });
    return r;
  }();
  return registry;
}

}  // namespace limbeck::objective
