#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "limbeck/nn/model.h"
#include "limbeck/nn/stft.h"
#include "nn/bands.h"
#include "nn/inverted_bottleneck.h"
#include "nn/model_options.h"
#include "nn/pass.h"
#include "nn/temporal.h"

namespace limbeck::nn {

/// What the network sees: compressed magnitude, its logarithm, real and imaginary part, or
/// magnitude and both parts.
enum class Features { magnitude, log_magnitude, complex, magnitude_complex };

inline config::Names<Features> names_of(Features) {
  return {{"magnitude", Features::magnitude},
          {"log_magnitude", Features::log_magnitude},
          {"complex", Features::complex},
          {"magnitude_complex", Features::magnitude_complex}};
}

/// How encoder stages reach the decoder: added, or joined by a 1x1 convolution.
enum class Skips { none, add, concat };

inline config::Names<Skips> names_of(Skips) {
  return {{"none", Skips::none}, {"add", Skips::add}, {"concat", Skips::concat}};
}

/// Real in (0, 1), complex, or complex with a magnitude below 2.
enum class Mask { real, complex, bounded_complex };

inline config::Names<Mask> names_of(Mask) {
  return {
      {"real", Mask::real}, {"complex", Mask::complex}, {"bounded_complex", Mask::bounded_complex}};
}

/// How feature maps lie in memory.
enum class MemoryFormat { contiguous, channels_last };

inline config::Names<MemoryFormat> names_of(MemoryFormat) {
  return {{"contiguous", MemoryFormat::contiguous}, {"channels_last", MemoryFormat::channels_last}};
}

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

struct DenoisingAutoencoderOptions : config::Component<DenoisingAutoencoderOptions, ModelOptions> {
  int64_t rate_hz = 16000;
  StftOptions stft;
  BandOptions bands;
  Features features = Features::complex;
  double compression = 0.3;
  StemOptions stem;
  std::vector<StageOptions> encoder = std::vector<StageOptions>(3);
  int64_t expansion = 2;
  NormKind norm = NormKind::batch;
  ActivationKind activation = ActivationKind::relu6;
  LatentOptions latent;
  TemporalConfig temporal;
  Skips skips = Skips::add;
  Mask mask = Mask::complex;
  int64_t lookahead_frames = 0;
  MemoryFormat memory_format = MemoryFormat::channels_last;

  void describe(config::Visitor& v) override;
  int64_t values() const override;
  /// The network sees all bins but the Nyquist bin, which gets the mask of the bin below.
  BandGrid grid() const;
  int64_t network_bins() const { return grid().size(); }
  /// Or more than there can be bins: long lists would not fit a number.
  int64_t total_stride() const;
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

  Denoised forward(const at::Tensor& noisy, const std::vector<std::string>& taps,
                   const std::vector<int64_t>& valid_samples = {}) override;
  Taps taps(const at::Tensor& noisy, const std::vector<std::string>& wanted,
            const std::vector<int64_t>& valid_samples = {}) override;
  void fuse() override;
  std::vector<std::string> tap_names() const override;
  TapInfo tap_info(const std::string& tap) const override;
  int64_t tap_frames(int64_t samples) const override { return options_.stft.frames(samples); }
  int64_t rate_hz() const override { return options_.rate_hz; }
  std::vector<LayerCost> layer_costs() const override;
  double frames_per_second() const override;
  int64_t latency_samples() const override;
  ModelConfig config() const override;
  const DenoisingAutoencoderOptions& options() const { return options_; }
  /// Numbers that a network of these options keeps; nothing is built.
  static int64_t values(const DenoisingAutoencoderOptions& options);
  const Stft& stft() const { return stft_; }
  /// The next frames of a stream, complex [B, T, F], enhanced: those that have all that the network
  /// looks ahead. With `link` all items get one gain in each bin, the mean of theirs by power.
  at::Tensor enhance_frames(const at::Tensor& spectrum, StreamState& stream, bool link = false);

 private:
  /// What encoder and decoder stages have to do with one another: the last output that was kept is
  /// the first to be joined.
  enum class Skip { no, keep_output, join_input };

  /// One step from the features to the mask. All that the network does, shows and costs is read
  /// from its stages.
  struct Stage {
    std::string tap;       ///< name under which others see the output; empty: they do not
    int64_t channels = 0;  ///< of the output
    Skip skip = Skip::no;
    /// By their names in cost reports, in order.
    std::vector<std::pair<std::string, std::shared_ptr<Part>>> parts = {};
    int64_t stride = 0;  ///< bands of the network in one bin of the output; set by add()
  };
  class Builder;
  class Collector;
  /// A batch as the network takes it.
  struct Input {
    at::Tensor spectrum;               ///< complex [B, T, N + 1], of silence behind the signals
    std::optional<ValidFrames> valid;  ///< nothing: there is no padding
  };

  void add(Stage stage);
  /// Throws ConfigError for an unknown tap.
  const Stage& stage_of(const std::string& tap) const;
  Pass pass(const std::optional<ValidFrames>& valid, StreamState* stream = nullptr) const;
  Input analyse(const at::Tensor& noisy, const std::vector<int64_t>& valid_samples) const;
  at::Tensor features(const at::Tensor& spectrum) const;
  /// Undefined where the collector has all that is wanted before.
  at::Tensor mask(const at::Tensor& spectrum, Collector& collector, const Pass& pass);
  /// What the mask does to each bin, [B, T, N + 1], real or complex.
  at::Tensor gains(const at::Tensor& mask) const;

  DenoisingAutoencoderOptions options_;
  Stft stft_{nullptr};
  Bands bands_{nullptr};
  std::vector<Stage> stages_;
};

}  // namespace limbeck::nn
