#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace limbeck {

namespace nn {
class Enhancer;
}

/// What becomes of what lies above the network's band.
enum class HighBand {
  drop,    ///< silence
  follow,  ///< the gain of the network's top band
};

/// How a recording of any rate and number of channels is denoised.
struct RecordingOptions {
  double mix = 1;  ///< share of the enhanced signal; the rest is the input
  std::optional<double> limit_db =
      {};  ///< what is taken away altogether stays, so far below its level
  HighBand high_band = HighBand::drop;
  bool link = false;  ///< one gain for all channels
};

/// The share of the enhanced signal with which `limit_db` of the recording is mixed back in. Throws
/// ConfigError for a mix outside of 0 to 1 or a negative limit.
double wet_share(const RecordingOptions& options);

/// Denoises a recording that comes in blocks, in constant memory: brings it to the network's rate
/// and back, compensates every delay, and mixes. The output does not depend on how the recording is
/// cut into blocks. With a wet share of 0 the output is the input, bit for bit.
class RecordingEnhancer {
 public:
  /// `enhancer` outlives this. Throws DataError for a rate that cannot be brought to the network's,
  /// ConfigError as `wet_share` does.
  RecordingEnhancer(const nn::Enhancer& enhancer, int rate_hz, int channels,
                    const RecordingOptions& options);
  ~RecordingEnhancer();

  /// Finite samples, interleaved; returns what of the output is complete, interleaved.
  std::vector<float> process(std::span<const float> samples);
  /// The rest: as many samples come out in all as went in. The next call of `process` begins a new
  /// recording.
  std::vector<float> flush();

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace limbeck
