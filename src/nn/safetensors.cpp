#include "limbeck/nn/safetensors.h"

#include <ATen/ops/empty.h>

#include <cstring>
#include <utility>

#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/safetensors.h"

namespace limbeck {
namespace {

constexpr std::pair<const char*, at::ScalarType> kTypes[] = {
    {"F64", at::kDouble}, {"F32", at::kFloat}, {"F16", at::kHalf}, {"BF16", at::kBFloat16},
    {"I64", at::kLong},   {"I32", at::kInt},   {"U8", at::kByte},  {"BOOL", at::kBool}};

const char* dtype_name(at::ScalarType type) {
  for (const auto& [name, known] : kTypes) {
    if (known == type) return name;
  }
  TORCH_CHECK(false, "safetensors: no name for dtype ", type);
}

at::ScalarType scalar_type(const std::string& dtype) {
  for (const auto& [name, known] : kTypes) {
    if (dtype == name) return known;
  }
  TORCH_CHECK(false, "safetensors: no type for dtype ", dtype);
}

}  // namespace

std::string serialize_safetensors(const SafeTensors& contents) {
  SafeTensorsHeader header;
  header.metadata = contents.metadata;
  uint64_t offset = 0;
  std::vector<at::Tensor> tensors;
  for (const auto& [name, tensor] : contents.tensors) {
    tensors.push_back(tensor.detach().cpu().contiguous());
    const uint64_t end = offset + tensors.back().nbytes();
    header.tensors[name] = {dtype_name(tensor.scalar_type()), tensor.sizes().vec(), offset, end};
    offset = end;
  }
  std::string bytes = safetensors_header_bytes(header);
  bytes.reserve(bytes.size() + offset);
  for (const at::Tensor& tensor : tensors) {
    bytes.append(static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes());
  }
  return bytes;
}

void write_safetensors(const std::filesystem::path& path, const SafeTensors& contents) {
  write_file_atomically(path, serialize_safetensors(contents));
}

SafeTensors parse_safetensors(std::string_view bytes, const std::string& file) {
  SafeTensorsHeader header = parse_safetensors_header(bytes, file);
  SafeTensors contents;
  contents.metadata = std::move(header.metadata);
  for (const auto& [name, entry] : header.tensors) {
    at::Tensor tensor = at::empty(entry.shape, at::TensorOptions().dtype(scalar_type(entry.dtype)));
    const uint64_t size = entry.end - entry.begin;
    if (size > 0) {
      std::memcpy(tensor.data_ptr(), bytes.data() + header.data_begin + entry.begin, size);
    }
    contents.tensors[name] = std::move(tensor);
  }
  return contents;
}

SafeTensors read_safetensors(const std::filesystem::path& path) {
  std::string bytes;
  try {
    bytes = read_file(path);
  } catch (const DataError& e) {
    throw CheckpointError(e.what());
  }
  return parse_safetensors(bytes, path.string());
}

}  // namespace limbeck
