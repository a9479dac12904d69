#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace limbeck {

/// Where a tensor lies in a safetensors file, and what it is.
struct TensorEntry {
  std::string dtype;  ///< "F32", "I64", …
  std::vector<int64_t> shape;
  uint64_t begin = 0, end = 0;  ///< bytes, counted from the end of the header

  bool operator==(const TensorEntry&) const = default;
};

/// The header of a file in Hugging Face's safetensors format: an 8-byte little-endian length, a
/// JSON object (dtype, shape, offsets of each tensor; `__metadata__` maps strings to strings), then
/// raw tensors.
struct SafeTensorsHeader {
  std::map<std::string, TensorEntry> tensors;
  std::map<std::string, std::string> metadata;
  uint64_t data_begin = 0;  ///< bytes before the first tensor
};

/// Bytes of one element; 0 for a dtype that is not known.
size_t dtype_bytes(std::string_view dtype);

/// Reads the header of a whole file's bytes, and checks that what it says fits them. Throws
/// CheckpointError, which starts with `file` and says what is wrong with which tensor: bad header,
/// unknown dtype, a size that does not fit the shape, ranges that overlap, leave gaps or pass the
/// end.
SafeTensorsHeader parse_safetensors_header(std::string_view bytes, const std::string& file);

/// The same of a file, of which nothing but the header is read.
SafeTensorsHeader read_safetensors_header(const std::filesystem::path& path);

/// The bytes that come before the tensors, whose `begin` and `end` have to be right. Tensors are
/// aligned to 8 bytes.
std::string safetensors_header_bytes(const SafeTensorsHeader& header);

}  // namespace limbeck
