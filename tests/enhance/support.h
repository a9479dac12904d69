#pragma once

// What tests of denoised recordings share: networks whose mask is known, and signals. Signals of
// several channels are interleaved.

#include <complex>

#include "limbeck/enhance/recording.h"
#include "limbeck/nn/enhance.h"
#include "nn/support.h"

namespace limbeck::test {

/// A small network at 16 kHz with the mask `gain` everywhere, always: 1 gives the input.
inline std::shared_ptr<nn::DenoisingModel> model_with_mask(double gain,
                                                           const std::string& changes = "") {
  const auto model = make_model(changes);
  at::NoGradGuard no_grad;
  for (const auto& parameter : model->named_parameters()) {
    if (parameter.key() == "head.weight") parameter.value().zero_();
    if (parameter.key() == "head.bias") parameter.value().mul_(gain);  // 1 + 0i as it is made
  }
  return model;
}

inline nn::Enhancer with_mask(double gain, const std::string& changes = "") {
  return nn::Enhancer(model_with_mask(gain, changes), at::kCPU);
}

/// A small network at 16 kHz that does something else to every signal.
inline nn::Enhancer with_memory() {
  return nn::Enhancer(make_model("temporal: {type: gru, hidden: 6}", 3), at::kCPU);
}

/// Noise in [low, high] Hz that is known at any rate: a sum of cosines that rises and falls as a
/// whole, channel by channel another one.
inline std::vector<float> tones(int rate_hz, int channels, int64_t count, double low, double high,
                                uint64_t seed = 1) {
  constexpr int kTones = 40;
  std::vector<double> sums(static_cast<size_t>(count * channels));
  for (int c = 0; c < channels; ++c) {
    Random random{SeedKey(seed).with(static_cast<uint64_t>(c))};
    for (int k = 0; k < kTones; ++k) {
      const double hz = low + (high - low) * random.uniform();
      const std::complex<double> turn = std::polar(1.0, 2 * std::numbers::pi * hz / rate_hz);
      std::complex<double> at = std::polar(0.3 / std::sqrt(kTones), 6.28 * random.uniform());
      for (int64_t n = 0; n < count; ++n, at *= turn) {
        const double envelope =
            std::pow(std::sin(std::numbers::pi * static_cast<double>(n) / (count - 1)), 2);
        sums[static_cast<size_t>(n * channels + c)] += envelope * at.real();
      }
    }
  }
  return {sums.begin(), sums.end()};
}

/// The recording as it comes out, given to `enhancer` in pieces of 1 to `longest` samples.
inline std::vector<float> in_pieces(RecordingEnhancer& enhancer, int channels,
                                    std::span<const float> recording, uint64_t longest,
                                    uint64_t seed = 1) {
  Random random{SeedKey(seed)};
  std::vector<float> output;
  const auto put = [&](const std::vector<float>& more) {
    output.insert(output.end(), more.begin(), more.end());
  };
  while (!recording.empty()) {
    const size_t size =
        std::min((1 + random.below(longest)) * static_cast<uint64_t>(channels), recording.size());
    put(enhancer.process(recording.first(size)));
    recording = recording.subspan(size);
  }
  put(enhancer.flush());
  return output;
}

/// The recording as it comes out of a fresh enhancer.
inline std::vector<float> denoised(const nn::Enhancer& network, int rate_hz, int channels,
                                   std::span<const float> recording,
                                   const RecordingOptions& options = {}) {
  RecordingEnhancer enhancer(network, rate_hz, channels, options);
  return in_pieces(enhancer, channels, recording, 50000);
}

/// One channel of interleaved samples.
inline std::vector<float> channel(const std::vector<float>& samples, int channels, int c) {
  std::vector<float> one;
  for (size_t i = static_cast<size_t>(c); i < samples.size(); i += static_cast<size_t>(channels)) {
    one.push_back(samples[i]);
  }
  return one;
}

inline double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) {
    ADD_FAILURE() << a.size() << " samples and " << b.size();
    return INFINITY;
  }
  double most = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double difference = std::abs(static_cast<double>(a[i]) - b[i]);
    most = difference <= most ? most : difference;  // keeps a NaN
  }
  return most;
}

/// Level of all samples together, dBFS.
inline double level_db(const std::vector<float>& samples) {
  double sum = 0;
  for (const float x : samples) sum += static_cast<double>(x) * x;
  return 10 * std::log10(sum / static_cast<double>(samples.size()));
}

}  // namespace limbeck::test
