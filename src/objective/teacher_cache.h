#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <string>

namespace limbeck::objective {

/// What a teacher said of batches, on disk. A file holds one tensor:
///
///     <dir>/<teacher>/<batch>.<what>.safetensors
///
/// `teacher` is a hash of its model file (weights and options) and of all else that decides the
/// last bit: precision, LibTorch with its libraries, device, threads. It lies beside
/// `teacher.json`, which spells these out. `batch` is a hash of the noisy batch itself, so that
/// whatever changes its samples (recordings, seeds, augmentation, batch size) leads to another
/// file, and an entry cannot be stale. Files are written whole or not at all, by any number of
/// processes; one whose content is not what was written counts as not there.
class TeacherCache {
 public:
  /// Makes the folders. `precision` is what tensors are stored in. Throws DataError.
  TeacherCache(const std::filesystem::path& dir, const std::string& teacher_id,
               at::ScalarType precision, at::Device device);

  /// Of a batch [B, L]. On a GPU this waits for the device.
  std::string key(const at::Tensor& noisy) const;
  /// On the device, in float32; undefined if it is not there.
  at::Tensor find(const std::string& key, const std::string& what) const;
  /// Throws DataError.
  void put(const std::string& key, const std::string& what, const at::Tensor& value) const;

  /// Where the entries of this teacher lie.
  const std::filesystem::path& folder() const { return folder_; }

 private:
  std::filesystem::path path(const std::string& key, const std::string& what) const;

  std::filesystem::path folder_;
  at::ScalarType precision_;
  at::Device device_;
};

}  // namespace limbeck::objective
