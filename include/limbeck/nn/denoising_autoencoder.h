#pragma once

#include "limbeck/nn/bands.h"
#include "limbeck/nn/inverted_bottleneck.h"
#include "limbeck/nn/model.h"
#include "limbeck/nn/stft.h"
#include "limbeck/nn/temporal.h"

namespace limbeck::nn {

/// One stage of the encoder; the decoder mirrors it.
struct StageOptions {
  int64_t channels = 16;
  int64_t blocks = 1;
  int64_t stride = 2;
  int64_t kernel_time = 1;
  int64_t kernel_freq = 3;
  int64_t dilation_time = 1;

  void describe(config::Visitor& v);
};

struct StemOptions {
  int64_t channels = 16;
  int64_t stride = 2;
  int64_t kernel_time = 1;
  int64_t kernel_freq = 5;

  void describe(config::Visitor& v);
};

struct LatentOptions {
  int64_t channels = 16;
  int64_t in_channels = 16;

  void describe(config::Visitor& v);
};

struct DenoisingAutoencoderOptions : config::Component<DenoisingAutoencoderOptions> {
  int64_t rate_hz = 16000;
  StftOptions stft;
  BandOptions bands;
  std::string features = "complex";
  double compression = 0.3;
  StemOptions stem;
  std::vector<StageOptions> encoder = std::vector<StageOptions>(3);
  int64_t expansion = 2;
  std::string norm = "batch";
  std::string activation = "relu6";
  LatentOptions latent;
  TemporalOptions temporal;
  std::string skips = "add";
  std::string mask = "complex";
  int64_t lookahead_frames = 0;
  std::string memory_format = "contiguous";

  void describe(config::Visitor& v) override;
  /// The network sees all bins but the Nyquist bin, which gets the mask of the bin below.
  BandGrid grid() const;
  int64_t network_bins() const { return grid().size(); }
  int64_t total_stride() const;
  int64_t latent_bins() const { return network_bins() / total_stride(); }
  /// Frames of the future that the kernels of this network could reach.
  int64_t lookahead_capacity() const;
};

/// Denoising autoencoder: STFT → compressed features → bands → stem → encoder of linear inverted
/// bottlenecks that divide F → `latent_in` → temporal model → linear projection → latent z [B, C_z,
/// T, F_z] → mirrored decoder → mask → bins → inverse STFT. Taps: stem, encoder.i, latent_in,
/// latent, decoder.i, mask.
class DenoisingAutoencoder : public DenoisingModel {
 public:
  explicit DenoisingAutoencoder(const DenoisingAutoencoderOptions& options);

  Denoised forward(const at::Tensor& noisy, const std::vector<std::string>& taps) override;
  Taps taps(const at::Tensor& noisy, const std::vector<std::string>& wanted) override;
  void fuse() override;
  std::vector<std::string> tap_names() const override;
  TapInfo tap_info(const std::string& tap) const override;
  int64_t tap_frames(int64_t samples) const override { return options_.stft.frames(samples); }
  int64_t rate_hz() const override { return options_.rate_hz; }
  std::vector<LayerCost> layer_costs() const override;
  double frames_per_second() const override;
  int64_t latency_samples() const override;
  const DenoisingAutoencoderOptions& options() const { return options_; }
  const Stft& stft() const { return stft_; }
  /// The next frames of a stream, complex [B, T, F], enhanced. Needs a network without lookahead.
  at::Tensor enhance_frames(const at::Tensor& spectrum, StreamState& stream);

 private:
  using Blocks = std::vector<InvertedBottleneck>;

  /// Blocks of one stage, registered as `name.i`. `lookahead_left` is what future frames remain to
  /// be given out.
  Blocks make_stage(const std::string& name, const StageOptions& stage, int64_t in_channels,
                    int64_t out_channels, bool down, int64_t& lookahead_left);
  class Collector;
  struct TapShape {
    int64_t channels;
    int64_t stride;  ///< bands of the network in one bin of the tap
  };
  /// Throws ConfigError for an unknown tap.
  TapShape tap_shape(const std::string& tap) const;
  at::Tensor features(const at::Tensor& spectrum) const;
  /// Undefined where the collector has all that is wanted before.
  at::Tensor mask(const at::Tensor& spectrum, Collector& collector, StreamState* stream);
  at::Tensor activate_mask(const at::Tensor& x) const;
  at::Tensor apply_mask(const at::Tensor& mask, const at::Tensor& spectrum) const;

  DenoisingAutoencoderOptions options_;
  Stft stft_{nullptr};
  Bands bands_{nullptr};
  Conv stem_{nullptr}, latent_in_{nullptr}, latent_{nullptr}, latent_out_{nullptr}, head_{nullptr};
  Norm stem_norm_{nullptr}, latent_out_norm_{nullptr};
  Activation stem_activation_{nullptr}, latent_out_activation_{nullptr};
  std::vector<Blocks> encoder_, decoder_;
  std::vector<Conv> skips_;
  Temporal temporal_{nullptr};
};

}  // namespace limbeck::nn
