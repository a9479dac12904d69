#include "limbeck/core/safetensors.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/core/json.h"

namespace limbeck {
namespace {

constexpr size_t kLengthBytes = 8;
constexpr size_t kMaxHeaderBytes = 16 << 20;  // as JSON in memory it is thirty times as large
constexpr size_t kMaxDimensions = 32;

/// A header of one meaning: of a key given twice others may read another one.
nlohmann::json parse_header(std::string_view text) {
  if (is_deep_json(text)) throw DeepJson<nlohmann::json>();
  using Event = nlohmann::json::parse_event_t;
  std::vector<std::set<std::string>> keys;  // of the objects that are open
  return nlohmann::json::parse(text, [&](int, Event event, const nlohmann::json& parsed) {
    if (event == Event::object_start) keys.emplace_back();
    if (event == Event::object_end) keys.pop_back();
    if (event == Event::key && !keys.back().insert(parsed.get<std::string>()).second) {
      throw CheckpointError("'" + parsed.get<std::string>() + "' is given twice in the header");
    }
    return true;
  });
}

/// nlohmann would quietly turn 1.5 into 1 and −1 into 2^64 − 1.
void check_counts(const nlohmann::json& list, const char* what) {
  const bool good = list.is_array() && std::all_of(list.begin(), list.end(), [](const auto& value) {
                      return value.is_number_unsigned();
                    });
  if (!good) throw CheckpointError(std::string(what) + " is not a list of whole numbers");
}

TensorEntry read_entry(const nlohmann::json& entry, uint64_t data_size) {
  const auto dtype = entry.at("dtype").get<std::string>();
  if (dtype_bytes(dtype) == 0) throw CheckpointError("unknown dtype " + entry.at("dtype").dump());
  check_counts(entry.at("shape"), "shape");
  check_counts(entry.at("data_offsets"), "data_offsets");
  const auto shape = entry.at("shape").get<std::vector<int64_t>>();
  const auto offsets = entry.at("data_offsets").get<std::vector<uint64_t>>();
  if (offsets.size() != 2 || offsets[0] > offsets[1] || offsets[1] > data_size) {
    throw CheckpointError("data offsets lie outside the file (is it cut short?)");
  }
  if (shape.size() > kMaxDimensions) {
    throw CheckpointError(format("shape of %d dimensions", shape.size()));
  }
  // Behind a 0 the others are still multiplied, into strides, and must not overflow there.
  uint64_t span = dtype_bytes(dtype);
  for (const int64_t size : shape) {
    const auto count = static_cast<uint64_t>(std::max<int64_t>(size, 1));
    if (size < 0 || count > (uint64_t{1} << 62) / span) {
      throw CheckpointError("shape does not fit the data");
    }
    span *= count;
  }
  const bool has_none = std::find(shape.begin(), shape.end(), 0) != shape.end();
  if ((has_none ? 0 : span) != offsets[1] - offsets[0]) {
    throw CheckpointError("shape does not fit the data");
  }
  return {dtype, shape, offsets[0], offsets[1]};
}

void check_ranges(const SafeTensorsHeader& header, uint64_t size, const std::string& file) {
  using Range = std::tuple<uint64_t, uint64_t, std::string>;
  std::vector<Range> ranges;
  for (const auto& [name, entry] : header.tensors) ranges.push_back({entry.begin, entry.end, name});
  std::sort(ranges.begin(), ranges.end());
  uint64_t position = 0;
  for (const auto& [begin, end, name] : ranges) {
    if (begin != position) {
      throw CheckpointError(file + ": " + name + ": overlaps another tensor or leaves a gap");
    }
    position = end;
  }
  if (position != size) throw CheckpointError(file + ": bytes after the last tensor");
}

uint64_t header_length(std::string_view bytes, uint64_t file_size, const std::string& file) {
  if (bytes.size() < kLengthBytes) {
    throw CheckpointError(file + ": not a safetensors file: shorter than 8 bytes");
  }
  uint64_t length = 0;
  for (size_t i = 0; i < kLengthBytes; ++i) {
    length |= uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  }
  if (length > file_size - kLengthBytes) {
    throw CheckpointError(file + ": not a safetensors file, or cut short: header length " +
                          std::to_string(length) + " in a file of " + std::to_string(file_size) +
                          " bytes");
  }
  if (length > kMaxHeaderBytes) {
    throw CheckpointError(format("%s: header length %d; longer than %d it is not read", file,
                                 length, kMaxHeaderBytes));
  }
  return length;
}

SafeTensorsHeader parse(std::string_view text, uint64_t file_size, const std::string& file) {
  SafeTensorsHeader contents;
  contents.data_begin = kLengthBytes + text.size();
  const uint64_t data_size = file_size - contents.data_begin;
  std::string current;
  try {
    const auto header = parse_header(text);
    if (!header.is_object()) throw CheckpointError("header is not a JSON object");
    for (const auto& [name, entry] : header.items()) {
      current = name + ": ";
      if (name == "__metadata__") {
        contents.metadata = entry.get<std::map<std::string, std::string>>();
      } else {
        contents.tensors[name] = read_entry(entry, data_size);
      }
    }
  } catch (const nlohmann::json::exception& e) {
    throw CheckpointError(file + ": " + current + "malformed safetensors header: " + e.what());
  } catch (const CheckpointError& e) {
    throw CheckpointError(file + ": " + current + e.what());
  }
  check_ranges(contents, data_size, file);
  return contents;
}

}  // namespace

size_t dtype_bytes(std::string_view dtype) {
  static const std::map<std::string_view, size_t> table = {{"F64", 8},  {"F32", 4}, {"F16", 2},
                                                           {"BF16", 2}, {"I64", 8}, {"I32", 4},
                                                           {"U8", 1},   {"BOOL", 1}};
  const auto found = table.find(dtype);
  return found == table.end() ? 0 : found->second;
}

SafeTensorsHeader parse_safetensors_header(std::string_view bytes, const std::string& file) {
  const uint64_t length = header_length(bytes, bytes.size(), file);
  return parse(bytes.substr(kLengthBytes, length), bytes.size(), file);
}

SafeTensorsHeader read_safetensors_header(const std::filesystem::path& path) {
  std::error_code failed;
  const uint64_t size = std::filesystem::file_size(path, failed);
  std::ifstream in(path, std::ios::binary);
  if (failed || !in) throw CheckpointError(path.string() + ": cannot be read");
  std::string length(kLengthBytes, '\0');
  in.read(length.data(), kLengthBytes);
  length.resize(static_cast<size_t>(in.gcount()));
  std::string text(header_length(length, size, path.string()), '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!in) throw CheckpointError(path.string() + ": cannot be read");
  return parse(text, size, path.string());
}

std::string safetensors_header_bytes(const SafeTensorsHeader& header) {
  nlohmann::json object = nlohmann::json::object();
  if (!header.metadata.empty()) object["__metadata__"] = header.metadata;
  for (const auto& [name, entry] : header.tensors) {
    object[name] = {
        {"dtype", entry.dtype}, {"shape", entry.shape}, {"data_offsets", {entry.begin, entry.end}}};
  }
  std::string text = json_text(object);
  text.append((8 - text.size() % 8) % 8, ' ');
  std::string bytes(kLengthBytes, '\0');
  for (size_t i = 0; i < kLengthBytes; ++i) bytes[i] = static_cast<char>(text.size() >> (8 * i));
  return bytes + text;
}

}  // namespace limbeck
