#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace limbeck {

/// Brings a signal that comes in blocks to another rate, by soxr as `resample` does (same quality,
/// aligned with the input: no delay is left in the output, it only comes later). All blocks
/// together give what `resample` gives for the whole, and as many samples.
class StreamResampler {
 public:
  /// Throws DataError for a rate that is not positive or a ratio beyond 1:1000.
  StreamResampler(int from_hz, int to_hz, int channels);
  ~StreamResampler();
  StreamResampler(StreamResampler&&) noexcept;
  StreamResampler& operator=(StreamResampler&&) noexcept;

  /// Interleaved samples; returns what of the output is complete, interleaved.
  std::vector<float> process(std::span<const float> samples);
  /// The rest; the next call of `process` begins a new signal.
  std::vector<float> flush();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace limbeck
