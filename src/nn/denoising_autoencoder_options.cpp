#include <algorithm>

#include "limbeck/core/format.h"
#include "nn/denoising_autoencoder.h"

namespace limbeck::nn {
namespace {

constexpr size_t kMaxStages = 64;
constexpr int64_t kMaxStride = 1 << 20;  // more than there are bins

}  // namespace

void StageOptions::describe(config::Visitor& v) {
  v.value("channels", channels, "channels of the stage's output", config::between(1, 4096));
  v.value("blocks", blocks, "inverted bottlenecks; the first one strides", config::between(1, 32));
  v.value("stride", stride, "divides the bins", config::between(1, 8));
  v.value("kernel_time", kernel_time, "frames of the depthwise kernel", config::between(1, 31));
  v.value("kernel_freq", kernel_freq, "bins of the depthwise kernel, odd", config::between(1, 31));
  v.value("dilation_time", dilation_time, "frames from one tap of the depthwise kernel to the next",
          config::between(1, 64));
  v.require(kernel_freq % 2 == 1, "kernel_freq", "must be odd");
}

void StemOptions::describe(config::Visitor& v) {
  v.value("channels", channels, "channels of the first convolution", config::between(1, 4096));
  v.value("stride", stride, "divides the bins", config::between(1, 8));
  v.value("kernel_time", kernel_time, "frames of the kernel", config::between(1, 31));
  v.value("kernel_freq", kernel_freq, "bins of the kernel, odd", config::between(1, 31));
  v.require(kernel_freq % 2 == 1, "kernel_freq", "must be odd");
}

void LatentOptions::describe(config::Visitor& v) {
  v.value("channels", channels, "channels C_z of the latent", config::between(1, 4096));
  v.value("in_channels", in_channels, "channels at latent_in, where the temporal model works",
          config::between(1, 4096));
}

void DenoisingAutoencoderOptions::describe(config::Visitor& v) {
  v.value("rate_hz", rate_hz, "sampling rate of input and output", config::between(4000, 96000));
  v.section("stft", stft, "frames of the transform");
  v.section("bands", bands, "bands that the bins above are merged into");
  v.value("features", features,
          "what the network sees: compressed magnitude, its logarithm, real and imaginary part, or "
          "magnitude and both parts");
  v.value("compression", compression,
          "power on the magnitudes of the features; log_magnitude has none",
          config::between(0.1, 1));
  v.section("stem", stem, "first convolution");
  v.list("encoder", encoder, "stages, from high to low resolution; the decoder mirrors them");
  v.value("expansion", expansion, "factor t of the inverted bottlenecks", config::between(1, 16));
  v.value("norm", norm, "normalisation");
  v.value("activation", activation, "activation");
  v.section("latent", latent, "narrowest place, where students are aligned");
  v.section("temporal", temporal, "memory over frames");
  v.value("skips", skips,
          "how encoder stages reach the decoder: added, or joined by a 1x1 convolution");
  v.value("mask", mask, "real in (0, 1), complex, or complex with a magnitude below 2");
  v.value("lookahead_frames", lookahead_frames,
          "frames of the future that the network waits for; 0: causal", config::between(0, 1000));
  v.value("memory_format", memory_format,
          "layout of the feature maps; measure with limbeck-bench step");
  v.require(!encoder.empty(), "encoder", "needs at least one stage");
  v.require(encoder.size() <= kMaxStages, "encoder", format("more than %d stages", kMaxStages));
  v.require(grid().problem().empty(), "bands", grid().problem());
  v.require(network_bins() % total_stride() == 0, "encoder",
            format("the strides multiply to %d, which does not divide the %d bands of the network",
                   total_stride(), network_bins()));
  const std::string problem = temporal.options().problem(latent.in_channels);
  v.require(problem.empty(), "temporal", problem);
  v.require(
      lookahead_frames <= lookahead_capacity(), "lookahead_frames",
      format("is more than the %d frames that kernels of this length reach", lookahead_capacity()));
  if (encoder.size() > kMaxStages || total_stride() > network_bins()) return;  // said above
  v.require(values() <= kMaxValues, "encoder",
            format("makes a network of %d numbers; at most %d are built", values(), kMaxValues));
  v.require(4 * bands.merged * stft.fft_samples <= kMaxValues, "bands.merged",
            "makes filters too large to be built");
}

int64_t DenoisingAutoencoderOptions::values() const { return DenoisingAutoencoder::values(*this); }

BandGrid DenoisingAutoencoderOptions::grid() const {
  return {bands, stft.fft_samples / 2,
          static_cast<double>(rate_hz) / static_cast<double>(stft.fft_samples)};
}

int64_t DenoisingAutoencoderOptions::total_stride() const {
  int64_t stride = stem.stride;
  for (const auto& stage : encoder) stride = std::min(stride * stage.stride, kMaxStride);
  return stride;
}

int64_t DenoisingAutoencoderOptions::lookahead_capacity() const {
  int64_t frames = stem.kernel_time / 2;
  for (const auto& stage : encoder) {
    frames += 2 * stage.blocks * (stage.kernel_time / 2) * stage.dilation_time;
  }
  return frames;
}

}  // namespace limbeck::nn
