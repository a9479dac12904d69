#include "audio/wav_stream.h"

#include <sndfile.h>

#include <algorithm>
#include <limits>
#include <string_view>
#include <vector>

#include "audio/descriptor.h"
#include "audio/pcm.h"
#include "audio/whole.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"

namespace limbeck {
namespace {

constexpr int64_t kPlainTag = 1;
constexpr int64_t kFloatTag = 3;
constexpr int64_t kExtensibleTag = 0xfffe;  // the tag proper begins a 16-byte name further on
constexpr int kMostChannels = 1024;         // libsndfile's

[[noreturn]] void fail(const std::string& name, const std::string& reason) {
  throw DataError(name + ": " + reason);
}

int64_t number(std::string_view bytes, size_t at, size_t count) {
  uint64_t value = 0;
  for (size_t i = 0; i < count; ++i) {
    value |= uint64_t{static_cast<unsigned char>(bytes[at + i])} << (8 * i);
  }
  constexpr uint64_t kMost = std::numeric_limits<int64_t>::max();
  return static_cast<int64_t>(std::min(value, kMost));
}

std::string bytes_of(int64_t value, int count) {
  std::string bytes;
  for (int i = 0; i < count; ++i) bytes += static_cast<char>(value >> (8 * i));
  return bytes;
}

/// `count` bytes, or all that come.
std::string read_up_to(int descriptor, const std::string& name, size_t count) {
  std::string bytes(count, '\0');
  size_t got = 0;
  while (got < count) {
    const size_t more = read_some(descriptor, name, bytes.data() + got, count - got);
    if (more == 0) break;
    got += more;
  }
  bytes.resize(got);
  return bytes;
}

std::string read_exactly(int descriptor, const std::string& name, size_t count) {
  std::string bytes = read_up_to(descriptor, name, count);
  if (bytes.size() < count) fail(name, "is cut short: it ends within its header");
  return bytes;
}

void skip(int descriptor, const std::string& name, int64_t count) {
  constexpr int64_t kPiece = 1 << 16;
  for (; count > 0; count -= std::min(count, kPiece)) {
    read_exactly(descriptor, name, static_cast<size_t>(std::min(count, kPiece)));
  }
}

/// 0 if there is none.
int encoding_of(int64_t tag, int64_t bits) {
  if (tag == kFloatTag) return bits == 32 ? SF_FORMAT_FLOAT : bits == 64 ? SF_FORMAT_DOUBLE : 0;
  if (tag != kPlainTag) return 0;
  switch (bits) {
    case 8:
      return SF_FORMAT_PCM_U8;
    case 16:
      return SF_FORMAT_PCM_16;
    case 24:
      return SF_FORMAT_PCM_24;
    case 32:
      return SF_FORMAT_PCM_32;
    default:
      return 0;
  }
}

StreamInfo parse_format(std::string_view chunk, const std::string& name) {
  int64_t tag = number(chunk, 0, 2);
  const bool is_extensible = tag == kExtensibleTag && chunk.size() >= 40;
  if (is_extensible) tag = number(chunk, 24, 2);
  const int64_t channels = number(chunk, 2, 2);
  const int64_t rate_hz = number(chunk, 4, 4);
  const int64_t block = number(chunk, 12, 2);
  const int64_t bits = number(chunk, 14, 2);
  const int encoding = encoding_of(tag, bits);
  if (encoding == 0) {
    fail(name, format("holds samples of kind %d with %d bits; from a pipe 8, 16, 24 and 32 bits, "
                      "float and double are read: SoX and ffmpeg make them of others",
                      tag, bits));
  }
  if (channels < 1 || channels > kMostChannels || rate_hz < 1 ||
      rate_hz > std::numeric_limits<int>::max() || block != channels * pcm_bytes(encoding)) {
    fail(name, format("is damaged: its header says %d channels, %d Hz and %d bytes for all "
                      "channels of %d bits",
                      channels, rate_hz, block, bits));
  }
  return {static_cast<int>(rate_hz), static_cast<int>(channels), -1,
          is_extensible ? SF_FORMAT_WAVEX : SF_FORMAT_WAV, encoding};
}

std::string readable(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) text += c >= ' ' && c <= '~' ? c : '?';
  return text;
}

}  // namespace

int raw_encoding(const RawFormat& raw) {
  if (raw.rate_hz < 1 || raw.channels < 1 || raw.channels > kMostChannels) {
    throw ConfigError(
        format("raw samples: %d Hz and %d channels cannot be", raw.rate_hz, raw.channels));
  }
  if (raw.samples == "s16") return SF_FORMAT_PCM_16;
  if (raw.samples == "s24") return SF_FORMAT_PCM_24;
  if (raw.samples == "s32") return SF_FORMAT_PCM_32;
  if (raw.samples == "f32") return SF_FORMAT_FLOAT;
  throw ConfigError("unknown raw samples '" + raw.samples + "'; known: s16, s24, s32, f32");
}

StreamInfo read_wav_head(int descriptor, const std::string& name) {
  const std::string riff = read_up_to(descriptor, name, 12);
  if (riff.empty()) fail(name, "is empty");
  const bool is_wide = riff.starts_with("RF64") || riff.starts_with("BW64");
  if (!(riff.starts_with("RIFF") || is_wide) || riff.substr(4).find("WAVE") != 4) {
    fail(name, format("is no WAV: it begins with \"%s\"; SoX and ffmpeg make WAV of other formats",
                      readable(riff.substr(0, 4))));
  }
  StreamInfo info;
  int64_t wide_length = 0;
  for (;;) {
    const std::string chunk = read_exactly(descriptor, name, 8);
    const std::string_view id = std::string_view(chunk).substr(0, 4);
    int64_t length = number(chunk, 4, 4);
    int64_t left = length + length % 2;
    if (id == "data") {
      if (info.channels == 0) fail(name, "is damaged: samples come before their format");
      const int64_t block = info.channels * pcm_bytes(info.encoding);
      if (is_wide && length == 0xffffffff) length = wide_length;
      // 0, because nobody can go back in a pipe to say more.
      const bool is_open = length == 0 || length == std::numeric_limits<int64_t>::max();
      if (is_open || (!is_wide && is_unknown_length(length, block))) return info;
      info.frames = length / block;
      return info;
    }
    constexpr int64_t kMostRead = 40;  // of a chunk
    const bool is_read = id == "fmt " || id == "ds64";
    const std::string body =
        is_read ? read_exactly(descriptor, name, static_cast<size_t>(std::min(left, kMostRead)))
                : "";
    left -= static_cast<int64_t>(body.size());
    if (is_read && body.size() < 16) fail(name, "is damaged: its header is too short");
    if (id == "fmt ") info = parse_format(body, name);
    if (id == "ds64") wide_length = number(body, 8, 8);
    skip(descriptor, name, left);
  }
}

std::string wav_head(const StreamInfo& info) {
  const int64_t bytes = pcm_bytes(info.encoding);
  const bool is_float = info.encoding == SF_FORMAT_FLOAT || info.encoding == SF_FORMAT_DOUBLE;
  const std::string unknown = bytes_of(0xffffffff, 4);
  return "RIFF" + unknown + "WAVEfmt " + bytes_of(16, 4) +
         bytes_of(is_float ? kFloatTag : kPlainTag, 2) + bytes_of(info.channels, 2) +
         bytes_of(info.rate_hz, 4) + bytes_of(info.rate_hz * bytes * info.channels, 4) +
         bytes_of(bytes * info.channels, 2) + bytes_of(8 * bytes, 2) + "data" + unknown;
}

}  // namespace limbeck
