#include "audio/mp3_length.h"

#include <algorithm>
#include <initializer_list>
#include <iterator>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"

namespace limbeck {
namespace {

/// Bytes of a file, read in large pieces.
class Window {
 public:
  explicit Window(const ByteSource& bytes) : bytes_(bytes) {}

  /// Four bytes as a big-endian number; 0 beyond the end.
  uint32_t word(int64_t at) {
    if (at < begin_ || at + 4 > begin_ + static_cast<int64_t>(piece_.size())) {
      constexpr int64_t kPiece = 1 << 18;
      begin_ = at;
      piece_ = at + 4 > bytes_.size ? "" : bytes_.read(at, std::min(kPiece, bytes_.size - at));
      if (piece_.size() < 4) return 0;
    }
    uint32_t value = 0;
    for (int64_t i = at - begin_; i < at - begin_ + 4; ++i) {
      value = value << 8 | static_cast<unsigned char>(piece_[static_cast<size_t>(i)]);
    }
    return value;
  }

 private:
  const ByteSource& bytes_;
  int64_t begin_ = 0;
  std::string piece_;
};

struct Frame {
  int64_t bytes = 0;  ///< 0: no frame of layer III begins here
  int64_t samples = 0;
};

/// ISO/IEC 11172-3, 2.4.1.3, with the lower rates of 13818-3 and of "MPEG 2.5".
Frame frame_of(uint32_t head) {
  constexpr int kKbits[2][16] = {
      {0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0},
      {0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0}};
  constexpr int kRates[] = {44100, 48000, 32000, 0};
  const uint32_t version = head >> 19 & 3;  // 3: MPEG 1; 2: MPEG 2; 0: MPEG 2.5
  const uint32_t layer = head >> 17 & 3;    // 1: III
  if (head >> 21 != 0x7ff || version == 1 || layer != 1) return {};
  const bool is_first = version == 3;
  const int kbits = kKbits[is_first][head >> 12 & 15];
  const int rate = kRates[head >> 10 & 3] >> (is_first ? 0 : version == 2 ? 1 : 2);
  if (kbits == 0 || rate == 0) return {};
  const int64_t samples = is_first ? 1152 : 576;
  return {samples / 8 * kbits * 1000 / rate + (head >> 9 & 1), samples};
}

/// Bytes of the tag that begins with `head` (ID3v2), or 0.
int64_t tag_bytes(Window& window, int64_t at) {
  constexpr uint32_t kId3 = 0x494433;
  if (window.word(at) >> 8 != kId3) return 0;
  const uint32_t size = window.word(at + 6);  // seven bits a byte
  return 10 + (size >> 24 << 21 | (size >> 16 & 127) << 14 | (size >> 8 & 127) << 7 | (size & 127));
}

/// Whether the frame at `at` says how many there are ("Xing", "Info", or "VBRI"), behind what the
/// layer puts first, as much as versions and channels ask for.
bool counts_frames(Window& window, int64_t at) {
  constexpr uint32_t kCounts[] = {0x58696e67, 0x496e666f, 0x56425249};
  return std::ranges::any_of(std::initializer_list<int64_t>{13, 21, 36}, [&](int64_t offset) {
    return std::ranges::find(kCounts, window.word(at + offset)) != std::end(kCounts);
  });
}

struct Count {
  int64_t samples = 0;
  bool is_stated = false;  ///< in the first frame
};

Count count_samples(const ByteSource& bytes) {
  Window window(bytes);
  Count count;
  bool is_in_step = false;
  for (int64_t at = 0; at + 4 <= bytes.size;) {
    const Frame frame = frame_of(window.word(at));
    // Behind other bytes one header may be chance.
    const bool is_frame =
        frame.bytes > 0 && (is_in_step || frame_of(window.word(at + frame.bytes)).bytes > 0);
    if (is_frame && count.samples == 0) count.is_stated = counts_frames(window, at);
    count.samples += is_frame ? frame.samples : 0;
    at += is_frame ? frame.bytes : std::max<int64_t>(tag_bytes(window, at), 1);
    is_in_step = is_frame;
  }
  return count;
}

}  // namespace

int64_t mp3_length(const std::string& name, const ByteSource& bytes, int64_t frames) {
  constexpr int64_t kFrame = 1152;
  const Count count = count_samples(bytes);
  // What encoders put before and behind, and the frame that counts; or what a guess is off.
  const int64_t filling = count.is_stated ? 5 * kFrame : kFrame;
  if (count.samples > frames + filling) {
    throw DataError(
        format("%s: holds more than its header says, some %d samples and not %d: several MP3 files "
               "that were joined, or varying bit rates without a header; \"ffmpeg -i IN OUT.wav\" "
               "reads all",
               name, count.samples, frames));
  }
  const bool is_guess = !count.is_stated && count.samples > 0;
  return is_guess ? std::min(frames, count.samples) : frames;
}

}  // namespace limbeck
