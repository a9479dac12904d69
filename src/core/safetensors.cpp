#include "limbeck/core/safetensors.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"

namespace limbeck {
namespace {

const std::map<std::string, at::ScalarType>& dtypes() {
  static const std::map<std::string, at::ScalarType> table = {
      {"F64", at::kDouble}, {"F32", at::kFloat}, {"F16", at::kHalf}, {"BF16", at::kBFloat16},
      {"I64", at::kLong},   {"I32", at::kInt},   {"U8", at::kByte},  {"BOOL", at::kBool}};
  return table;
}

std::string dtype_name(at::ScalarType type) {
  for (const auto& [name, known] : dtypes()) {
    if (known == type) return name;
  }
  TORCH_CHECK(false, "safetensors: no name for dtype ", type);
}

struct Placed {
  std::string name;
  uint64_t begin;
  uint64_t end;
};

/// nlohmann would quietly turn 1.5 into 1 and −1 into 2^64 − 1.
void check_counts(const nlohmann::json& list, const char* what) {
  const bool good = list.is_array() && std::all_of(list.begin(), list.end(), [](const auto& value) {
                      return value.is_number_unsigned();
                    });
  if (!good) throw CheckpointError(std::string(what) + " is not a list of whole numbers");
}

at::Tensor read_tensor(const std::string& name, const nlohmann::json& entry, std::string_view data,
                       std::vector<Placed>& placed) {
  const auto type = dtypes().find(entry.at("dtype").get<std::string>());
  if (type == dtypes().end()) throw CheckpointError("unknown dtype " + entry.at("dtype").dump());
  check_counts(entry.at("shape"), "shape");
  check_counts(entry.at("data_offsets"), "data_offsets");
  const auto shape = entry.at("shape").get<std::vector<int64_t>>();
  const auto offsets = entry.at("data_offsets").get<std::vector<uint64_t>>();
  if (offsets.size() != 2 || offsets[0] > offsets[1] || offsets[1] > data.size()) {
    throw CheckpointError("data offsets lie outside the file (is it cut short?)");
  }
  // Behind a 0 the others are still multiplied, into strides, and must not overflow there.
  uint64_t span = c10::elementSize(type->second);
  for (const int64_t size : shape) {
    const auto count = static_cast<uint64_t>(std::max<int64_t>(size, 1));
    if (size < 0 || count > (uint64_t{1} << 62) / span) {
      throw CheckpointError("shape does not fit the data");
    }
    span *= count;
  }
  const bool has_none = std::find(shape.begin(), shape.end(), 0) != shape.end();
  const uint64_t bytes = has_none ? 0 : span;
  if (bytes != offsets[1] - offsets[0]) throw CheckpointError("shape does not fit the data");
  at::Tensor tensor = at::empty(shape, at::TensorOptions().dtype(type->second));
  if (bytes > 0) std::memcpy(tensor.data_ptr(), data.data() + offsets[0], bytes);
  placed.push_back({name, offsets[0], offsets[1]});
  return tensor;
}

void check_ranges(std::vector<Placed> placed, uint64_t size, const std::string& file) {
  std::sort(placed.begin(), placed.end(), [](const Placed& a, const Placed& b) {
    return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
  });
  uint64_t position = 0;
  for (const Placed& range : placed) {
    if (range.begin != position) {
      throw CheckpointError(file + ": " + range.name + ": overlaps another tensor or leaves a gap");
    }
    position = range.end;
  }
  if (position != size) throw CheckpointError(file + ": bytes after the last tensor");
}

}  // namespace

std::string serialize_safetensors(const SafeTensors& contents) {
  nlohmann::json header = nlohmann::json::object();
  if (!contents.metadata.empty()) header["__metadata__"] = contents.metadata;
  uint64_t offset = 0;
  std::vector<at::Tensor> tensors;
  for (const auto& [name, tensor] : contents.tensors) {
    tensors.push_back(tensor.detach().cpu().contiguous());
    const uint64_t bytes = tensors.back().nbytes();
    header[name] = {{"dtype", dtype_name(tensor.scalar_type())},
                    {"shape", tensor.sizes().vec()},
                    {"data_offsets", {offset, offset + bytes}}};
    offset += bytes;
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');  // aligns the tensors
  std::string bytes(8, '\0');
  for (int i = 0; i < 8; ++i)
    bytes[static_cast<size_t>(i)] = static_cast<char>(text.size() >> (8 * i));
  bytes.reserve(8 + text.size() + offset);
  bytes += text;
  for (const at::Tensor& tensor : tensors) {
    bytes.append(static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes());
  }
  return bytes;
}

void write_safetensors(const std::filesystem::path& path, const SafeTensors& contents) {
  write_file_atomically(path, serialize_safetensors(contents));
}

SafeTensors parse_safetensors(std::string_view bytes, const std::string& file) {
  uint64_t header_size = 0;
  if (bytes.size() < 8)
    throw CheckpointError(file + ": not a safetensors file: shorter than 8 bytes");
  for (size_t i = 0; i < 8; ++i) {
    header_size |= uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  }
  if (header_size > bytes.size() - 8) {
    throw CheckpointError(file + ": not a safetensors file, or cut short: header length " +
                          std::to_string(header_size) + " in a file of " +
                          std::to_string(bytes.size()) + " bytes");
  }
  const std::string_view data = bytes.substr(8 + header_size);
  SafeTensors contents;
  std::vector<Placed> placed;
  std::string current;
  try {
    const auto header = nlohmann::json::parse(bytes.substr(8, header_size));
    if (!header.is_object()) throw CheckpointError("header is not a JSON object");
    for (const auto& [name, entry] : header.items()) {
      current = name + ": ";
      if (name == "__metadata__") {
        contents.metadata = entry.get<std::map<std::string, std::string>>();
      } else {
        contents.tensors[name] = read_tensor(name, entry, data, placed);
      }
    }
  } catch (const nlohmann::json::exception& e) {
    throw CheckpointError(file + ": " + current + "malformed safetensors header: " + e.what());
  } catch (const CheckpointError& e) {
    throw CheckpointError(file + ": " + current + e.what());
  }
  check_ranges(std::move(placed), data.size(), file);
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
