#include "limbeck/core/safetensors.h"
#include "limbeck/nn/safetensors.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>

#include <limits>

#include "core/scratch.h"
#include "limbeck/core/error.h"
#include "limbeck/core/files.h"

namespace limbeck {
namespace {

using test::error_of;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// A file as its parts: eight bytes of length, the header as it stands, the data.
std::string file_of(const std::string& header, const std::string& data = "") {
  std::string bytes;
  for (int i = 0; i < 8; ++i) {
    bytes += static_cast<char>(static_cast<uint64_t>(header.size()) >> (8 * i));
  }
  return bytes + header + data;
}

std::string one_tensor(const std::string& dtype, const std::string& shape,
                       const std::string& offsets) {
  return R"({"w":{"dtype":)" + dtype + R"(,"shape":)" + shape + R"(,"data_offsets":)" + offsets +
         "}}";
}

void expect_same(const at::Tensor& a, const at::Tensor& b) {
  ASSERT_EQ(a.scalar_type(), b.scalar_type());
  ASSERT_EQ(a.sizes(), b.sizes());
  const at::Tensor x = a.contiguous();
  const at::Tensor y = b.contiguous();
  // Bytes, not values: NaN must come back as it was.
  EXPECT_EQ(hash_bytes(x.const_data_ptr(), x.nbytes()), hash_bytes(y.const_data_ptr(), y.nbytes()));
}

TEST(SafeTensors, EveryDtypeReadsBackBitwise) {
  SafeTensors contents;
  const at::Tensor values = at::arange(-6, 6).reshape({3, 4});
  for (const at::ScalarType type : {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16, at::kLong,
                                    at::kInt, at::kByte, at::kBool}) {
    contents.tensors[c10::toString(type)] = values.to(type);
  }
  contents.tensors["special"] = at::tensor({std::numeric_limits<float>::quiet_NaN(),
                                            std::numeric_limits<float>::infinity(), -0.0F, 1e-45F});
  contents.tensors["scalar"] = at::scalar_tensor(2.5);
  contents.tensors["none"] = at::empty({0, 3});
  contents.metadata = {{"architecture", R"({"name": "dae", "width": 8})"}, {"größe", "±\n"}};
  const test::Scratch scratch;
  write_safetensors(scratch / "m.safetensors", contents);
  const SafeTensors back = read_safetensors(scratch / "m.safetensors");
  EXPECT_EQ(back.metadata, contents.metadata);
  ASSERT_EQ(back.tensors.size(), contents.tensors.size());
  for (const auto& [name, tensor] : contents.tensors) {
    SCOPED_TRACE(name);
    expect_same(back.tensors.at(name), tensor);
  }
}

TEST(SafeTensors, StridedTensorsAreWrittenInOrder) {
  SafeTensors contents;
  contents.tensors["w"] = at::arange(6).reshape({2, 3}).t();
  const SafeTensors back = parse_safetensors(serialize_safetensors(contents), "f");
  EXPECT_TRUE(back.tensors.at("w").is_contiguous());
  expect_same(back.tensors.at("w"), contents.tensors["w"]);
}

TEST(SafeTensors, TensorsDoNotPointIntoTheFile) {
  SafeTensors contents;
  contents.tensors["w"] = at::arange(4);
  std::string bytes = serialize_safetensors(contents);
  const SafeTensors back = parse_safetensors(bytes, "f");
  std::fill(bytes.begin(), bytes.end(), '\0');
  expect_same(back.tensors.at("w"), contents.tensors["w"]);
}

TEST(SafeTensors, EqualContentsGiveEqualBytesWithAlignedData) {
  SafeTensors contents;
  contents.tensors["b"] = at::arange(4, at::kFloat);
  contents.tensors["a"] = at::arange(2, at::kFloat);
  contents.metadata["k"] = "v";
  const std::string bytes = serialize_safetensors(contents);
  EXPECT_EQ(bytes, serialize_safetensors(parse_safetensors(bytes, "f")));
  EXPECT_EQ((bytes.size() - 6 * sizeof(float)) % 8, 0U);
}

TEST(SafeTensors, EmptyFileOfPythonIsEmpty) {
  const SafeTensors back = parse_safetensors(file_of("{}      "), "f");
  EXPECT_TRUE(back.tensors.empty());
  EXPECT_TRUE(back.metadata.empty());
}

TEST(SafeTensors, ReadsWhatPythonWrites) {
  // save_file({"bias": [1, -2] float32, "ids": [[3], [258]] int64, "on": [True, False] bool},
  //           metadata={"format": "pt"}): no spaces, metadata first, tensors by falling alignment,
  //           then name,
  // padded by spaces to 8 bytes.
  const std::string header = R"({"__metadata__":{"format":"pt"},)"
                             R"("ids":{"dtype":"I64","shape":[2,1],"data_offsets":[0,16]},)"
                             R"("bias":{"dtype":"F32","shape":[2],"data_offsets":[16,24]},)"
                             R"("on":{"dtype":"BOOL","shape":[2],"data_offsets":[24,26]}})";
  const std::string padded = header + std::string((8 - header.size() % 8) % 8, ' ');
  const std::string data("\3\0\0\0\0\0\0\0\2\1\0\0\0\0\0\0\0\0\x80\x3F\0\0\0\xC0\1\0", 26);
  const SafeTensors back = parse_safetensors(file_of(padded, data), "f");
  EXPECT_EQ(back.metadata, (std::map<std::string, std::string>{{"format", "pt"}}));
  ASSERT_EQ(back.tensors.size(), 3U);
  expect_same(back.tensors.at("bias"), at::tensor({1.0F, -2.0F}));
  expect_same(back.tensors.at("ids"), at::tensor({int64_t{3}, int64_t{258}}).reshape({2, 1}));
  expect_same(back.tensors.at("on"), at::tensor({1, 0}).to(at::kBool));
}

TEST(SafeTensors, WritesWhatPythonReads) {
  SafeTensors contents;
  contents.tensors["w"] = at::tensor({1.0F});
  contents.metadata["format"] = "pt";
  const std::string header =
      R"({"__metadata__":{"format":"pt"},"w":{"data_offsets":[0,4],"dtype":"F32","shape":[1]}})";
  EXPECT_EQ(serialize_safetensors(contents),
            file_of(header + std::string((8 - header.size() % 8) % 8, ' '),
                    std::string("\0\0\x80\x3F", 4)));
}

struct Malformed {
  const char* title;
  std::string bytes;
  const char* message;
};

void PrintTo(const Malformed& file, std::ostream* out) { *out << file.title; }

class MalformedFiles : public ::testing::TestWithParam<Malformed> {};

TEST_P(MalformedFiles, AreRefusedByName) {
  const test::Scratch scratch;
  const auto path = scratch.put("m.safetensors", GetParam().bytes);
  const std::string message = error_of<CheckpointError>([&] { read_safetensors(path); });
  EXPECT_THAT(message, StartsWith(path.string() + ": "));
  EXPECT_THAT(message, HasSubstr(GetParam().message));
  EXPECT_EQ(error_of<CheckpointError>([&] { read_safetensors_header(path); }), message);
}

const std::string kEight(8, 'x');
const std::string kTwo =
    R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":)";

INSTANTIATE_TEST_SUITE_P(
    SafeTensors, MalformedFiles,
    ::testing::Values(
        Malformed{"Empty", "", "shorter than 8 bytes"},
        Malformed{"SevenBytes", "1234567", "shorter than 8 bytes"},
        Malformed{"HeaderPastTheEnd", file_of("{}").substr(0, 9),
                  "header length 2 in a file of 9 bytes"},
        Malformed{"HugeHeader", std::string(8, '\xFF') + "{}",
                  "header length 18446744073709551615"},
        Malformed{"NoHeader", file_of(""), "malformed safetensors header"},
        Malformed{"PickledByTorch", "PK\3\4" + std::string(60, '\0') + "archive/data.pkl",
                  "not a safetensors"},
        Malformed{"NotJson", file_of("{\"w\":"), "malformed safetensors header"},
        Malformed{"InvalidUtf8", file_of("{\"\xFF\":1}"), "malformed safetensors header"},
        Malformed{"List", file_of("[]"), "header is not a JSON object"},
        Malformed{"EntryIsANumber", file_of(R"({"w":3})"), "w: malformed safetensors header"},
        Malformed{"NoDtype", file_of(R"({"w":{"shape":[1],"data_offsets":[0,1]}})", "x"),
                  "w: malformed"},
        Malformed{"NoShape", file_of(R"({"w":{"dtype":"U8","data_offsets":[0,1]}})", "x"),
                  "w: malformed"},
        Malformed{"NoOffsets", file_of(R"({"w":{"dtype":"U8","shape":[1]}})", "x"), "w: malformed"},
        Malformed{"UnknownDtype", file_of(one_tensor(R"("F8_E4M3")", "[8]", "[0,8]"), kEight),
                  "w: unknown dtype \"F8_E4M3\""},
        Malformed{"DtypeIsANumber", file_of(one_tensor("32", "[8]", "[0,8]"), kEight),
                  "w: malformed"},
        Malformed{"ShapeTooLarge", file_of(one_tensor(R"("F32")", "[3]", "[0,8]"), kEight),
                  "w: shape does not fit the data"},
        Malformed{"ShapeTooSmall", file_of(one_tensor(R"("F32")", "[1]", "[0,8]"), kEight),
                  "w: shape does not fit the data"},
        Malformed{"TensorGivenTwice",
                  file_of(R"({"w":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},)"
                          R"("w":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}})",
                          kEight),
                  "'w' is given twice in the header"},
        Malformed{"MetadataGivenTwice",
                  file_of(R"({"__metadata__":{"limbeck":"a","limbeck":"b"}})"),
                  "'limbeck' is given twice in the header"},
        Malformed{"OffsetsGivenTwice",
                  file_of(R"({"w":{"dtype":"U8","shape":[8],"data_offsets":[0,8],)"
                          R"("data_offsets":[0,8]}})",
                          kEight),
                  "'data_offsets' is given twice in the header"},
        Malformed{"DeepHeader", file_of(std::string(1 << 20, '[')),
                  "malformed safetensors header: nested deeper than 100 levels"},
        Malformed{"LongHeader", file_of(std::string((16 << 20) + 1, ' ')),
                  "header length 16777217; longer than 16777216 it is not read"},
        Malformed{"ManyDimensions",
                  file_of(one_tensor(R"("U8")",
                                     "[8,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,"
                                     "1,1,1,1,1,1,1,1,1]",
                                     "[0,8]"),
                          kEight),
                  "w: shape of 33 dimensions"},
        Malformed{"NegativeShape", file_of(one_tensor(R"("U8")", "[-2,-4]", "[0,8]"), kEight),
                  "w: shape is not a list of whole numbers"},
        Malformed{"FractionalShape", file_of(one_tensor(R"("U8")", "[8.5]", "[0,8]"), kEight),
                  "w: shape is not a list of whole numbers"},
        Malformed{"ShapeIsANumber", file_of(one_tensor(R"("U8")", "8", "[0,8]"), kEight),
                  "w: shape is not a list of whole numbers"},
        Malformed{"ShapeOverflows",
                  file_of(one_tensor(R"("F32")", "[4611686018427387906,1]", "[0,8]"), kEight),
                  "w: shape does not fit the data"},
        Malformed{
            "ShapeOverflowsBehindAZero",
            file_of(one_tensor(R"("F32")", "[0,4611686018427387904,4611686018427387904]", "[0,0]")),
            "w: shape does not fit the data"},
        Malformed{"ShapeOfUnsignedSize",
                  file_of(one_tensor(R"("U8")", "[18446744073709551615]", "[0,8]"), kEight),
                  "w: shape does not fit the data"},
        Malformed{"OffsetsPastTheEnd", file_of(one_tensor(R"("U8")", "[9]", "[0,9]"), kEight),
                  "w: data offsets lie outside the file (is it cut short?)"},
        Malformed{"OffsetsBackwards", file_of(one_tensor(R"("U8")", "[8]", "[8,0]"), kEight),
                  "w: data offsets lie outside the file"},
        Malformed{"NegativeOffsets", file_of(one_tensor(R"("U8")", "[8]", "[-8,0]"), kEight),
                  "w: data_offsets is not a list of whole numbers"},
        Malformed{"ThreeOffsets", file_of(one_tensor(R"("U8")", "[8]", "[0,8,8]"), kEight),
                  "w: data offsets lie outside the file"},
        Malformed{"Overlap", file_of(kTwo + "[2,6]}}", kEight),
                  "b: overlaps another tensor or leaves a gap"},
        Malformed{"SameBytes", file_of(kTwo + "[0,4]}}", kEight), "b: overlaps another tensor"},
        Malformed{"Gap", file_of(kTwo + "[5,9]}}", kEight + "x"),
                  "b: overlaps another tensor or leaves a gap"},
        Malformed{"GapAtTheStart", file_of(one_tensor(R"("U8")", "[4]", "[4,8]"), kEight),
                  "leaves a gap"},
        Malformed{"BytesAtTheEnd", file_of(one_tensor(R"("U8")", "[4]", "[0,4]"), kEight),
                  "bytes after the last tensor"},
        Malformed{"MetadataIsAText", file_of(R"({"__metadata__":"x"})"), "__metadata__: malformed"},
        Malformed{"MetadataHoldsANumber", file_of(R"({"__metadata__":{"a":1}})"),
                  "__metadata__: malformed"}),
    [](const auto& test) { return std::string(test.param.title); });

TEST(SafeTensors, EveryTruncationIsRefused) {
  SafeTensors contents;
  contents.tensors["a"] = at::arange(3, at::kFloat);
  contents.tensors["b"] = at::arange(5, at::kLong);
  contents.metadata["k"] = "v";
  const std::string bytes = serialize_safetensors(contents);
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_THROW(parse_safetensors(bytes.substr(0, size), "f"), CheckpointError) << size;
  }
}

TEST(SafeTensors, AMissingFileIsACheckpointError) {
  EXPECT_EQ(error_of<CheckpointError>([] { read_safetensors("/no/such.safetensors"); }),
            "/no/such.safetensors: cannot be read: No such file or directory");
}

}  // namespace
}  // namespace limbeck
