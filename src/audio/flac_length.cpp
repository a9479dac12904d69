#include "audio/flac_length.h"

#include <algorithm>
#include <bit>
#include <string>
#include <string_view>

namespace limbeck {
namespace {

constexpr int64_t kLongestFrame = 1 << 22;  // 65535 samples of 8 channels and 32 bits, and more

unsigned byte(std::string_view bytes, size_t at) { return static_cast<unsigned char>(bytes[at]); }

/// Remainder of a CRC of `width` bits, begun with 0 and not reflected; 0 for a message that its own
/// CRC ends.
unsigned crc(std::string_view bytes, int width, unsigned polynomial) {
  unsigned remainder = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    remainder ^= byte(bytes, i) << (width - 8);
    for (int bit = 0; bit < 8; ++bit) {
      const bool carry = ((remainder >> (width - 1)) & 1) != 0;
      remainder = ((remainder << 1) ^ (carry ? polynomial : 0)) & ((1U << width) - 1);
    }
  }
  return remainder;
}

/// Where a frame ends in the recording, by its header, whose blocks have `usual` samples if their
/// size does not vary. None if `frame` begins with no header.
std::optional<int64_t> end_of_frame(std::string_view frame, int64_t usual) {
  constexpr size_t kLongestHeader = 16;
  const std::string_view head = frame.substr(0, kLongestHeader);
  if (head.size() < 6 || byte(head, 0) != 0xff || (byte(head, 1) & 0xfe) != 0xf8) return {};
  // The number, in as many bytes as its first one has leading ones, as UTF-8 has them.
  const unsigned first = byte(head, 4);
  const auto ones = static_cast<size_t>(std::countl_one(static_cast<unsigned char>(first)));
  const size_t length = ones == 0 ? 1 : ones;
  if (ones == 1 || ones == 8) return {};
  const unsigned size_code = byte(head, 2) >> 4;
  const unsigned rate_code = byte(head, 2) & 15;
  const size_t size_at = 4 + length;
  const size_t size_bytes = size_code == 6 ? 1 : size_code == 7 ? 2 : 0;
  const size_t rate_bytes = rate_code == 12 ? 1 : rate_code == 13 || rate_code == 14 ? 2 : 0;
  const size_t end = size_at + size_bytes + rate_bytes + 1;
  if (end > head.size() || crc(head.substr(0, end), 8, 0x07) != 0) return {};

  int64_t number = ones == 0 ? first : first & (0x7fU >> ones);
  for (size_t i = 1; i < length; ++i) number = number << 6 | (byte(head, 4 + i) & 0x3f);
  int64_t size = 0;
  if (size_code == 1) size = 192;
  if (size_code >= 2 && size_code <= 5) size = int64_t{144} << size_code;
  if (size_code == 6) size = byte(head, size_at) + 1;
  if (size_code == 7) size = (byte(head, size_at) << 8 | byte(head, size_at + 1)) + 1;
  if (size_code >= 8) size = int64_t{1} << size_code;
  const bool is_varying = (byte(head, 1) & 1) != 0;
  if (size == 0) return {};
  return (is_varying ? number : number * usual) + size;
}

}  // namespace

std::optional<int64_t> flac_length(const ByteSource& bytes) {
  const std::string head = bytes.read(0, 12);
  if (head.size() < 12 || !head.starts_with("fLaC")) return {};
  const int64_t usual = byte(head, 8) << 8 | byte(head, 9);
  const int64_t from = std::max<int64_t>(bytes.size - kLongestFrame, 0);
  const std::string tail = bytes.read(from, bytes.size - from);
  for (size_t at = tail.rfind('\xff'); at != std::string::npos && at > 0;
       at = tail.rfind('\xff', at - 1)) {
    const std::string_view frame = std::string_view(tail).substr(at);
    const std::optional<int64_t> end = end_of_frame(frame, usual);
    if (end && crc(frame, 16, 0x8005) == 0) return end;
  }
  return {};
}

}  // namespace limbeck
