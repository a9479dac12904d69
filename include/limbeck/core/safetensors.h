#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

namespace limbeck {

/// Contents of a file in Hugging Face's safetensors format: an 8-byte little-endian header length,
/// a JSON header (dtype, shape, offsets of each tensor; `__metadata__` maps strings to strings),
/// then raw tensors.
struct SafeTensors {
  std::map<std::string, at::Tensor> tensors;  ///< on the CPU, contiguous
  std::map<std::string, std::string> metadata;
};

/// The file's bytes; names are sorted, so the same contents give the same bytes.
std::string serialize_safetensors(const SafeTensors& contents);

/// Written to a temporary sibling, fsynced, renamed. Throws DataError.
void write_safetensors(const std::filesystem::path& path, const SafeTensors& contents);

/// Throws CheckpointError naming the file, and what is wrong with which tensor: bad header, unknown
/// dtype, a size that does not fit the shape, ranges that overlap, leave gaps or pass the end.
SafeTensors read_safetensors(const std::filesystem::path& path);
SafeTensors parse_safetensors(std::string_view bytes, const std::string& name);

}  // namespace limbeck
