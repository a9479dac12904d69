#pragma once

#include <string>

#include "limbeck/core/format.h"
#include "limbeck/core/random.h"
#include "nn/support.h"

namespace limbeck::test {

/// YAML of a small causal network, drawn over all options of the family; equal numbers give equal
/// networks. For make_model().
inline std::string random_causal_model(uint64_t number) {
  Random random{SeedKey(number).with("causal model")};
  const auto pick = [&](std::vector<const char*> choices) {
    return std::string(choices[random.below(choices.size())]);
  };
  const auto between = [&](int64_t low, int64_t high) {
    return static_cast<long long>(low) +
           static_cast<long long>(random.below(static_cast<uint64_t>(high - low + 1)));
  };
  std::string yaml = pick({"stft: {window_samples: 64, hop_samples: 32, fft_samples: 64}\n",
                           "stft: {window_samples: 64, hop_samples: 16, fft_samples: 128}\n",
                           "stft: {window_samples: 96, hop_samples: 32, fft_samples: 128}\n",
                           "stft: {window_samples: 64, hop_samples: 32, window: hann}\n"});
  // 64 or 32 bins; 16 bands of either.
  if (between(0, 1) == 1) yaml += "bands: {kept: 8, merged: 8}\n";
  yaml += "features: " + pick({"magnitude", "log_magnitude", "complex", "magnitude_complex"}) +
          "\nmask: " + pick({"real", "complex", "bounded_complex"}) +
          "\nnorm: " + pick({"batch", "instance", "none"}) +
          "\nactivation: " + pick({"relu6", "prelu", "silu"}) +
          "\nskips: " + pick({"none", "add", "concat"}) +
          "\nmemory_format: " + pick({"contiguous", "channels_last"}) +
          format("\nexpansion: %d\n", between(1, 3)) +
          format("stem: {channels: %d, stride: 2, kernel_time: %d, kernel_freq: 3}\n",
                 between(2, 5), between(1, 3)) +
          "encoder:\n";
  for (int stage = 0; stage < 2; ++stage) {
    yaml += format(
        "  - {channels: %d, blocks: %d, stride: %d, kernel_time: %d, kernel_freq: %s, "
        "dilation_time: %d}\n",
        between(2, 6), between(1, 2), between(1, 2), between(1, 4), pick({"1", "3", "5"}),
        between(1, 3));
  }
  yaml += format("latent: {channels: %d, in_channels: 4}\n", between(1, 5));
  yaml +=
      pick({"temporal: {type: none}", "temporal: {type: gru, hidden: 8, layers: 2}",
            "temporal: {type: gru, hidden: 8, groups: 2}", "temporal: {type: dual_path, hidden: 8}",
            "temporal: {type: dual_path, hidden: 8, layers: 2, groups: 2}"}) +
      "\n";
  return yaml;
}

/// Running statistics that are not the identity, so that eval mode shows what normalisation does.
inline void shake_statistics(torch::nn::Module& module) {
  uint64_t seed = 100;
  for (auto& item : module.named_buffers()) {
    if (item.key().find("running") == std::string::npos) continue;
    item.value().add_(normal(item.value().sizes().vec(), seed++).abs() * 0.2);
  }
}

}  // namespace limbeck::test
