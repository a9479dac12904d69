#include "limbeck/audio/resample.h"

#include <soxr.h>

#include <algorithm>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"

namespace limbeck {

void require_rates(int from_hz, int to_hz) {
  const int64_t slow = std::min(from_hz, to_hz);
  const int64_t fast = std::max(from_hz, to_hz);
  if (slow > 0 && fast <= slow * kLargestRateRatio) return;
  const std::string why =
      slow > 0 ? format(": more than a factor of %d lies between", kLargestRateRatio) : "";
  throw DataError(format("cannot resample from %d Hz to %d Hz%s", from_hz, to_hz, why));
}

Waveform resample(const Waveform& waveform, int rate_hz) {
  require_rates(waveform.rate_hz, rate_hz);
  if (waveform.rate_hz == rate_hz) return waveform;
  const int64_t size = resampled_size(waveform.size(), waveform.rate_hz, rate_hz);
  Waveform result{std::vector<float>(static_cast<size_t>(size)), rate_hz};
  if (size == 0) return result;
  const soxr_quality_spec_t quality = ::soxr_quality_spec(SOXR_VHQ, 0);
  size_t done = 0;
  // What soxr leaves unwritten (it rounds the length, we round it up) stays zero.
  const soxr_error_t error = ::soxr_oneshot(
      waveform.rate_hz, rate_hz, 1, waveform.samples.data(), waveform.samples.size(), nullptr,
      result.samples.data(), result.samples.size(), &done, nullptr, &quality, nullptr);
  if (error != nullptr) throw std::runtime_error(std::string("soxr: ") + error);
  return result;
}

}  // namespace limbeck
