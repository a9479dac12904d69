#include "enhance/pass.h"

#include <algorithm>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/nn/device.h"
#include "limbeck/nn/enhance.h"

namespace limbeck {

namespace {

/// A second at most. An interrupt ends a stream that waits for more.
std::vector<float> read_some(StreamReader& reader) {
  try {
    return reader.read(reader.info().rate_hz);
  } catch (const Interrupted&) {
    return {};
  }
}

}  // namespace

int64_t pass(StreamReader& reader, StreamWriter& writer, const nn::Enhancer& enhancer,
             const RecordingOptions& options, const std::function<bool(int64_t)>& goes_on) {
  const StreamInfo& info = reader.info();
  const auto write = [&](const std::vector<float>& samples) {
    if (!samples.empty()) writer.write(samples);
  };
  return nn::within_memory(enhancer.device(), [&] {
    RecordingEnhancer recording(enhancer, info.rate_hz, info.channels, options);
    int64_t frames = 0;
    while (goes_on(frames)) {
      const std::vector<float> samples = read_some(reader);
      if (samples.empty()) break;
      frames += static_cast<int64_t>(samples.size()) / info.channels;
      write(recording.process(samples));
    }
    write(recording.flush());
    return frames;
  });
}

void say_what_is_lost(const std::vector<int>& rates_hz, const nn::Enhancer& enhancer,
                      const RecordingOptions& options, Logger& logger) {
  if (wet_share(options) == 0) return;  // all comes through
  const auto rate_hz = static_cast<int>(enhancer.rate_hz());
  const auto above =
      std::count_if(rates_hz.begin(), rates_hz.end(), [&](int r) { return r > rate_hz; });
  if (above > 0) {
    logger.info(
        format("%d of %d recordings go beyond %d Hz, where the network's band ends; what lies "
               "above %s",
               static_cast<int64_t>(above), rates_hz.size(), rate_hz / 2,
               options.high_band == HighBand::drop
                   ? "is dropped; --high-band follow gives it the gain of the top band"
                   : "gets the gain of its top band"));
  }
}

}  // namespace limbeck
