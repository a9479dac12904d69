#pragma once

#include <torch/nn/module.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "limbeck/config/schema.h"
#include "limbeck/core/random.h"
#include "limbeck/core/registry.h"
#include "limbeck/nn/complexity.h"
#include "limbeck/nn/kernel_use.h"
#include "limbeck/nn/model_config.h"

// Legend: B batch, C channel, T frame, F bin, L sample.

namespace limbeck::nn {

/// The time-frequency grid of a feature map [B, C, T, F] that a model lets others see.
struct TapInfo {
  int64_t channels = 0;
  std::vector<double> band_edges_hz;  ///< F + 1 ascending edges
  double hop_seconds = 0;
  double first_centre_seconds = 0;  ///< centre of frame 0 on the time axis of the signal

  int64_t bins() const { return static_cast<int64_t>(band_edges_hz.size()) - 1; }
};

using Taps = std::map<std::string, at::Tensor>;

struct Denoised {
  at::Tensor estimate;  ///< [B, L]
  Taps taps;            ///< those asked for, each [B, C, T, F]
};

/// What training, distillation, evaluation and export know of a network.
class DenoisingModel : public torch::nn::Module {
 public:
  /// `noisy` [B, L] at rate_hz(), full scale ±1. Of item b the first valid_samples[b] samples are
  /// signal; what lies behind is padding, and changes nothing of what the signals give: neither
  /// outputs nor gradients nor running statistics. None given: no padding. Taps that tap_names()
  /// does not hold throw ConfigError.
  virtual Denoised forward(const at::Tensor& noisy, const std::vector<std::string>& taps,
                           const std::vector<int64_t>& valid_samples = {}) = 0;
  /// The taps of `forward` alone: runs no further than the last one. Same errors.
  virtual Taps taps(const at::Tensor& noisy, const std::vector<std::string>& wanted,
                    const std::vector<int64_t>& valid_samples = {}) {
    return forward(noisy, wanted, valid_samples).taps;
  }
  /// Folds batch norms into the convolutions before them: inference only, the same output up to
  /// rounding. The state no longer fits a checkpoint.
  virtual void fuse() {}
  virtual std::vector<std::string> tap_names() const = 0;
  virtual TapInfo tap_info(const std::string& tap) const = 0;
  /// Frames of a tap that hold signal when the input has `samples` samples.
  virtual int64_t tap_frames(int64_t samples) const = 0;
  virtual int64_t rate_hz() const = 0;
  /// In the order of the signal; no STFT, bands, normalisation or activation among the products.
  virtual std::vector<LayerCost> layer_costs() const = 0;
  virtual double frames_per_second() const = 0;
  /// Multiply-accumulates per second of audio.
  double macs_per_second() const {
    return static_cast<double>(total_cost(layer_costs()).macs) * frames_per_second();
  }
  /// Samples between an input sample and the output that no longer depends on later input.
  virtual int64_t latency_samples() const = 0;
  /// What it was built from.
  virtual ModelConfig config() const = 0;

  /// Of all passes from now on.
  void set_kernels(Kernels kernels) { kernels_ = kernels; }
  Kernels kernels() const { return kernels_; }
  /// From now on `use` is told what runs where, until this is called with null. Not where several
  /// threads run passes.
  void watch(KernelUse* use) { use_ = use; }

 protected:
  KernelUse* watcher() const { return use_; }

 private:
  Kernels kernels_ = Kernels::fused;
  KernelUse* use_ = nullptr;
};

using ModelRegistry = Registry<config::ComponentOptions, DenoisingModel>;
/// All networks by name; filled in builtin_models.cpp.
const ModelRegistry& models();

/// Builds the network and draws each parameter from SeedKey(seed, "weights", parameter name), so
/// that what else is trained beside it cannot change it.
std::shared_ptr<DenoisingModel> build_model(const ModelConfig& config, SeedKey key);

int64_t parameter_count(const torch::nn::Module& module);

/// "26.1 k parameters, 41.5 MMAC/s, latency 32 ms"
std::string cost_text(const DenoisingModel& model);

}  // namespace limbeck::nn
