#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace limbeck {

/// Bits of the integers that an encoding (libsndfile's subtype) is made from: those that it holds,
/// or 16 for codecs that begin with such. 0 where it is made from floats.
int integer_bits(int encoding);

/// True for float and double, which hold what lies beyond full scale.
bool keeps_floats(int encoding);

/// Samples as integers of `bits` bits in the high bits of an int, which is how libsndfile takes
/// them; returns how many had to be clipped. Done here because libsndfile multiplies floats by
/// 32767 and divides by 32768.
int64_t quantize(std::span<const float> samples, int bits, std::vector<int>& out);

/// Samples from −1 to 1; returns how many had to be clipped.
int64_t clip(std::span<const float> samples, std::vector<float>& out);

/// Bytes of a sample in memory order of a little-endian WAV file: of 8 bits (unsigned), 16, 24, 32,
/// float and double. 0 for any other encoding.
int64_t pcm_bytes(int encoding);

/// Such bytes as samples, equal to those of libsndfile, and back; `encode_pcm` appends to `bytes`
/// and returns how many samples were clipped.
std::vector<float> decode_pcm(std::string_view bytes, int encoding);
int64_t encode_pcm(std::span<const float> samples, int encoding, std::string& bytes);

}  // namespace limbeck
