#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace limbeck {

/// Writes a message in the wire format of Protocol Buffers
/// (https://protobuf.dev/programming-guides/encoding/), field by field, in the order of the calls.
/// What a field's number and type are is said in the message's .proto file; a repeated field is
/// written by a call for each value, or packed, which is how proto3 keeps numbers.
class ProtobufWriter {
 public:
  /// int32, int64, uint32, bool, enum.
  void integer(int field, int64_t value);
  void float32(int field, float value);
  void float64(int field, double value);
  /// string, bytes.
  void bytes(int field, std::string_view value);
  void message(int field, const ProtobufWriter& value) { bytes(field, value.bytes_); }
  void packed_integers(int field, std::span<const int64_t> values);
  void packed_floats(int field, std::span<const float> values);

  /// The message so far.
  const std::string& data() const { return bytes_; }

 private:
  std::string bytes_;
};

}  // namespace limbeck
