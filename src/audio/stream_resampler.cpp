#include "limbeck/audio/stream_resampler.h"

#include <soxr.h>

#include <algorithm>
#include <stdexcept>
#include <string>

#include "limbeck/audio/resample.h"

namespace limbeck {
namespace {

struct DeleteSoxr {
  void operator()(soxr* resampler) const { ::soxr_delete(resampler); }
};

void check(soxr_error_t error) {
  if (error != nullptr) throw std::runtime_error(std::string("soxr: ") + error);
}

}  // namespace

struct StreamResampler::State {
  int from_hz, to_hz, channels;
  std::unique_ptr<soxr, DeleteSoxr> resampler{};  // begun by the first samples of a signal
  int64_t taken = 0;                              // frames
  int64_t given = 0;

  void begin() {
    const soxr_quality_spec_t quality = ::soxr_quality_spec(SOXR_VHQ, 0);
    soxr_error_t error = nullptr;
    resampler.reset(::soxr_create(from_hz, to_hz, static_cast<unsigned>(channels), &error, nullptr,
                                  &quality, nullptr));
    check(error);
  }

  /// Hands `frames` to soxr, or the end for null, and appends what it gives until it has no more.
  void run(const float* samples, int64_t frames, std::vector<float>& out) {
    constexpr size_t kRoom = 1 << 10;
    const auto width = static_cast<size_t>(channels);
    for (size_t got = kRoom; got == kRoom || frames > 0;) {
      const size_t begin = out.size();
      out.resize(begin + kRoom * width);
      size_t used = 0;
      check(::soxr_process(resampler.get(), samples, static_cast<size_t>(frames), &used,
                           out.data() + begin, kRoom, &got));
      out.resize(begin + got * width);
      given += static_cast<int64_t>(got);
      frames -= static_cast<int64_t>(used);
      if (samples != nullptr) samples += used * width;
    }
  }
};

StreamResampler::StreamResampler(int from_hz, int to_hz, int channels) {
  require_rates(from_hz, to_hz);
  if (channels < 1) throw std::logic_error("StreamResampler: no channels");
  state_ = std::make_unique<State>(State{from_hz, to_hz, channels});
}

StreamResampler::~StreamResampler() = default;
StreamResampler::StreamResampler(StreamResampler&&) noexcept = default;
StreamResampler& StreamResampler::operator=(StreamResampler&&) noexcept = default;

std::vector<float> StreamResampler::process(std::span<const float> samples) {
  State& state = *state_;
  if (samples.size() % static_cast<size_t>(state.channels) != 0) {
    throw std::logic_error("StreamResampler: half a frame");
  }
  if (state.from_hz == state.to_hz) return {samples.begin(), samples.end()};
  std::vector<float> out;
  if (samples.empty()) return out;
  if (!state.resampler) state.begin();
  const auto frames = static_cast<int64_t>(samples.size()) / state.channels;
  state.taken += frames;
  state.run(samples.data(), frames, out);
  return out;
}

std::vector<float> StreamResampler::flush() {
  State& state = *state_;
  std::vector<float> out;
  if (!state.resampler) return out;
  state.run(nullptr, 0, out);
  // soxr rounds the length, `resample` rounds it up and leaves 0 there.
  const int64_t missing = resampled_size(state.taken, state.from_hz, state.to_hz) - state.given;
  const int64_t wanted = static_cast<int64_t>(out.size()) + missing * state.channels;
  out.resize(static_cast<size_t>(std::max<int64_t>(wanted, 0)));
  state = State{state.from_hz, state.to_hz, state.channels};
  return out;
}

}  // namespace limbeck
