#include "limbeck/core/protobuf_writer.h"

#include <bit>

namespace limbeck {
namespace {

// Wire types.
constexpr uint64_t kVarint = 0;
constexpr uint64_t kFixed64 = 1;
constexpr uint64_t kLength = 2;
constexpr uint64_t kFixed32 = 5;

void put_varint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7U) out += static_cast<char>(value | 0x80U);
  out += static_cast<char>(value);
}

void put_tag(std::string& out, int field, uint64_t type) {
  put_varint(out, static_cast<uint64_t>(field) << 3U | type);
}

/// The lowest byte first, whatever the machine's order.
template <class Bits>
void put_fixed(std::string& out, Bits bits) {
  for (size_t i = 0; i < sizeof bits; ++i) out += static_cast<char>(bits >> 8 * i & 0xFFU);
}

}  // namespace

void ProtobufWriter::integer(int field, int64_t value) {
  put_tag(bytes_, field, kVarint);
  put_varint(bytes_, static_cast<uint64_t>(value));
}

void ProtobufWriter::float32(int field, float value) {
  put_tag(bytes_, field, kFixed32);
  put_fixed(bytes_, std::bit_cast<uint32_t>(value));
}

void ProtobufWriter::float64(int field, double value) {
  put_tag(bytes_, field, kFixed64);
  put_fixed(bytes_, std::bit_cast<uint64_t>(value));
}

void ProtobufWriter::bytes(int field, std::string_view value) {
  put_tag(bytes_, field, kLength);
  put_varint(bytes_, value.size());
  bytes_ += value;
}

void ProtobufWriter::packed_integers(int field, std::span<const int64_t> values) {
  std::string packed;
  for (const int64_t value : values) put_varint(packed, static_cast<uint64_t>(value));
  bytes(field, packed);
}

void ProtobufWriter::packed_floats(int field, std::span<const float> values) {
  std::string packed;
  for (const float value : values) put_fixed(packed, std::bit_cast<uint32_t>(value));
  bytes(field, packed);
}

}  // namespace limbeck
