#include "objective/teacher_cache.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <torch/types.h>

#include <nlohmann/json.hpp>

#include "limbeck/core/cpu.h"
#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/core/json.h"
#include "limbeck/nn/device.h"
#include "limbeck/nn/safetensors.h"

namespace limbeck::objective {
namespace fs = std::filesystem;
namespace {

constexpr int kFormatVersion = 2;
constexpr const char* kHash = "xxh3_128";

std::string hash_of(const at::Tensor& on_host) {
  return hash_bytes(on_host.const_data_ptr(), on_host.nbytes());
}

/// Of all files below a folder; those that come or go meanwhile may be missed.
double bytes_below(const fs::path& folder) {
  double bytes = 0;
  std::error_code ignored;
  for (fs::recursive_directory_iterator entry(folder, ignored), end; !ignored && entry != end;
       entry.increment(ignored)) {
    std::error_code gone;
    const auto size = entry->is_regular_file(gone) ? entry->file_size(gone) : 0;
    if (!gone) bytes += static_cast<double>(size);
  }
  return bytes;
}

}  // namespace

TeacherCache::TeacherCache(const TeacherCacheOptions& options, const std::string& teacher_id,
                           at::ScalarType precision, at::Device device, nn::Kernels kernels,
                           Logger* logger)
    : dir_(options.dir),
      logger_(logger),
      max_bytes_(options.max_gb * 1e9),
      precision_(precision),
      device_(device) {
  nlohmann::json identity = {{"format", kFormatVersion},
                             {"teacher", teacher_id},
                             {"precision", precision == torch::kHalf ? "float16" : "float32"},
                             {"libtorch", at::show_config()},
                             {"device", nn::device_model(device)},
                             {"threads", at::get_num_threads()},
                             {"kernels", nn::to_string(kernels)},
                             {"cpu_level", to_string(cpu_level())}};
  if (!device.is_cpu()) {
    identity["tf32"] = at::globalContext().allowTF32CuBLAS();
    identity["deterministic"] = at::globalContext().deterministicAlgorithms();
  }
  const std::string text = json_text(identity, 2) + "\n";
  folder_ = dir_ / hash_bytes(text.data(), text.size());
  const fs::path named = folder_ / "teacher.json";
  try {
    on_disk([&] { fs::create_directories(folder_); });
    // For people; another content is a damaged one, as the folder is named for it.
    const bool is_there = on_disk([&] { return fs::exists(named); });
    if (!is_there || read_file(named) != text) write_file_atomically(named, text);
  } catch (const DataError& e) {
    warn_once(cannot_write_, e.what());
  }
  remove_stale_siblings(named);
}

void TeacherCache::warn(const std::string& message) const {
  if (logger_ != nullptr) logger_->warn("distill.cache: " + message);
}

void TeacherCache::warn_once(bool& warned, const std::string& message) const {
  if (!warned) warn(message + "; the teacher is run for what is not there");
  warned = true;
}

std::string TeacherCache::key(const at::Tensor& noisy) const {
  return format("%dx%d-", noisy.size(0), noisy.size(1)) + hash_of(noisy.cpu().contiguous());
}

fs::path TeacherCache::path(const std::string& key, const std::string& what) const {
  return folder_ / (key + "." + what + ".safetensors");
}

bool TeacherCache::has(const std::string& key, const std::string& what) const {
  std::error_code unknown;
  return fs::exists(path(key, what), unknown);
}

at::Tensor TeacherCache::find(const std::string& key, const std::string& what) const {
  if (!has(key, what)) return {};
  const fs::path file = path(key, what);
  try {
    // Not mapped: a disk that fails would end the process.
    const SafeTensors stored = parse_safetensors(read_file(file), file.string());
    const at::Tensor& value = stored.tensors.at("value");
    if (stored.metadata.at(kHash) == hash_of(value)) {
      auto host = at::empty(value.sizes(), nn::host_memory(device_));
      return host.copy_(value).to(device_, /*non_blocking=*/true);
    }
    warn(file.string() + ": is damaged, and computed again");
  } catch (const Error& e) {
    warn(std::string(e.what()) + "; it is computed again");
  } catch (const std::out_of_range&) {
    warn(file.string() + ": is damaged, and computed again");
  }
  return {};
}

/// What other processes write is seen when this one has written a twentieth of the bound.
bool TeacherCache::has_room(int64_t bytes) {
  if (max_bytes_ == 0) return true;
  if (is_full_) return false;
  const auto size = static_cast<double>(bytes);
  if (used_ < 0 || written_ > max_bytes_ / 20 || used_ + written_ + size > max_bytes_) {
    used_ = bytes_below(dir_);
    written_ = 0;
  }
  if (used_ + written_ + size > max_bytes_) {
    warn_once(is_full_, format("%s takes %.3g GB of the %.3g that max_gb allows", dir_, used_ / 1e9,
                               max_bytes_ / 1e9));
    return false;
  }
  written_ += size;
  return true;
}

bool TeacherCache::put(const std::string& key, const std::string& what, const at::Tensor& value) {
  const auto stored = value.to(precision_).cpu().contiguous();
  const std::string bytes =
      serialize_safetensors({{{"value", stored}}, {{kHash, hash_of(stored)}}});
  if (!has_room(static_cast<int64_t>(bytes.size()))) return false;
  try {
    // Not flushed: an entry that a power cut damages is found by its hash.
    write_file_atomically(path(key, what), bytes, false);
    return true;
  } catch (const DataError& e) {
    warn_once(cannot_write_, e.what());
    return false;
  }
}

}  // namespace limbeck::objective
