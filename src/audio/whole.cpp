#include "audio/whole.h"

#include <algorithm>
#include <iterator>
#include <string_view>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"

namespace limbeck {
namespace {

constexpr int64_t kFourGiB = int64_t{1} << 32;
constexpr int64_t kNoLength = int64_t{1} << 62;  ///< no file's; what number() makes of -1, too

[[noreturn]] void fail(const std::string& name, const std::string& reason) {
  throw DataError(name + ": " + reason);
}

int64_t number(std::string_view bytes, bool is_big_endian) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    const size_t place = is_big_endian ? bytes.size() - 1 - i : i;
    value |= uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * place);
  }
  return static_cast<int64_t>(std::min(value, uint64_t{kNoLength}));
}

/// Bytes of one sample of all channels, or 0 where samples are packed otherwise.
int64_t block_bytes(std::string_view format, bool is_big_endian) {
  if (format.size() < 16) return 0;
  const int64_t tag = number(format.substr(0, 2), is_big_endian);
  const bool is_plain = tag == 1 || tag == 3 || tag == 6 || tag == 7 || tag == 0xfffe;
  return is_plain ? number(format.substr(12, 2), is_big_endian) : 0;
}

/// In bytes; `block` as from block_bytes().
void require_length(const std::string& name, int64_t promised, int64_t found, int64_t block) {
  const int64_t unit_bytes = std::max<int64_t>(block, 1);
  if (found / unit_bytes >= promised / unit_bytes) return;
  fail(name, format("is cut short: its header promises %d %s, and there are %d",
                    promised / unit_bytes, block > 0 ? "samples" : "bytes of samples",
                    std::max<int64_t>(found, 0) / unit_bytes));
}

void check_length(const std::string& name, int64_t promised, int64_t found, int64_t block,
                  bool is_wide) {
  if (promised == 0 && found > 0) {
    fail(name, format("has no samples: its header says 0, as of a file that was never finished, "
                      "and %d bytes follow",
                      found));
  }
  const char* unit = block > 0 ? "samples" : "bytes of samples";
  const bool says_nothing = !is_wide && is_unknown_length(promised, block);
  const int64_t unit_bytes = std::max<int64_t>(block, 1);
  if (!is_wide && found - promised >= (says_nothing ? 1 : kFourGiB)) {
    fail(name, format("holds more than its header can say: it promises %d %s, and there are %d; a "
                      "file this long has to be RF64",
                      promised / unit_bytes, unit, found / unit_bytes));
  }
  if (!says_nothing) require_length(name, promised, found, block);
}

void require_whole_wav(const std::string& name, const ByteSource& bytes, std::string_view kind) {
  const bool is_big_endian = kind == "RIFX";
  const bool is_wide = kind == "RF64" || kind == "BW64";
  int64_t wide_length = 0;
  int64_t block = 0;
  for (int64_t at = 12; at + 8 <= bytes.size;) {
    const std::string chunk = bytes.read(at, 32);
    if (chunk.size() < 8) return;
    const std::string_view id = std::string_view(chunk).substr(0, 4);
    const std::string_view body = std::string_view(chunk).substr(8);
    const int64_t length = number(std::string_view(chunk).substr(4, 4), is_big_endian);
    if (id == "data") {
      return check_length(name, is_wide ? wide_length : length, bytes.size - at - 8, block,
                          is_wide);
    }
    if (id == "ds64" && body.size() >= 16) wide_length = number(body.substr(8, 8), false);
    if (id == "fmt ") block = block_bytes(body, is_big_endian);
    at += 8 + length + length % 2;
  }
}

/// Bytes of one sample of all channels by an AIFF file's COMM chunk, or 0 where they are packed.
int64_t aiff_block_bytes(std::string_view common, bool is_compressed) {
  if (common.size() < (is_compressed ? 22 : 8)) return 0;
  constexpr std::string_view kPlain[] = {"NONE", "twos", "sowt", "raw ", "in24",
                                         "in32", "fl32", "FL32", "fl64", "FL64"};
  const bool is_plain = !is_compressed || std::find(std::begin(kPlain), std::end(kPlain),
                                                    common.substr(18, 4)) != std::end(kPlain);
  return is_plain
             ? number(common.substr(0, 2), true) * ((number(common.substr(6, 2), true) + 7) / 8)
             : 0;
}

/// AIFF-C is an AIFF file whose COMM chunk goes on with how samples are compressed.
void require_whole_aiff(const std::string& name, const ByteSource& bytes, bool is_compressed) {
  int64_t block = 0;
  for (int64_t at = 12; at + 16 <= bytes.size;) {
    const std::string chunk = bytes.read(at, 32);
    if (chunk.size() < 16) return;
    const std::string_view id = std::string_view(chunk).substr(0, 4);
    const std::string_view body = std::string_view(chunk).substr(8);
    const int64_t length = number(std::string_view(chunk).substr(4, 4), true);
    if (id == "SSND") {
      const int64_t head = 8 + number(body.substr(0, 4), true);
      // What SoX leaves in a pipe: as many samples as fit into that.
      const bool is_piped = length <= 0x7f000000 + head && length > 0x7f000000 - 4096;
      if (is_unknown_length(length, 0) || is_piped) return;
      return require_length(name, length - head, bytes.size - at - 8 - head, block);
    }
    if (id == "COMM") block = aiff_block_bytes(body, is_compressed);
    at += 8 + length + length % 2;
  }
}

/// Wave64: as WAV, with ids of 16 bytes and lengths of 8 that count both, each chunk beginning at a
/// multiple of 8.
void require_whole_wave64(const std::string& name, const ByteSource& bytes) {
  constexpr int64_t kHead = 24;
  int64_t block = 0;
  for (int64_t at = 40; at + kHead <= bytes.size;) {
    const std::string chunk = bytes.read(at, kHead + 16);
    if (static_cast<int64_t>(chunk.size()) < kHead) return;
    const std::string_view id = std::string_view(chunk).substr(0, 4);
    const int64_t length = number(std::string_view(chunk).substr(16, 8), false);
    if (length < kHead || length >= kNoLength) return;
    if (id == "data") return require_length(name, length - kHead, bytes.size - at - kHead, block);
    if (id == "fmt ") block = block_bytes(std::string_view(chunk).substr(kHead), false);
    at += (length + 7) / 8 * 8;
  }
}

/// Apple's Core Audio Format; -1 for a length of samples means: all that follows.
void require_whole_caf(const std::string& name, const ByteSource& bytes) {
  constexpr int64_t kHead = 12;
  int64_t block = 0;
  for (int64_t at = 8; at + kHead <= bytes.size;) {
    const std::string chunk = bytes.read(at, kHead + 24);
    if (static_cast<int64_t>(chunk.size()) < kHead) return;
    const std::string_view id = std::string_view(chunk).substr(0, 4);
    const std::string_view body = std::string_view(chunk).substr(kHead);
    const int64_t length = number(std::string_view(chunk).substr(4, 8), true);
    if (length >= kNoLength) return;
    if (id == "data") {
      constexpr int64_t kEdits = 4;  // a counter before the samples
      return require_length(name, length - kEdits, bytes.size - at - kHead - kEdits, block);
    }
    if (id == "desc" && body.size() == 24) {
      const bool is_plain = number(body.substr(20, 4), true) == 1;  // frames in a packet
      block = is_plain ? number(body.substr(16, 4), true) : 0;
    }
    at += kHead + length;
  }
}

void require_whole_ogg(const std::string& name, const ByteSource& bytes) {
  constexpr size_t kHead = 27;  // then a length for each of up to 255 segments of up to 255 bytes
  constexpr int64_t kLongestPage = kHead + 255 + 255 * 255;
  const int64_t from = std::max<int64_t>(bytes.size - kLongestPage, 0);
  const std::string tail = bytes.read(from, bytes.size - from);
  const size_t at = tail.rfind("OggS");
  if (at != std::string::npos && at + kHead <= tail.size()) {
    const auto byte = [&](size_t i) { return size_t{static_cast<unsigned char>(tail[at + i])}; };
    const size_t segments = byte(26);
    size_t page = kHead + segments;
    for (size_t i = 0; i < segments && at + kHead + i < tail.size(); ++i) page += byte(kHead + i);
    constexpr size_t kEnds = 4;
    if ((byte(5) & kEnds) != 0 && at + page <= tail.size()) return;
  }
  fail(name, "is cut short: the page that ends an Ogg file is missing");
}

}  // namespace

bool is_unknown_length(int64_t length, int64_t block) {
  return length >= 0xfffff000 ||
         (length > 0x7ffff000 - std::max<int64_t>(block, 1) && length <= 0x80000000);
}

void require_whole(const std::string& name, const ByteSource& bytes) {
  const std::string head = bytes.read(0, 28);
  const std::string kind = head.substr(0, 4);
  if (kind == "OggS") require_whole_ogg(name, bytes);
  if (kind == "caff") require_whole_caf(name, bytes);
  if (head.size() < 28) return;
  const std::string form = head.substr(8, 4);
  const bool is_wav = kind == "RIFF" || kind == "RIFX" || kind == "RF64" || kind == "BW64";
  if (is_wav && form == "WAVE") require_whole_wav(name, bytes, kind);
  const bool is_aiff = form == "AIFF" || form == "AIFC";
  if (kind == "FORM" && is_aiff) require_whole_aiff(name, bytes, form == "AIFC");
  if (kind == "riff" && head.substr(24, 4) == "wave") require_whole_wave64(name, bytes);
}

}  // namespace limbeck
