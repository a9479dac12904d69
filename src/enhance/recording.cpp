#include "limbeck/enhance/recording.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <cmath>

#include "enhance/top_band.h"
#include "limbeck/audio/stream_resampler.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/nn/enhance.h"

// Legend: C channel, n and m sample. Vectors of samples are interleaved.

namespace limbeck {
namespace {

/// What is worked on at once, always, so that results do not depend on how a recording arrives.
/// Half of it takes a network up to 1.5 times as long, a second at least 0.6 times; a live pipe
/// waits for it.
constexpr double kBlockSeconds = 0.25;
/// 120 dB above full scale. Beyond, a network's powers would come near the largest float.
constexpr float kLoudest = 1e6F;

void append(std::vector<float>& to, std::span<const float> samples) {
  to.insert(to.end(), samples.begin(), samples.end());
}

void drop_first(std::vector<float>& samples, size_t count) {
  samples.erase(samples.begin(), samples.begin() + static_cast<std::ptrdiff_t>(count));
}

/// What the network does not see of the recording, and the gain that it gets.
struct Rest {
  StreamResampler up;       // of the network's input
  TopBandGain gain;         //
  std::vector<float> low;   // the network's input, until its output is there
  std::vector<float> seen;  // the same at the recording's rate
};

}  // namespace

double wet_share(const RecordingOptions& options) {
  if (!(options.mix >= 0 && options.mix <= 1)) {
    throw ConfigError(format("mix must be from 0 to 1, not %g", options.mix));
  }
  if (!options.limit_db) return options.mix;
  if (!(*options.limit_db >= 0)) {
    throw ConfigError(format("the limit must be at least 0 dB, not %g", *options.limit_db));
  }
  return options.mix * (1 - std::pow(10, -*options.limit_db / 20));
}

/// y = up(net(down(x))) + g · (x − up(down(x))), all of it aligned by counting samples.
class RecordingEnhancer::State {
 public:
  State(const nn::Enhancer& enhancer, int rate_hz, int channels, const RecordingOptions& options)
      : channels_(static_cast<size_t>(channels)),
        block_(channels_ * static_cast<size_t>(std::ceil(kBlockSeconds * rate_hz))),
        wet_share_(wet_share(options)),
        down_(rate_hz, static_cast<int>(enhancer.rate_hz()), channels),
        network_(enhancer.stream(channels, options.link)),
        up_(static_cast<int>(enhancer.rate_hz()), rate_hz, channels) {
    const auto network_hz = static_cast<int>(enhancer.rate_hz());
    // Below the network's rate it is the edge of the band that resampling takes, and no high band.
    if (rate_hz < network_hz || (rate_hz > network_hz && options.high_band == HighBand::follow)) {
      const double band_end_hz = std::min(rate_hz, network_hz) / 2.;
      rest_.emplace(Rest{StreamResampler(network_hz, rate_hz, channels),
                         TopBandGain(network_hz, band_end_hz, rate_hz, channels, options.link),
                         {},
                         {}});
    }
  }

  std::vector<float> process(std::span<const float> samples) {
    if (wet_share_ == 0) return {samples.begin(), samples.end()};
    append(arrived_, samples);
    std::vector<float> output;
    size_t done = 0;
    for (; arrived_.size() - done >= block_; done += block_) {
      work(std::span(arrived_).subspan(done, block_));
      mix_into(output);
    }
    drop_first(arrived_, done);
    return output;
  }

  std::vector<float> flush() {
    if (wet_share_ == 0) return {};
    work(arrived_);
    const std::vector<float> low = down_.flush();
    append_seen(low);
    add_enhanced(through_network(low));
    add_enhanced(interleaved(network_->flush()));
    append(wet_, up_.flush());
    if (rest_) {
      append(rest_->seen, rest_->up.flush());
      rest_->gain.finish();
    }
    std::vector<float> output;
    mix_into(output);
    TORCH_CHECK(dry_.empty(), "RecordingEnhancer: ", dry_.size(), " samples did not come back");
    arrived_.clear();
    wet_.clear();  // there and back, lengths are rounded up
    if (rest_) {
      rest_->seen.clear();
      rest_->gain.reset();
    }
    return output;
  }

 private:
  void work(std::span<const float> samples) {
    append(dry_, samples);
    std::vector<float> bounded(samples.begin(), samples.end());
    for (float& x : bounded) x = std::clamp(x, -kLoudest, kLoudest);
    const std::vector<float> low = down_.process(bounded);
    append_seen(low);
    add_enhanced(through_network(low));
  }

  std::vector<float> through_network(const std::vector<float>& low) {
    const auto count = static_cast<int64_t>(low.size() / channels_);
    const auto channels = static_cast<int64_t>(channels_);
    // LibTorch has no tensor of const data; it is only read.
    const auto samples =
        at::from_blob(const_cast<float*>(low.data()), {count, channels});  // [n, C]
    return interleaved(network_->process(samples.t().contiguous()));
  }

  /// [C, m]
  static std::vector<float> interleaved(const at::Tensor& enhanced) {
    const auto samples = enhanced.t().contiguous();
    const float* first = samples.const_data_ptr<float>();
    return {first, first + samples.numel()};
  }

  void append_seen(const std::vector<float>& low) {
    if (!rest_) return;
    append(rest_->low, low);
    append(rest_->seen, rest_->up.process(low));
  }

  void add_enhanced(const std::vector<float>& enhanced) {
    append(wet_, up_.process(enhanced));
    if (!rest_) return;
    rest_->gain.add(std::span(rest_->low).first(enhanced.size()), enhanced);
    drop_first(rest_->low, enhanced.size());
  }

  /// All that every part of is there.
  void mix_into(std::vector<float>& output) {
    size_t count = std::min(dry_.size(), wet_.size());
    if (rest_) {
      count = std::min(
          {count, rest_->seen.size(), static_cast<size_t>(rest_->gain.known()) * channels_});
      std::vector<float> unseen(count);
      for (size_t i = 0; i < count; ++i) unseen[i] = dry_[i] - rest_->seen[i];
      rest_->gain.apply(unseen);
      for (size_t i = 0; i < count; ++i) wet_[i] += unseen[i];
      drop_first(rest_->seen, count);
    }
    const auto wet = static_cast<float>(wet_share_);
    const auto dry = static_cast<float>(1 - wet_share_);
    for (size_t i = 0; i < count; ++i) output.push_back(wet * wet_[i] + dry * dry_[i]);
    drop_first(dry_, count);
    drop_first(wet_, count);
  }

  const size_t channels_;
  const size_t block_;
  const double wet_share_;
  StreamResampler down_;
  std::unique_ptr<nn::EnhanceStream> network_;
  StreamResampler up_;
  std::optional<Rest> rest_;
  std::vector<float> arrived_;  // less than a block
  std::vector<float> dry_;      // the input, until its output is complete
  std::vector<float> wet_;
};

RecordingEnhancer::RecordingEnhancer(const nn::Enhancer& enhancer, int rate_hz, int channels,
                                     const RecordingOptions& options)
    : state_(std::make_unique<State>(enhancer, rate_hz, channels, options)) {}

RecordingEnhancer::~RecordingEnhancer() = default;

std::vector<float> RecordingEnhancer::process(std::span<const float> samples) {
  return state_->process(samples);
}

std::vector<float> RecordingEnhancer::flush() { return state_->flush(); }

}  // namespace limbeck
