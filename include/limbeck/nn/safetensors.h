#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

namespace limbeck {

/// Contents of a safetensors file (`core/safetensors.h` has the format).
struct SafeTensors {
  std::map<std::string, at::Tensor> tensors;  ///< on the CPU, contiguous
  std::map<std::string, std::string> metadata;
};

/// The file's bytes; names are sorted, so the same contents give the same bytes.
std::string serialize_safetensors(const SafeTensors& contents);

/// Written to a temporary sibling, fsynced, renamed. Throws DataError.
void write_safetensors(const std::filesystem::path& path, const SafeTensors& contents);

/// Throws CheckpointError as `parse_safetensors_header` does.
SafeTensors read_safetensors(const std::filesystem::path& path);
SafeTensors parse_safetensors(std::string_view bytes, const std::string& name);

}  // namespace limbeck
