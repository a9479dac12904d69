#pragma once

#include <ostream>
#include <string>
#include <vector>

// One row a component: the options that the suites of this folder run it with. A registered name
// without a row fails them.

namespace limbeck::test {

struct Example {
  const char* name;
  const char* options = "";  ///< YAML, as it stands between braces
  const char* variant = "";  ///< tells rows of one component apart

  /// `key` is "name" in lists, else "type".
  std::string yaml(const std::string& key = "name") const {
    return "{" + key + ": " + name + (*options ? ", " : "") + options + "}";
  }
  std::string label() const { return std::string(name) + (*variant ? "_" : "") + variant; }
};

inline void PrintTo(const Example& example, std::ostream* out) { *out << example.label(); }

constexpr Example kLossExamples[] = {
    {"compressed_spectrum", "stft: {window_samples: 32, hop_samples: 16, fft_samples: 32}"},
    {"si_sdr"},
};

constexpr Example kTermExamples[] = {
    {"attention"},
    {"clskd", "width: 3"},
    {"clskd",
     "width: 2, student: [decoder.1, encoder.1, encoder.0], teacher: [latent, encoder.1, mask]",
     "named"},
    {"cosine", "student: [latent, decoder.0], teacher: [latent, encoder.1]", "two_taps"},
    {"cosine", "granularity: utterance", "utterance"},
    {"fitnet", "adapter: linear", "linear"},
    {"fitnet", "student: encoder.0, teacher: encoder.0, adapter: none", "none"},
    {"fitnet", "adapter: frame_linear", "frame_linear"},
    {"fitnet",
     "student: [latent, encoder.1], teacher: [latent, encoder.0], adapter: inverted_bottleneck",
     "bottleneck"},
    {"frame_similarity"},
    {"frame_similarity", "reduction: mean", "mean"},
    {"output"},
    {"selective_output",
     "share: 0.4, patch_bins: 5, patch_frames: 3, "
     "stft: {window_samples: 32, hop_samples: 8, fft_samples: 32}"},
    {"self_similarity", "axis: time", "time"},
    {"self_similarity", "axis: frequency", "frequency"},
    {"similarity", "student: [latent, encoder.0], teacher: [latent, decoder.1]"},
};

constexpr Example kAdapterExamples[] = {
    {"frame_linear"},
    {"inverted_bottleneck", "expansion: 3, kernel_freq: 5"},
    {"linear"},
    {"none"},
};

/// A line for each name in `registry` that no row is for.
template <class Registry, size_t rows>
std::vector<std::string> missing_rows(const Registry& registry, const Example (&examples)[rows]) {
  std::vector<std::string> lines;
  for (const std::string& name : registry.names()) {
    bool found = false;
    for (const Example& example : examples) found = found || name == example.name;
    if (!found) lines.push_back("add a row for '" + name + "' to tests/objective/examples.h");
  }
  return lines;
}

}  // namespace limbeck::test
