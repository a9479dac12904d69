#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

struct zip;

namespace limbeck {

/// A zip file that is read (by libzip). Many threads may read members at a time.
class ZipArchive {
 public:
  struct Member {
    std::string name;    ///< path in the archive, with '/', without "./"
    uint64_t index = 0;  ///< place in the archive's directory
    uint64_t size = 0;   ///< in bytes, unpacked
    uint32_t crc = 0;    ///< CRC-32 of the contents
  };

  /// Throws DataError naming the file: not there, no zip file, cut short.
  explicit ZipArchive(std::filesystem::path path);

  const std::filesystem::path& path() const { return path_; }

  /// All files, in the order of the archive's directory.
  const std::vector<Member>& members() const { return members_; }

  /// "path/of.zip/member": how messages name it.
  std::string label(const Member& member) const;

  /// The contents. Throws DataError, also where they do not have the size or CRC that they should.
  std::string read(const Member& member) const;

 private:
  struct Close {
    void operator()(zip* handle) const;
  };
  using Handle = std::unique_ptr<zip, Close>;

  Handle open() const;

  std::filesystem::path path_;
  std::vector<Member> members_;
  mutable std::mutex mutex_;
  mutable std::vector<Handle> idle_;  ///< a handle serves one thread at a time
};

}  // namespace limbeck
