#include "nn/denoising_autoencoder.h"

#include <torch/types.h>

#include <algorithm>
#include <set>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"

namespace limbeck::nn {

namespace {

constexpr const char* kName = "denoising_autoencoder";

int64_t mask_channels(Mask mask) { return mask == Mask::real ? 1 : 2; }

int64_t feature_channels(Features features) {
  switch (features) {
    case Features::complex:
      return 2;
    case Features::magnitude_complex:
      return 3;
    case Features::magnitude:
    case Features::log_magnitude:
      break;
  }
  return 1;
}

/// Gives what the head writes the range of a mask.
class MaskRange : public Part {
 public:
  explicit MaskRange(Mask mask) : mask_(mask) {}
  at::Tensor forward(const at::Tensor& x, const Pass&) override {
    if (mask_ == Mask::real) return x.sigmoid();
    if (mask_ == Mask::complex) return x;
    const auto radius = (x.square().sum(1, true) + 1e-12).sqrt();  // [B, 1, T, bands]
    return x * (2 * (radius / 2).tanh() / radius);
  }
  std::vector<LayerCost> costs(const std::string&, int64_t) const override { return {}; }

 private:
  Mask mask_;
};

}  // namespace

/// Makes the stages in their order: each works on what the one before gives.
class DenoisingAutoencoder::Builder {
 public:
  /// Without a network nothing is made but counted.
  Builder(DenoisingAutoencoder* network, const DenoisingAutoencoderOptions& options)
      : network_(network), o_(options), lookahead_left_(o_.lookahead_frames) {}

  template <class Take>
  void each(const Take& take) {
    const auto next = [&](Stage&& stage) {
      channels_ = stage.channels;
      take(std::move(stage));
    };
    next(stem());
    for (size_t i = 0; i < o_.encoder.size(); ++i) next(encoder(i));
    next(latent_in());
    next(latent());
    next(latent_out());
    for (size_t i = 0; i < o_.encoder.size(); ++i) next(decoder(i));
    next(mask());
  }

  /// Numbers that the modules of the stages so far keep.
  int64_t values() const { return values_; }

 private:
  Stage stem() {
    return {.tap = "stem",
            .channels = o_.stem.channels,
            .parts = {{"stem", unit("stem", {.conv = {.in_channels = feature_channels(o_.features),
                                                      .out_channels = o_.stem.channels,
                                                      .kernel_time = o_.stem.kernel_time,
                                                      .kernel_freq = o_.stem.kernel_freq,
                                                      .stride_freq = o_.stem.stride,
                                                      .lookahead = lookahead(o_.stem.kernel_time)},
                                             .norm = o_.norm,
                                             .activation = o_.activation})}}};
  }

  Stage encoder(size_t i) {
    Stage stage{.tap = format("encoder.%d", i),
                .channels = o_.encoder[i].channels,
                .skip = o_.skips == Skips::none ? Skip::no : Skip::keep_output};
    add_blocks(stage, "encoder", i, o_.encoder[i], true);
    return stage;
  }

  Stage latent_in() { return linear("latent_in", o_.latent.in_channels); }

  Stage latent() {
    const TemporalConfig& temporal = o_.temporal;
    const TemporalPlace place{channels_, o_.network_bins() / o_.total_stride(), o_.norm};
    values_ += temporal.options().values(place);
    std::shared_ptr<TemporalModel> memory;
    if (network_ != nullptr) {
      memory = temporal_models().build(temporal.chosen.name(), temporal.options(), place);
      network_->register_module("temporal", memory);
    }
    Stage stage = linear("latent", o_.latent.channels);
    stage.parts.emplace(stage.parts.begin(), "temporal", memory);
    return stage;
  }

  Stage latent_out() {
    const int64_t channels = o_.encoder.back().channels;
    return {
        .tap = "",
        .channels = channels,
        .parts = {{"latent_out",
                   unit("latent_out", {.conv = {.in_channels = channels_, .out_channels = channels},
                                       .norm = o_.norm,
                                       .activation = o_.activation})}}};
  }

  Stage decoder(size_t i) {
    const size_t mirrored = o_.encoder.size() - 1 - i;
    const int64_t in = channels_;
    Stage stage{.tap = format("decoder.%d", i),
                .channels = mirrored > 0 ? o_.encoder[mirrored - 1].channels : o_.stem.channels,
                .skip = o_.skips == Skips::none ? Skip::no : Skip::join_input};
    if (o_.skips == Skips::concat) {
      stage.parts.emplace_back(
          format("skip.%d", i),
          unit(format("skip%d", i), {.conv = {.in_channels = 2 * in, .out_channels = in}}));
    }
    add_blocks(stage, "decoder", i, o_.encoder[mirrored], false);
    return stage;
  }

  Stage mask() {
    const int64_t channels = mask_channels(o_.mask);
    return {.tap = "mask",
            .channels = channels,
            .parts = {{"head", unit("head", {.conv = {.in_channels = channels_,
                                                      .out_channels = channels * o_.stem.stride,
                                                      .kernel_freq = 3},
                                             .upsample_freq = o_.stem.stride})},
                      {"mask", std::make_shared<MaskRange>(o_.mask)}}};
  }

  std::shared_ptr<ConvUnit> unit(const std::string& name, const ConvUnitOptions& options) {
    values_ += options.values();
    return network_ != nullptr ? std::make_shared<ConvUnit>(*network_, name, options) : nullptr;
  }

  Stage linear(const std::string& name, int64_t channels) {
    const ConvOptions conv{.in_channels = channels_, .out_channels = channels};
    return {.tap = name, .channels = channels, .parts = {{name, unit(name, {.conv = conv})}}};
  }

  void add_blocks(Stage& stage, const char* side, size_t index, const StageOptions& options,
                  bool down) {
    int64_t channels = channels_;
    for (int64_t b = 0; b < options.blocks; ++b) {
      InvertedBottleneckOptions block{
          .in_channels = channels,
          .out_channels = channels,
          .expansion = o_.expansion,
          .kernel_time = options.kernel_time,
          .kernel_freq = options.kernel_freq,
          .dilation_time = options.dilation_time,
          .lookahead = lookahead(options.kernel_time, options.dilation_time),
          .norm = o_.norm,
          .activation = o_.activation};
      // The encoder strides first, the decoder last: the other blocks work at the low resolution.
      if (b == (down ? 0 : options.blocks - 1)) {
        block.out_channels = channels = stage.channels;
        (down ? block.stride_freq : block.upsample_freq) = options.stride;
      }
      values_ += block.values();
      if (network_ == nullptr) continue;
      const auto module =
          network_->register_module(format("%s%d_%d", side, index, b), InvertedBottleneck(block));
      stage.parts.emplace_back(format("%s.%d.%d", side, index, b), module);
    }
  }

  /// Kernels take the future from the front of the network on, none more than its own half.
  int64_t lookahead(int64_t kernel_time, int64_t dilation = 1) {
    const int64_t taken = std::min(lookahead_left_, kernel_time / 2 * dilation);
    lookahead_left_ -= taken;
    return taken;
  }

  DenoisingAutoencoder* network_;
  const DenoisingAutoencoderOptions& o_;
  int64_t lookahead_left_;
  int64_t channels_ = 0;  // that the stage before gives
  int64_t values_ = 0;
};

int64_t DenoisingAutoencoder::values(const DenoisingAutoencoderOptions& options) {
  Builder counting(nullptr, options);
  counting.each([](const Stage&) {});
  return counting.values();
}

DenoisingAutoencoder::DenoisingAutoencoder(const DenoisingAutoencoderOptions& options)
    : options_(options) {
  stft_ = register_module("stft", Stft(options.stft));
  bands_ = register_module("bands", Bands(options.grid()));
  Builder(this, options).each([this](Stage stage) { add(std::move(stage)); });
  // Masks start open: 1 + 0i, or sigmoid(2) = 0.88. From a random mask, hundreds of steps go into
  // finding the noisy signal again.
  at::NoGradGuard no_grad;
  at::Tensor bias =
      named_parameters()["head.bias"];  // [stride · (1 or 2)], real and imaginary part in turn
  bias.zero_();
  options.mask == Mask::real ? bias.fill_(2) : bias.slice(0, 0, std::nullopt, 2).fill_(1);
}

void DenoisingAutoencoder::add(Stage stage) {
  const int64_t all = options_.network_bins();
  int64_t bins = stages_.empty() ? all : all / stages_.back().stride;
  for (const auto& [name, part] : stage.parts) bins = part->out_bins(bins);
  stage.stride = all / bins;
  stages_.push_back(std::move(stage));
}

at::Tensor DenoisingAutoencoder::features(const at::Tensor& spectrum) const {
  const auto kind = options_.features;
  const auto bins = spectrum.narrow(2, 0, spectrum.size(2) - 1);  // complex [B, T, N]
  const auto parts = at::view_as_real(bins);                      // [B, T, N, 2]
  const auto power = (parts.select(3, 0).square() + parts.select(3, 1).square()).add(1e-12);
  std::vector<at::Tensor> x;  // each [B, channels, T, N]
  if (kind == Features::log_magnitude) x.push_back((power + 1e-8).log10().unsqueeze(1) / 4);
  if (kind == Features::magnitude || kind == Features::magnitude_complex) {
    x.push_back(power.pow(options_.compression / 2).unsqueeze(1));
  }
  if (kind == Features::complex || kind == Features::magnitude_complex) {
    const auto gain = power.pow((options_.compression - 1) / 2).unsqueeze(-1);
    x.push_back((parts * gain).permute({0, 3, 1, 2}));
  }
  return bands_->merge(x.size() == 1 ? x.front() : at::cat(x, 1))
      .contiguous(options_.memory_format == MemoryFormat::channels_last
                      ? at::MemoryFormat::ChannelsLast
                      : at::MemoryFormat::Contiguous);  // [B, channels, T, bands]
}

at::Tensor DenoisingAutoencoder::gains(const at::Tensor& mask) const {
  if (options_.mask == Mask::real) return bands_->split(mask.squeeze(1), true);
  const auto parts = bands_->split(mask, true).permute({0, 2, 3, 1});  // [B, T, N + 1, 2]
  return at::view_as_complex(parts.contiguous());
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
                                      const Pass& pass) {
  at::Tensor x = features(spectrum);
  std::vector<at::Tensor> kept;
  for (const Stage& stage : stages_) {
    if (stage.skip == Skip::join_input) {
      const auto skip = pass.around(&stage, kept.back(), x.size(2));
      x = options_.skips == Skips::add ? x + skip : at::cat({x, skip}, 1);
      kept.pop_back();
    }
    for (const auto& [name, part] : stage.parts) x = part->forward(x, pass);
    if (stage.skip == Skip::keep_output) kept.push_back(x);
    if (collector.put(stage.tap, x)) return {};
  }
  return x;  // [B, 1 or 2, T, bands]
}

Pass DenoisingAutoencoder::pass(const std::optional<ValidFrames>& valid,
                                StreamState* stream) const {
  return {.stream = stream,
          .valid = valid ? &*valid : nullptr,
          .kernels = kernels(),
          .use = watcher(),
          .channels_last = options_.memory_format == MemoryFormat::channels_last};
}

DenoisingAutoencoder::Input DenoisingAutoencoder::analyse(
    const at::Tensor& noisy, const std::vector<int64_t>& valid_samples) const {
  TORCH_CHECK(noisy.dim() == 2, "DenoisingAutoencoder: expected [B, L], got ", noisy.sizes());
  const auto batch = static_cast<size_t>(noisy.size(0));
  TORCH_CHECK(valid_samples.empty() || valid_samples.size() == batch,
              "DenoisingAutoencoder: ", valid_samples.size(), " lengths of a batch of ", batch);
  const auto shorter_than = [](const std::vector<int64_t>& lengths, int64_t all) {
    return std::any_of(lengths.begin(), lengths.end(), [&](int64_t n) { return n < all; });
  };
  const int64_t samples = noisy.size(1);
  if (!shorter_than(valid_samples, samples)) return {stft_->forward(noisy), {}};
  const auto silenced = noisy.masked_fill(behind(valid_samples, samples, noisy.device()), 0);
  Input input{stft_->forward(silenced), {}};
  std::vector<int64_t> frames;
  for (const int64_t valid : valid_samples) frames.push_back(tap_frames(valid));
  if (shorter_than(frames, tap_frames(samples))) {
    input.valid.emplace(frames, tap_frames(samples), noisy.device());
  }
  return input;
}

Denoised DenoisingAutoencoder::forward(const at::Tensor& noisy,
                                       const std::vector<std::string>& wanted,
                                       const std::vector<int64_t>& valid_samples) {
  for (const auto& name : wanted) stage_of(name);  // throws for an unknown one
  Collector collector(wanted, false);
  const Input input = analyse(noisy, valid_samples);
  const auto estimate = input.spectrum * gains(mask(input.spectrum, collector, pass(input.valid)));
  return {stft_->inverse(estimate, noisy.size(1)), std::move(collector.taps)};
}

Taps DenoisingAutoencoder::taps(const at::Tensor& noisy, const std::vector<std::string>& wanted,
                                const std::vector<int64_t>& valid_samples) {
  if (wanted.empty()) return {};
  for (const auto& name : wanted) stage_of(name);
  Collector collector(wanted, true);
  const Input input = analyse(noisy, valid_samples);
  mask(input.spectrum, collector, pass(input.valid));
  return std::move(collector.taps);
}

at::Tensor DenoisingAutoencoder::enhance_frames(const at::Tensor& spectrum, StreamState& stream,
                                                bool link) {
  Collector none({}, false);
  auto gain = gains(mask(spectrum, none, pass({}, &stream)));
  const auto covered = stream.delayed(this, spectrum, gain.size(1), 1);
  if (link) {
    const auto power = at::view_as_real(covered).square().sum(3) + 1e-12;  // [B, T, N + 1]
    gain = (gain * power).sum(0, true) / power.sum(0, true);
  }
  return covered * gain;
}

void DenoisingAutoencoder::fuse() {
  for (const Stage& stage : stages_) {
    for (const auto& [name, part] : stage.parts) part->fuse();
  }
}

std::vector<std::string> DenoisingAutoencoder::tap_names() const {
  std::vector<std::string> names;
  for (const Stage& stage : stages_) {
    if (!stage.tap.empty()) names.push_back(stage.tap);
  }
  return names;
}

const DenoisingAutoencoder::Stage& DenoisingAutoencoder::stage_of(const std::string& tap) const {
  for (const Stage& stage : stages_) {
    if (stage.tap == tap && !tap.empty()) return stage;
  }
  throw ConfigError("unknown tap '" + tap + "'; this network has: " + join(tap_names(), ", "));
}

TapInfo DenoisingAutoencoder::tap_info(const std::string& tap) const {
  const auto& o = options_;
  const Stage& from = stage_of(tap);
  TapInfo info;
  info.channels = from.channels;
  info.band_edges_hz = o.grid().edges_hz(from.stride);
  const auto rate = static_cast<double>(o.rate_hz);
  info.hop_seconds = static_cast<double>(o.stft.hop_samples) / rate;
  info.first_centre_seconds =
      (static_cast<double>(o.stft.hop_samples) - 0.5 * static_cast<double>(o.stft.window_samples)) /
      rate;
  return info;
}

std::vector<LayerCost> DenoisingAutoencoder::layer_costs() const {
  std::vector<LayerCost> all;
  int64_t bins = options_.network_bins(), channels = 0;
  int64_t ahead = 0, waiting = 0;  // frames, and the numbers of them that go around stages
  std::vector<int64_t> kept;
  for (const Stage& stage : stages_) {
    if (stage.skip == Skip::join_input) {
      waiting += (ahead - kept.back()) * channels * bins;
      kept.pop_back();
    }
    for (const auto& [name, part] : stage.parts) {
      for (LayerCost& cost : part->costs(name, bins)) {
        ahead += cost.future;
        all.push_back(std::move(cost));
      }
      bins = part->out_bins(bins);
    }
    channels = stage.channels;
    if (stage.skip == Skip::keep_output) kept.push_back(ahead);
  }
  waiting += ahead * options_.stft.bins();
  if (waiting > 0) all.push_back({.name = "what waits for lookahead", .state = waiting});
  return all;
}

double DenoisingAutoencoder::frames_per_second() const {
  return static_cast<double>(options_.rate_hz) / static_cast<double>(options_.stft.hop_samples);
}

int64_t DenoisingAutoencoder::latency_samples() const {
  return options_.stft.window_samples + options_.lookahead_frames * options_.stft.hop_samples;
}

ModelConfig DenoisingAutoencoder::config() const {
  ModelConfig config;
  config.chosen.set(kName, options_.clone());
  return config;
}

void add_denoising_autoencoder(ModelRegistry& r) {
  r.add<DenoisingAutoencoder, DenoisingAutoencoderOptions>(
      kName, "linear inverted bottlenecks around a narrow latent, with a mask");
}

}  // namespace limbeck::nn
