#include "limbeck/nn/denoising_autoencoder.h"

#include <torch/types.h>

#include <algorithm>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"

namespace limbeck::nn {

void StageOptions::describe(config::Visitor& v) {
  v.value("channels", channels, "channels of the stage's output", config::between(1, 4096));
  v.value("blocks", blocks, "inverted bottlenecks; the first one strides", config::between(1, 32));
  v.value("stride", stride, "divides the bins", config::between(1, 8));
  v.value("kernel_time", kernel_time, "frames of the depthwise kernel", config::between(1, 31));
  v.value("kernel_freq", kernel_freq, "bins of the depthwise kernel, odd", config::between(1, 31));
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
  v.value("features", features,
          "what the network sees: compressed magnitude, or real and imaginary part",
          config::one_of({"magnitude", "complex"}));
  v.value("compression", compression, "power on the magnitudes of the features",
          config::between(0.1, 1));
  v.section("stem", stem, "first convolution");
  v.list("encoder", encoder, "stages, from high to low resolution; the decoder mirrors them");
  v.value("expansion", expansion, "factor t of the inverted bottlenecks", config::between(1, 16));
  v.value("norm", norm, "normalisation", config::one_of({"batch", "none"}));
  v.value("activation", activation, "activation", config::one_of({"relu6", "prelu", "silu"}));
  v.section("latent", latent, "narrowest place, where students are aligned");
  v.section("temporal", temporal, "memory over frames");
  v.value("skips", skips, "how encoder stages reach the decoder", config::one_of({"none", "add"}));
  v.value("mask", mask, "real in (0, 1), or complex", config::one_of({"real", "complex"}));
  v.value("lookahead_frames", lookahead_frames,
          "frames of the future that the network waits for; 0: causal", config::between(0, 1000));
  v.value("memory_format", memory_format,
          "layout of the feature maps; measure with limbeck-bench step",
          config::one_of({"contiguous", "channels_last"}));
  v.require(!encoder.empty(), "encoder", "needs at least one stage");
  v.require(
      network_bins() % total_stride() == 0, "encoder",
      format("the strides multiply to %lld, which does not divide the %lld bins of the transform",
             static_cast<long long>(total_stride()), static_cast<long long>(network_bins())));
  v.require(lookahead_frames <= lookahead_capacity(), "lookahead_frames",
            format("is more than the %lld frames that kernels of this length reach",
                   static_cast<long long>(lookahead_capacity())));
}

int64_t DenoisingAutoencoderOptions::total_stride() const {
  int64_t stride = stem.stride;
  for (const auto& stage : encoder) stride *= stage.stride;
  return stride;
}

int64_t DenoisingAutoencoderOptions::lookahead_capacity() const {
  int64_t frames = stem.kernel_time / 2;
  for (const auto& stage : encoder) frames += 2 * stage.blocks * (stage.kernel_time / 2);
  return frames;
}

namespace {

/// Kernels take the future from the front of the network on, none more than its own half.
int64_t take_lookahead(int64_t kernel_time, int64_t& left) {
  const int64_t taken = std::min(left, kernel_time / 2);
  left -= taken;
  return taken;
}

int64_t mask_channels(const DenoisingAutoencoderOptions& options) {
  return options.mask == "real" ? 1 : 2;
}

}  // namespace

DenoisingAutoencoder::DenoisingAutoencoder(const DenoisingAutoencoderOptions& options)
    : options_(options) {
  const auto& o = options_;
  const bool bias = o.norm == "none";
  int64_t lookahead = o.lookahead_frames;
  stft_ = register_module("stft", Stft(o.stft));
  stem_ = register_module(
      "stem", Conv(ConvOptions{.in_channels = o.features == "magnitude" ? 1 : 2,
                               .out_channels = o.stem.channels,
                               .kernel_time = o.stem.kernel_time,
                               .kernel_freq = o.stem.kernel_freq,
                               .stride_freq = o.stem.stride,
                               .lookahead = take_lookahead(o.stem.kernel_time, lookahead),
                               .bias = bias}));
  stem_norm_ = register_module("stem_norm", Norm(o.norm, o.stem.channels));
  stem_activation_ = register_module("stem_activation", Activation(o.activation, o.stem.channels));

  int64_t channels = o.stem.channels;
  for (size_t i = 0; i < o.encoder.size(); ++i) {
    const auto& stage = o.encoder[i];
    encoder_.push_back(
        make_stage(format("encoder%zu", i), stage, channels, stage.channels, true, lookahead));
    channels = stage.channels;
  }

  latent_in_ = register_module(
      "latent_in",
      Conv(ConvOptions{.in_channels = channels, .out_channels = o.latent.in_channels}));
  temporal_ =
      register_module("temporal", Temporal(o.temporal, o.latent.in_channels, o.latent_bins()));
  latent_ = register_module("latent", Conv(ConvOptions{.in_channels = o.latent.in_channels,
                                                       .out_channels = o.latent.channels}));
  latent_out_ = register_module(
      "latent_out",
      Conv(ConvOptions{.in_channels = o.latent.channels, .out_channels = channels, .bias = bias}));
  latent_out_norm_ = register_module("latent_out_norm", Norm(o.norm, channels));
  latent_out_activation_ =
      register_module("latent_out_activation", Activation(o.activation, channels));

  for (size_t i = o.encoder.size(); i-- > 0;) {
    const auto& stage = o.encoder[i];
    const int64_t out = i > 0 ? o.encoder[i - 1].channels : o.stem.channels;
    decoder_.push_back(make_stage(format("decoder%zu", o.encoder.size() - 1 - i), stage, channels,
                                  out, false, lookahead));
    channels = out;
  }
  head_ = register_module("head", Conv(ConvOptions{.in_channels = channels,
                                                   .out_channels = mask_channels(o) * o.stem.stride,
                                                   .kernel_freq = 3}));
  // Masks start open: 1 + 0i, or sigmoid(2) = 0.88. From a random mask, hundreds of steps go into
  // finding the noisy signal again.
  at::NoGradGuard no_grad;
  auto head_bias =
      head_->named_parameters()["bias"];  // [stride · (1 or 2)], real and imaginary part in turn
  head_bias.zero_();
  o.mask == "real" ? head_bias.fill_(2) : head_bias.slice(0, 0, std::nullopt, 2).fill_(1);
}

DenoisingAutoencoder::Blocks DenoisingAutoencoder::make_stage(const std::string& name,
                                                              const StageOptions& stage,
                                                              int64_t in_channels,
                                                              int64_t out_channels, bool down,
                                                              int64_t& lookahead_left) {
  Blocks blocks;
  for (int64_t b = 0; b < stage.blocks; ++b) {
    InvertedBottleneckOptions block{.in_channels = in_channels,
                                    .out_channels = in_channels,
                                    .expansion = options_.expansion,
                                    .kernel_time = stage.kernel_time,
                                    .kernel_freq = stage.kernel_freq,
                                    .lookahead = take_lookahead(stage.kernel_time, lookahead_left),
                                    .norm = options_.norm,
                                    .activation = options_.activation};
    // The encoder strides first, the decoder last: the other blocks work at the low resolution.
    if (b == (down ? 0 : stage.blocks - 1)) {
      block.out_channels = out_channels;
      (down ? block.stride_freq : block.upsample_freq) = stage.stride;
    }
    blocks.push_back(register_module(name + "_" + std::to_string(b), InvertedBottleneck(block)));
    in_channels = block.out_channels;
  }
  return blocks;
}

at::Tensor DenoisingAutoencoder::features(const at::Tensor& spectrum) const {
  const auto bins = spectrum.narrow(2, 0, options_.network_bins());  // complex [B, T, F]
  const auto parts = at::view_as_real(bins);                         // [B, T, F, 2]
  const auto power = parts.square().sum(-1).add(1e-12);              // [B, T, F]
  at::Tensor x;
  if (options_.features == "magnitude") {
    x = power.pow(options_.compression / 2).unsqueeze(1);  // [B, 1, T, F]
  } else {
    x = (parts * power.pow((options_.compression - 1) / 2).unsqueeze(-1)).permute({0, 3, 1, 2});
  }
  return x.contiguous(options_.memory_format == "channels_last" ? at::MemoryFormat::ChannelsLast
                                                                : at::MemoryFormat::Contiguous);
}

at::Tensor DenoisingAutoencoder::apply_mask(const at::Tensor& mask,
                                            const at::Tensor& spectrum) const {
  const auto values = mask.permute({0, 2, 3, 1});  // [B, T, F, 1 or 2]
  const auto all = at::cat({values, values.narrow(2, values.size(2) - 1, 1)}, 2).contiguous();
  return spectrum * (options_.mask == "real" ? all.squeeze(3) : at::view_as_complex(all));
}

Denoised DenoisingAutoencoder::forward(const at::Tensor& noisy,
                                       const std::vector<std::string>& wanted) {
  TORCH_CHECK(noisy.dim() == 2, "DenoisingAutoencoder: expected [B, L], got ", noisy.sizes());
  Denoised result;
  const auto tap = [&](const std::string& name, const at::Tensor& value) {
    if (std::find(wanted.begin(), wanted.end(), name) != wanted.end()) result.taps[name] = value;
  };
  const auto spectrum = stft_(noisy);  // complex [B, T, F + 1]
  at::Tensor x = stem_activation_(stem_norm_(stem_(features(spectrum))));
  tap("stem", x);

  std::vector<at::Tensor> skips;
  for (size_t i = 0; i < encoder_.size(); ++i) {
    for (auto& block : encoder_[i]) x = block(x);
    tap(format("encoder.%zu", i), x);
    skips.push_back(x);
  }
  x = latent_in_(x);
  tap("latent_in", x);
  x = latent_(temporal_(x));  // [B, C_z, T, F_z]
  tap("latent", x);
  x = latent_out_activation_(latent_out_norm_(latent_out_(x)));
  for (size_t i = 0; i < decoder_.size(); ++i) {
    if (options_.skips == "add") x = x + skips[skips.size() - 1 - i];
    for (auto& block : decoder_[i]) x = block(x);
    tap(format("decoder.%zu", i), x);
  }
  x = interleave_bins(head_(x), options_.stem.stride);  // [B, 1 or 2, T, F]
  const auto mask = options_.mask == "real" ? x.sigmoid() : x;
  tap("mask", mask);
  if (result.taps.size() < wanted.size()) {
    for (const auto& name : wanted) tap_info(name);  // throws for the unknown one
  }
  result.estimate = stft_->inverse(apply_mask(mask, spectrum), noisy.size(1));
  return result;
}

std::vector<std::string> DenoisingAutoencoder::tap_names() const {
  std::vector<std::string> names = {"stem"};
  for (size_t i = 0; i < encoder_.size(); ++i) names.push_back(format("encoder.%zu", i));
  names.insert(names.end(), {"latent_in", "latent"});
  for (size_t i = 0; i < decoder_.size(); ++i) names.push_back(format("decoder.%zu", i));
  names.push_back("mask");
  return names;
}

TapInfo DenoisingAutoencoder::tap_info(const std::string& tap) const {
  const auto& o = options_;
  std::map<std::string, std::pair<int64_t, int64_t>> shapes;  // channels, bins
  int64_t bins = o.network_bins() / o.stem.stride;
  shapes["stem"] = {o.stem.channels, bins};
  for (size_t i = 0; i < o.encoder.size(); ++i) {
    const size_t mirrored = o.encoder.size() - 1 - i;
    const int64_t out = i > 0 ? o.encoder[i - 1].channels : o.stem.channels;
    shapes[format("decoder.%zu", mirrored)] = {out, bins};
    bins /= o.encoder[i].stride;
    shapes[format("encoder.%zu", i)] = {o.encoder[i].channels, bins};
  }
  shapes["latent_in"] = {o.latent.in_channels, bins};
  shapes["latent"] = {o.latent.channels, bins};
  shapes["mask"] = {mask_channels(o), o.network_bins()};
  const auto found = shapes.find(tap);
  if (found == shapes.end()) {
    throw ConfigError("unknown tap '" + tap + "'; this network has: " + join(tap_names(), ", "));
  }
  TapInfo info;
  info.channels = found->second.first;
  const auto rate = static_cast<double>(o.rate_hz);
  for (int64_t i = 0; i <= found->second.second; ++i) {
    info.band_edges_hz.push_back(rate / 2 * static_cast<double>(i) /
                                 static_cast<double>(found->second.second));
  }
  info.hop_seconds = static_cast<double>(o.stft.hop_samples) / rate;
  info.first_centre_seconds =
      (static_cast<double>(o.stft.hop_samples) - 0.5 * static_cast<double>(o.stft.window_samples)) /
      rate;
  return info;
}

double DenoisingAutoencoder::macs_per_second() const {
  const auto& o = options_;
  int64_t bins = o.network_bins();
  int64_t macs = stem_->macs_per_frame(bins);
  bins /= o.stem.stride;
  for (size_t i = 0; i < encoder_.size(); ++i) {
    for (size_t b = 0; b < encoder_[i].size(); ++b) {
      macs += encoder_[i][b]->macs_per_frame(bins);
      if (b == 0) bins /= o.encoder[i].stride;
    }
  }
  macs += latent_in_->macs_per_frame(bins) + temporal_->macs_per_frame() +
          latent_->macs_per_frame(bins) + latent_out_->macs_per_frame(bins);
  for (size_t i = 0; i < decoder_.size(); ++i) {
    for (const auto& block : decoder_[i]) macs += block->macs_per_frame(bins);
    bins *= o.encoder[o.encoder.size() - 1 - i].stride;
  }
  macs += head_->macs_per_frame(bins);
  return static_cast<double>(macs) * static_cast<double>(o.rate_hz) /
         static_cast<double>(o.stft.hop_samples);
}

int64_t DenoisingAutoencoder::latency_samples() const {
  return options_.stft.window_samples + options_.lookahead_frames * options_.stft.hop_samples;
}

}  // namespace limbeck::nn
