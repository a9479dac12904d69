#include "limbeck/core/protobuf_writer.h"

#include <gmock/gmock.h>

#include <functional>
#include <vector>

#include "limbeck/core/crc32c.h"

namespace limbeck {
namespace {

std::string hex(const std::string& bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (!text.empty()) text += ' ';
    text += "0123456789abcdef"[byte >> 4U];
    text += "0123456789abcdef"[byte & 15U];
  }
  return text;
}

std::string written(const std::function<void(ProtobufWriter&)>& body) {
  ProtobufWriter writer;
  body(writer);
  return hex(writer.data());
}

// The first four are examples of https://protobuf.dev/programming-guides/encoding/.
TEST(ProtobufWriter, WritesTheEncodingsOfItsDocumentation) {
  EXPECT_EQ(written([](auto& w) { w.integer(1, 150); }), "08 96 01");
  EXPECT_EQ(written([](auto& w) { w.bytes(2, "testing"); }), "12 07 74 65 73 74 69 6e 67");
  EXPECT_EQ(written([](auto& w) {
              ProtobufWriter inner;
              inner.integer(1, 150);
              w.message(3, inner);
            }),
            "1a 03 08 96 01");
  EXPECT_EQ(written([](auto& w) { w.packed_integers(6, std::vector<int64_t>{3, 270, 86942}); }),
            "32 06 03 8e 02 9e a7 05");
  // -2 as int64 takes ten bytes.
  EXPECT_EQ(written([](auto& w) { w.integer(1, -2); }), "08 fe ff ff ff ff ff ff ff ff 01");
}

TEST(ProtobufWriter, WritesFloatsLowestByteFirst) {
  EXPECT_EQ(written([](auto& w) { w.float32(2, 1.0F); }), "15 00 00 80 3f");
  EXPECT_EQ(written([](auto& w) { w.float64(1, -2.5); }), "09 00 00 00 00 00 00 04 c0");
  EXPECT_EQ(written([](auto& w) { w.packed_floats(4, std::vector<float>{1, -0.5F}); }),
            "22 08 00 00 80 3f 00 00 00 bf");
}

TEST(ProtobufWriter, WritesFieldsInOrderAndLargeNumbersAndTags) {
  EXPECT_EQ(written([](auto& w) {
              w.integer(16, 0);
              w.integer(1, INT64_MAX);
              w.bytes(2, "");
            }),
            "80 01 00 08 ff ff ff ff ff ff ff ff 7f 12 00");
  // A length of more than one byte.
  EXPECT_TRUE(
      written([](auto& w) { w.bytes(2, std::string(300, 'a')); }).starts_with("12 ac 02 61 61"));
}

TEST(Crc32c, IsThatOfRfc3720) {
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(crc32c(""), 0U);
  // The RFC prints the bytes in the order of transmission: aa 36 91 8a, and so on.
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62A8AB43U);
  std::string rising;
  for (char c = 0; c < 32; ++c) rising += c;
  EXPECT_EQ(crc32c(rising), 0x46DD794EU);
  EXPECT_EQ(crc32c(std::string(rising.rbegin(), rising.rend())), 0x113FDB5CU);
}

TEST(Crc32c, IsMaskedAsInRecordsOfTensorFlow) {
  // The length of a record of 24 bytes and its check, as TensorFlow leaves them.
  EXPECT_EQ(masked_crc32c(std::string("\x18\0\0\0\0\0\0\0", 8)), 0x224B7FA3U);
  EXPECT_EQ(masked_crc32c("123456789"),
            ((0xE3069283U >> 15U) | (0xE3069283U << 17U)) + 0xA282EAD8U);
}

}  // namespace
}  // namespace limbeck
