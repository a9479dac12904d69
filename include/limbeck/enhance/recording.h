#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "limbeck/nn/enhance.h"

namespace limbeck {

/// What becomes of what lies above the network's band.
enum class HighBand {
  drop,    ///< silence
  follow,  ///< the gain of the network's top band
};

/// How a recording of any rate and number of channels is denoised.
struct RecordingOptions {
  double mix = 1;                  ///< share of the enhanced signal; the rest is the input
  std::optional<double> limit_db;  ///< noise is taken down by so much at most
  HighBand high_band = HighBand::drop;
  bool link = false;  ///< one gain for all channels
};

/// Denoises a recording that comes in blocks, in constant memory: brings it to the network's rate
/// and back, compensates every delay, and mixes. With mix = 0 the output is the input, bit for bit.
class RecordingEnhancer {
 public:
  /// Throws DataError for a rate that cannot be brought to the network's.
  RecordingEnhancer(const nn::Enhancer& enhancer, int rate_hz, int channels,
                    const RecordingOptions& options);
  ~RecordingEnhancer();

  /// Interleaved samples; returns what of the output is complete, interleaved.
  std::vector<float> process(std::span<const float> samples);
  /// The rest: as many samples come out in all as went in.
  std::vector<float> flush();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace limbeck
