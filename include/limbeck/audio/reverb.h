#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace limbeck {

/// Speech as a microphone in a room hears it, and the part of it that a denoiser should keep.
struct RoomSpeech {
  std::vector<float> full;   ///< by the whole impulse response
  std::vector<float> early;  ///< by the direct path and what follows within `early_samples`
};

/// `speech` convolved with a room's impulse response. The direct path, which is the first sample of
/// largest magnitude, gets gain ±1 and delay 0, so both results lie under `speech`; what comes
/// before it (a weaker first arrival, the ringing of a band-limited response) belongs to both. The
/// room is silent before the first sample, and the end is cut: both have the length of `speech`.
///
/// The result is exact, so it is the same to the bit on every machine: speech is rounded to
/// multiples of 2^−19 (16-bit recordings are not changed) and the response, its peak brought to 1,
/// to multiples of 2^−15. Their convolution is then one of integers, and the FFT that computes it
/// in double precision errs by far less than the half that it is rounded by.
///
/// Throws std::logic_error if the response is silent.
RoomSpeech put_in_room(std::span<const float> speech, std::span<const float> response,
                       int64_t early_samples);

}  // namespace limbeck
