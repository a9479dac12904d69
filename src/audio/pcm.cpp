#include "audio/pcm.h"

#include <sndfile.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <stdexcept>

namespace limbeck {
namespace {

uint64_t little_endian(const char* bytes, int64_t count) {
  uint64_t value = 0;
  for (int64_t i = 0; i < count; ++i) {
    value |= uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  }
  return value;
}

void append(std::string& bytes, uint64_t value, int64_t count) {
  for (int64_t i = 0; i < count; ++i) bytes += static_cast<char>(value >> (8 * i));
}

}  // namespace

int integer_bits(int encoding) {
  switch (encoding) {
    case SF_FORMAT_PCM_S8:
    case SF_FORMAT_PCM_U8:
    case SF_FORMAT_DPCM_8:
      return 8;
    case SF_FORMAT_DWVW_12:
      return 12;
    case SF_FORMAT_ALAC_20:
      return 20;
    case SF_FORMAT_PCM_24:
    case SF_FORMAT_DWVW_24:
    case SF_FORMAT_ALAC_24:
      return 24;
    case SF_FORMAT_PCM_32:
    case SF_FORMAT_ALAC_32:
      return 32;
    case SF_FORMAT_FLOAT:
    case SF_FORMAT_DOUBLE:
    case SF_FORMAT_VORBIS:
    case SF_FORMAT_OPUS:
    case SF_FORMAT_MPEG_LAYER_I:
    case SF_FORMAT_MPEG_LAYER_II:
    case SF_FORMAT_MPEG_LAYER_III:
      return 0;
    default:
      return 16;
  }
}

bool keeps_floats(int encoding) {
  return encoding == SF_FORMAT_FLOAT || encoding == SF_FORMAT_DOUBLE;
}

int64_t quantize(std::span<const float> samples, int bits, std::vector<int>& out) {
  const double scale = std::ldexp(1.0, bits - 1);
  const double step = std::ldexp(1.0, 32 - bits);
  int64_t clipped = 0;
  out.resize(samples.size());
  for (size_t i = 0; i < samples.size(); ++i) {
    const double wanted = std::nearbyint(static_cast<double>(samples[i]) * scale);
    const double kept = std::clamp(wanted, -scale, scale - 1);
    // The largest of 32 bits is 1 as a float: nothing is lost then.
    clipped += static_cast<float>(kept) != static_cast<float>(wanted);
    out[i] = static_cast<int>(kept * step);
  }
  return clipped;
}

int64_t clip(std::span<const float> samples, std::vector<float>& out) {
  int64_t clipped = 0;
  out.resize(samples.size());
  for (size_t i = 0; i < samples.size(); ++i) {
    out[i] = std::clamp(samples[i], -1.0F, 1.0F);
    clipped += out[i] != samples[i];
  }
  return clipped;
}

int64_t pcm_bytes(int encoding) {
  switch (encoding) {
    case SF_FORMAT_PCM_U8:
      return 1;
    case SF_FORMAT_PCM_16:
      return 2;
    case SF_FORMAT_PCM_24:
      return 3;
    case SF_FORMAT_PCM_32:
    case SF_FORMAT_FLOAT:
      return 4;
    case SF_FORMAT_DOUBLE:
      return 8;
    default:
      return 0;
  }
}

std::vector<float> decode_pcm(std::string_view bytes, int encoding) {
  const int64_t size = pcm_bytes(encoding);
  if (size == 0) throw std::logic_error("decode_pcm: no plain samples");
  std::vector<float> samples(bytes.size() / static_cast<size_t>(size));
  for (size_t i = 0; i < samples.size(); ++i) {
    const uint64_t value = little_endian(bytes.data() + i * static_cast<size_t>(size), size);
    if (encoding == SF_FORMAT_DOUBLE) {
      samples[i] = static_cast<float>(std::bit_cast<double>(value));
    } else if (encoding == SF_FORMAT_FLOAT) {
      samples[i] = std::bit_cast<float>(static_cast<uint32_t>(value));
    } else {
      auto high = static_cast<uint32_t>(value << (32 - 8 * size));
      if (encoding == SF_FORMAT_PCM_U8) high ^= 0x80000000;
      samples[i] = std::ldexp(static_cast<float>(static_cast<int32_t>(high)), -31);
    }
  }
  return samples;
}

int64_t encode_pcm(std::span<const float> samples, int encoding, std::string& bytes) {
  const int64_t size = pcm_bytes(encoding);
  if (size == 0) throw std::logic_error("encode_pcm: no plain samples");
  if (encoding == SF_FORMAT_DOUBLE) {
    for (const float x : samples) append(bytes, std::bit_cast<uint64_t>(double{x}), size);
    return 0;
  }
  if (encoding == SF_FORMAT_FLOAT) {
    for (const float x : samples) append(bytes, std::bit_cast<uint32_t>(x), size);
    return 0;
  }
  std::vector<int> integers;
  const int64_t clipped = quantize(samples, integer_bits(encoding), integers);
  const uint32_t sign = encoding == SF_FORMAT_PCM_U8 ? 0x80000000 : 0;
  for (const int x : integers) {
    append(bytes, (static_cast<uint32_t>(x) ^ sign) >> (32 - 8 * size), size);
  }
  return clipped;
}

}  // namespace limbeck
