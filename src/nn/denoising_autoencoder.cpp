#include "limbeck/nn/denoising_autoencoder.h"

#include <torch/types.h>

#include <algorithm>
#include <set>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"

namespace limbeck::nn {

namespace {

/// Kernels take the future from the front of the network on, none more than its own half.
int64_t take_lookahead(int64_t kernel_time, int64_t dilation, int64_t& left) {
  const int64_t taken = std::min(left, kernel_time / 2 * dilation);
  left -= taken;
  return taken;
}

int64_t mask_channels(const DenoisingAutoencoderOptions& options) {
  return options.mask == "real" ? 1 : 2;
}

int64_t feature_channels(const DenoisingAutoencoderOptions& options) {
  return options.features == "complex" ? 2 : options.features == "magnitude_complex" ? 3 : 1;
}

at::MemoryFormat memory_format(const DenoisingAutoencoderOptions& options) {
  return options.memory_format == "channels_last" ? at::MemoryFormat::ChannelsLast
                                                  : at::MemoryFormat::Contiguous;
}

}  // namespace

DenoisingAutoencoder::DenoisingAutoencoder(const DenoisingAutoencoderOptions& options)
    : options_(options) {
  const auto& o = options_;
  const bool bias = o.norm == "none";
  int64_t lookahead = o.lookahead_frames;
  stft_ = register_module("stft", Stft(o.stft));
  bands_ = register_module("bands", Bands(o.grid()));
  stem_ = register_module(
      "stem", Conv(ConvOptions{.in_channels = feature_channels(o),
                               .out_channels = o.stem.channels,
                               .kernel_time = o.stem.kernel_time,
                               .kernel_freq = o.stem.kernel_freq,
                               .stride_freq = o.stem.stride,
                               .lookahead = take_lookahead(o.stem.kernel_time, 1, lookahead),
                               .bias = bias}));
  stem_norm_ = register_module("stem_norm", Norm(o.norm, o.stem.channels));
  stem_activation_ = register_module("stem_activation", Activation(o.activation, o.stem.channels));

  int64_t channels = o.stem.channels;
  for (size_t i = 0; i < o.encoder.size(); ++i) {
    const auto& stage = o.encoder[i];
    encoder_.push_back(
        make_stage(format("encoder%d", i), stage, channels, stage.channels, true, lookahead));
    channels = stage.channels;
  }

  latent_in_ = register_module(
      "latent_in",
      Conv(ConvOptions{.in_channels = channels, .out_channels = o.latent.in_channels}));
  temporal_ = register_module("temporal",
                              Temporal(o.temporal, o.latent.in_channels, o.latent_bins(), o.norm));
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
    if (o.skips == "concat") {
      skips_.push_back(register_module(
          format("skip%d", o.encoder.size() - 1 - i),
          Conv(ConvOptions{.in_channels = 2 * channels, .out_channels = channels})));
    }
    decoder_.push_back(make_stage(format("decoder%d", o.encoder.size() - 1 - i), stage, channels,
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
    InvertedBottleneckOptions block{
        .in_channels = in_channels,
        .out_channels = in_channels,
        .expansion = options_.expansion,
        .kernel_time = stage.kernel_time,
        .kernel_freq = stage.kernel_freq,
        .dilation_time = stage.dilation_time,
        .lookahead = take_lookahead(stage.kernel_time, stage.dilation_time, lookahead_left),
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
  const auto bins = spectrum.narrow(2, 0, spectrum.size(2) - 1);  // complex [B, T, N]
  const auto parts = at::view_as_real(bins);                      // [B, T, N, 2]
  const auto power = parts.square().sum(-1).add(1e-12);           // [B, T, N]
  std::vector<at::Tensor> x;                                      // each [B, channels, T, N]
  if (options_.features == "log_magnitude") x.push_back((power + 1e-8).log10().unsqueeze(1) / 4);
  if (options_.features.starts_with("magnitude")) {
    x.push_back(power.pow(options_.compression / 2).unsqueeze(1));
  }
  if (options_.features.ends_with("complex")) {
    const auto gain = power.pow((options_.compression - 1) / 2).unsqueeze(-1);
    x.push_back((parts * gain).permute({0, 3, 1, 2}));
  }
  return bands_->merge(x.size() == 1 ? x.front() : at::cat(x, 1))
      .contiguous(memory_format(options_));  // [B, channels, T, bands]
}

at::Tensor DenoisingAutoencoder::activate_mask(const at::Tensor& x) const {
  if (options_.mask == "real") return x.sigmoid();
  if (options_.mask == "complex") return x;
  const auto radius = (x.square().sum(1, true) + 1e-12).sqrt();  // [B, 1, T, bands]
  return x * (2 * (radius / 2).tanh() / radius);
}

at::Tensor DenoisingAutoencoder::apply_mask(const at::Tensor& mask,
                                            const at::Tensor& spectrum) const {
  const auto values = bands_->split(mask);  // [B, 1 or 2, T, N]
  const auto all = at::cat({values, values.narrow(3, values.size(3) - 1, 1)}, 3)
                       .permute({0, 2, 3, 1})
                       .contiguous();  // [B, T, N + 1, 1 or 2]
  return spectrum * (options_.mask == "real" ? all.squeeze(3) : at::view_as_complex(all));
}

/// Collects the taps that were asked for.
class DenoisingAutoencoder::Collector {
 public:
  Collector(std::vector<std::string> wanted, bool only_taps)
      : wanted_(wanted.begin(), wanted.end()), only_taps_(only_taps) {}
  /// True if nothing after this is wanted.
  bool put(const std::string& name, const at::Tensor& value) {
    if (wanted_.count(name)) taps[name] = value;
    return only_taps_ && taps.size() == wanted_.size();
  }
  Taps taps;

 private:
  std::set<std::string> wanted_;
  bool only_taps_;
};

at::Tensor DenoisingAutoencoder::mask(const at::Tensor& spectrum, Collector& collector,
                                      StreamState* stream) {
  at::Tensor x = features(spectrum);
  x = stem_norm_->activate(stem_(x, stream), stem_activation_, stream);
  if (collector.put("stem", x)) return {};

  std::vector<at::Tensor> skips;
  for (size_t i = 0; i < encoder_.size(); ++i) {
    for (auto& block : encoder_[i]) x = block(x, stream);
    if (collector.put(format("encoder.%d", i), x)) return {};
    skips.push_back(x);
  }
  x = latent_in_(x);
  if (collector.put("latent_in", x)) return {};
  x = latent_(temporal_(x, stream));  // [B, C_z, T, F_z]
  if (collector.put("latent", x)) return {};
  x = latent_out_norm_->activate(latent_out_(x), latent_out_activation_, stream);
  for (size_t i = 0; i < decoder_.size(); ++i) {
    const at::Tensor& skip = skips[skips.size() - 1 - i];
    if (options_.skips == "add") x = x + skip;
    if (options_.skips == "concat") x = skips_[i](at::cat({x, skip}, 1));
    for (auto& block : decoder_[i]) x = block(x, stream);
    if (collector.put(format("decoder.%d", i), x)) return {};
  }
  x = activate_mask(interleave_bins(head_(x), options_.stem.stride));  // [B, 1 or 2, T, bands]
  collector.put("mask", x);
  return x;
}

Denoised DenoisingAutoencoder::forward(const at::Tensor& noisy,
                                       const std::vector<std::string>& wanted) {
  TORCH_CHECK(noisy.dim() == 2, "DenoisingAutoencoder: expected [B, L], got ", noisy.sizes());
  for (const auto& name : wanted) tap_shape(name);  // throws for an unknown one
  Collector collector(wanted, false);
  const auto spectrum = stft_(noisy);  // complex [B, T, N + 1]
  const auto estimate = apply_mask(mask(spectrum, collector, nullptr), spectrum);
  return {stft_->inverse(estimate, noisy.size(1)), std::move(collector.taps)};
}

Taps DenoisingAutoencoder::taps(const at::Tensor& noisy, const std::vector<std::string>& wanted) {
  if (wanted.empty()) return {};
  for (const auto& name : wanted) tap_shape(name);
  Collector collector(wanted, true);
  mask(stft_(noisy), collector, nullptr);
  return std::move(collector.taps);
}

at::Tensor DenoisingAutoencoder::enhance_frames(const at::Tensor& spectrum, StreamState& stream) {
  Collector none({}, false);
  return apply_mask(mask(spectrum, none, &stream), spectrum);
}

void DenoisingAutoencoder::fuse() {
  stem_->fold(*stem_norm_);
  latent_out_->fold(*latent_out_norm_);
  temporal_->fuse();
  for (auto* stages : {&encoder_, &decoder_}) {
    for (auto& blocks : *stages) {
      for (auto& block : blocks) block->fuse();
    }
  }
}

std::vector<std::string> DenoisingAutoencoder::tap_names() const {
  std::vector<std::string> names = {"stem"};
  for (size_t i = 0; i < encoder_.size(); ++i) names.push_back(format("encoder.%d", i));
  names.insert(names.end(), {"latent_in", "latent"});
  for (size_t i = 0; i < decoder_.size(); ++i) names.push_back(format("decoder.%d", i));
  names.push_back("mask");
  return names;
}

DenoisingAutoencoder::TapShape DenoisingAutoencoder::tap_shape(const std::string& tap) const {
  const auto& o = options_;
  std::map<std::string, TapShape> shapes;
  int64_t stride = o.stem.stride;
  shapes["stem"] = {o.stem.channels, stride};
  for (size_t i = 0; i < o.encoder.size(); ++i) {
    const size_t mirrored = o.encoder.size() - 1 - i;
    const int64_t out = i > 0 ? o.encoder[i - 1].channels : o.stem.channels;
    shapes[format("decoder.%d", mirrored)] = {out, stride};
    stride *= o.encoder[i].stride;
    shapes[format("encoder.%d", i)] = {o.encoder[i].channels, stride};
  }
  shapes["latent_in"] = {o.latent.in_channels, stride};
  shapes["latent"] = {o.latent.channels, stride};
  shapes["mask"] = {mask_channels(o), 1};
  const auto found = shapes.find(tap);
  if (found == shapes.end()) {
    throw ConfigError("unknown tap '" + tap + "'; this network has: " + join(tap_names(), ", "));
  }
  return found->second;
}

TapInfo DenoisingAutoencoder::tap_info(const std::string& tap) const {
  const auto& o = options_;
  const TapShape shape = tap_shape(tap);
  const auto edges = o.grid().edges_hz();
  TapInfo info;
  info.channels = shape.channels;
  for (size_t i = 0; i < edges.size(); i += static_cast<size_t>(shape.stride)) {
    info.band_edges_hz.push_back(edges[i]);
  }
  const auto rate = static_cast<double>(o.rate_hz);
  info.hop_seconds = static_cast<double>(o.stft.hop_samples) / rate;
  info.first_centre_seconds =
      (static_cast<double>(o.stft.hop_samples) - 0.5 * static_cast<double>(o.stft.window_samples)) /
      rate;
  return info;
}

std::vector<LayerCost> DenoisingAutoencoder::layer_costs() const {
  const auto& o = options_;
  std::vector<LayerCost> costs;
  int64_t bins = o.network_bins();
  const auto add_conv = [&](const std::string& name, const Conv& conv, const Norm& norm,
                            const Activation& activation) {
    LayerCost cost{.name = name,
                   .parameters = parameter_count(*conv),
                   .macs = conv->macs_per_frame(bins),
                   .activations = conv->activations(bins),
                   .state = conv->state_values(bins),
                   .past = conv->options().span() - conv->options().lookahead,
                   .future = conv->options().lookahead};
    if (norm) {
      cost.parameters += parameter_count(*norm) + parameter_count(*activation);
      cost.state += norm->state_values();
    }
    costs.push_back(cost);
  };
  add_conv("stem", stem_, stem_norm_, stem_activation_);
  bins /= o.stem.stride;
  for (size_t i = 0; i < encoder_.size(); ++i) {
    for (size_t b = 0; b < encoder_[i].size(); ++b) {
      costs.push_back(encoder_[i][b]->cost(format("encoder.%d.%d", i, b), bins));
      if (b == 0) bins /= o.encoder[i].stride;
    }
  }
  add_conv("latent_in", latent_in_, nullptr, nullptr);
  for (const auto& cost : temporal_->costs()) costs.push_back(cost);
  add_conv("latent", latent_, nullptr, nullptr);
  add_conv("latent_out", latent_out_, latent_out_norm_, latent_out_activation_);
  for (size_t i = 0; i < decoder_.size(); ++i) {
    if (!skips_.empty()) add_conv(format("skip.%d", i), skips_[i], nullptr, nullptr);
    for (size_t b = 0; b < decoder_[i].size(); ++b) {
      costs.push_back(decoder_[i][b]->cost(format("decoder.%d.%d", i, b), bins));
    }
    bins *= o.encoder[o.encoder.size() - 1 - i].stride;
  }
  add_conv("head", head_, nullptr, nullptr);
  return costs;
}

double DenoisingAutoencoder::frames_per_second() const {
  return static_cast<double>(options_.rate_hz) / static_cast<double>(options_.stft.hop_samples);
}

int64_t DenoisingAutoencoder::latency_samples() const {
  return options_.stft.window_samples + options_.lookahead_frames * options_.stft.hop_samples;
}

}  // namespace limbeck::nn
