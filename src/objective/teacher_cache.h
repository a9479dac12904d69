#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <string>

#include "limbeck/core/log.h"
#include "limbeck/nn/kernel_use.h"
#include "limbeck/objective/config.h"

namespace limbeck::objective {

/// What a teacher said of batches, on disk. A file holds one tensor:
///
///     <dir>/<teacher>/<batch>.<what>.safetensors
///
/// `teacher` is a hash of its model file (weights and options) and of all else that decides the
/// last bit: precision, LibTorch with its libraries, device and its arithmetic, threads, kernels.
/// It lies beside `teacher.json`, which spells these out. `batch` is a hash of the noisy batch
/// itself, so that whatever changes its samples (recordings, seeds, augmentation, batch size) leads
/// to another file, and an entry cannot be stale. Files are written whole or not at all, by any
/// number of processes; one whose content is not what was written counts as not there, with a
/// warning.
///
/// Nothing that is wrong with the folder stops who asks: what cannot be read is not there, what
/// cannot be written is left out, and so is, for as long as the process lives, what would make the
/// folder larger than it may be. (Entries come again in turn, so that to put a new one in the place
/// of an old one would gain nothing.)
class TeacherCache {
 public:
  /// Makes the folders. `precision` is what tensors are stored in. `logger` may be null.
  TeacherCache(const TeacherCacheOptions& options, const std::string& teacher_id,
               at::ScalarType precision, at::Device device, nn::Kernels kernels, Logger* logger);

  /// Of a batch [B, L]. Of one on a GPU this waits for the device.
  std::string key(const at::Tensor& noisy) const;
  /// On the device, in float32; undefined if it is not there.
  at::Tensor find(const std::string& key, const std::string& what) const;
  bool has(const std::string& key, const std::string& what) const;
  /// False where it could not be kept.
  bool put(const std::string& key, const std::string& what, const at::Tensor& value);

  /// Where the entries of this teacher lie.
  const std::filesystem::path& folder() const { return folder_; }

 private:
  std::filesystem::path path(const std::string& key, const std::string& what) const;
  void warn(const std::string& message) const;
  void warn_once(bool& warned, const std::string& message) const;
  bool has_room(int64_t bytes);

  std::filesystem::path dir_;
  std::filesystem::path folder_;
  Logger* logger_;
  double max_bytes_;    ///< of dir_; 0: no bound
  double used_ = -1;    ///< when last counted; -1: not yet
  double written_ = 0;  ///< by this process since then
  bool is_full_ = false;
  bool cannot_write_ = false;  ///< which was said
  at::ScalarType precision_;
  at::Device device_;
};

}  // namespace limbeck::objective
