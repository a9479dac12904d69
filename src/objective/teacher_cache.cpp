#include "objective/teacher_cache.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <torch/types.h>

#include <nlohmann/json.hpp>

#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/nn/safetensors.h"

namespace limbeck::objective {
namespace fs = std::filesystem;
namespace {

constexpr int kFormatVersion = 1;
constexpr const char* kHash = "xxh3_128";

std::string hash_of(const at::Tensor& on_host) {
  return hash_bytes(on_host.const_data_ptr(), on_host.nbytes());
}

}  // namespace

TeacherCache::TeacherCache(const fs::path& dir, const std::string& teacher_id,
                           at::ScalarType precision, at::Device device)
    : precision_(precision), device_(device) {
  const nlohmann::json identity = {
      {"format", kFormatVersion},
      {"teacher", teacher_id},
      {"precision", precision == torch::kHalf ? "float16" : "float32"},
      {"libtorch", at::show_config()},
      {"device", device.is_cpu() ? "cpu" : c10::DeviceTypeName(device.type(), true)},
      {"threads", at::get_num_threads()}};
  const std::string text = identity.dump(2) + "\n";
  folder_ = dir / hash_bytes(text.data(), text.size());
  std::error_code failed;
  fs::create_directories(folder_, failed);
  if (failed) {
    throw DataError("distill.cache.dir: " + folder_.string() +
                    ": cannot be made: " + failed.message());
  }
  const fs::path named = folder_ / "teacher.json";
  if (!fs::exists(named)) write_file_atomically(named, text);
  if (read_file(named) != text) {
    throw DataError(named.string() +
                    ": is not what its folder is named for; remove the folder, or name another "
                    "distill.cache.dir");
  }
}

std::string TeacherCache::key(const at::Tensor& noisy) const {
  return format("%dx%d-", noisy.size(0), noisy.size(1)) + hash_of(noisy.cpu().contiguous());
}

fs::path TeacherCache::path(const std::string& key, const std::string& what) const {
  return folder_ / (key + "." + what + ".safetensors");
}

at::Tensor TeacherCache::find(const std::string& key, const std::string& what) const {
  const fs::path file = path(key, what);
  if (!fs::exists(file)) return {};
  try {
    const MappedFile bytes(file);
    const SafeTensors stored = parse_safetensors(bytes.bytes(), file.string());
    const at::Tensor& value = stored.tensors.at("value");
    if (stored.metadata.at(kHash) != hash_of(value)) return {};
    return value.to(device_, torch::kFloat);
  } catch (const Error&) {
    return {};
  } catch (const std::out_of_range&) {
    return {};
  }
}

void TeacherCache::put(const std::string& key, const std::string& what,
                       const at::Tensor& value) const {
  const auto stored = value.to(precision_).cpu().contiguous();
  write_safetensors(path(key, what), {{{"value", stored}}, {{kHash, hash_of(stored)}}});
}

}  // namespace limbeck::objective
