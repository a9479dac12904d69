#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

struct zip;

namespace limbeck {

/// A zip file that is read (by libzip). Many threads may read members at a time. What its directory
/// says is held against limits that no archive of recordings comes near: a few megabytes may
/// unpack to any amount of zeros.
class ZipArchive {
 public:
  /// Bytes of a member, unpacked: an hour at 192 kHz, stereo, as floats, and what a table takes.
  static constexpr uint64_t kLargestAudio = 6'000'000'000;
  static constexpr uint64_t kLargestText = 64 << 20;
  /// How much more than what is packed may come of it, where it is more than kSmall.
  static constexpr uint64_t kLargestRatio = 100;
  static constexpr uint64_t kSmall = 64 << 20;

  struct Member {
    std::string name;     ///< path in the archive, with '/', without "./"
    uint64_t index = 0;   ///< place in the archive's directory
    uint64_t size = 0;    ///< in bytes, unpacked
    uint64_t packed = 0;  ///< in bytes, as it lies there
    uint32_t crc = 0;     ///< CRC-32 of the contents
    std::string fault;    ///< why it cannot be unpacked; empty: nothing is known to be wrong
  };

  /// Throws DataError naming the file: not there, no zip file, cut short, beyond kLargestRatio as a
  /// whole.
  explicit ZipArchive(std::filesystem::path path);

  const std::filesystem::path& path() const { return path_; }

  /// All files, in the order of the archive's directory. Of a name that comes again with the same
  /// contents there is one; with others, one that has a fault.
  const std::vector<Member>& members() const { return members_; }

  /// "path/of.zip/member": how messages name it.
  std::string label(const Member& member) const;

  /// The contents. Throws DataError: it has a fault (encrypted, of an unknown compression, a link,
  /// there twice, beyond kLargestRatio), says that it is larger than `largest`, has not the size or
  /// CRC that it should, or takes more memory than there is.
  std::string read(const Member& member, uint64_t largest = kLargestAudio) const;

 private:
  struct Close {
    void operator()(zip* handle) const;
  };
  using Handle = std::unique_ptr<zip, Close>;

  Handle open() const;
  void list(zip* handle);
  void require_sound_total() const;
  std::string unpack(zip* handle, const Member& member) const;

  std::filesystem::path path_;
  std::vector<Member> members_;
  mutable std::mutex mutex_;
  mutable std::vector<Handle> idle_;  ///< a handle serves one thread at a time
};

}  // namespace limbeck
