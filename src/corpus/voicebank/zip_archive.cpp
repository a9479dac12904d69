#include "corpus/voicebank/zip_archive.h"

#include <sys/stat.h>
#include <zip.h>

#include <algorithm>
#include <map>
#include <new>

#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"

namespace limbeck {

namespace fs = std::filesystem;

namespace {

/// Without the "./" of some programs, and with '/' where some of Windows write '\'.
std::string plain_name(std::string name) {
  std::replace(name.begin(), name.end(), '\\', '/');
  return fs::path(name).lexically_normal().string();
}

bool is_link(zip* handle, uint64_t index) {
  zip_uint8_t system = 0;
  zip_uint32_t attributes = 0;
  return ::zip_file_get_external_attributes(handle, index, 0, &system, &attributes) == 0 &&
         (system == ZIP_OPSYS_UNIX || system == ZIP_OPSYS_OS_X) && S_ISLNK(attributes >> 16);
}

/// By quotients: what a directory says may be any number.
bool is_bomb(uint64_t size, uint64_t packed) {
  return size > ZipArchive::kSmall && size / ZipArchive::kLargestRatio > packed;
}

std::string bomb_text(uint64_t size, uint64_t packed) {
  return format("would unpack %d bytes to %d, more than %d times as many: no recordings do", packed,
                size, ZipArchive::kLargestRatio);
}

std::string fault_of(zip* handle, const zip_stat_t& stat) {
  if (is_link(handle, stat.index)) return "is a link, and links in archives are not followed";
  if ((stat.valid & ZIP_STAT_ENCRYPTION_METHOD) != 0 && stat.encryption_method != ZIP_EM_NONE) {
    return "is encrypted; unpack the archive, and give the folder";
  }
  if ((stat.valid & ZIP_STAT_COMP_METHOD) != 0 &&
      ::zip_compression_method_supported(stat.comp_method, 0) == 0) {
    return format(
        "is compressed by method %d, which libzip cannot unpack here; unpack the archive "
        "by another program, and give the folder",
        stat.comp_method);
  }
  return is_bomb(stat.size, stat.comp_size) ? bomb_text(stat.size, stat.comp_size) : "";
}

}  // namespace

void ZipArchive::Close::operator()(zip* handle) const { ::zip_discard(handle); }

ZipArchive::Handle ZipArchive::open() const {
  int code = 0;
  Handle handle(::zip_open(path_.c_str(), ZIP_RDONLY, &code));
  if (handle) return handle;
  zip_error_t error;
  ::zip_error_init_with_code(&error, code);
  const std::string reason = ::zip_error_strerror(&error);
  ::zip_error_fini(&error);
  throw DataError(path_.string() + ": cannot be read as a zip file: " + reason);
}

ZipArchive::ZipArchive(fs::path path) : path_(std::move(path)) {
  Handle handle = open();
  list(handle.get());
  require_sound_total();
  idle_.push_back(std::move(handle));
}

void ZipArchive::list(zip* handle) {
  std::map<std::string, size_t> known;
  const zip_int64_t count = ::zip_get_num_entries(handle, 0);
  for (zip_int64_t i = 0; i < count; ++i) {
    zip_stat_t stat;
    constexpr zip_uint64_t kNeeded =
        ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_CRC | ZIP_STAT_INDEX;
    if (::zip_stat_index(handle, static_cast<zip_uint64_t>(i), 0, &stat) != 0 ||
        (stat.valid & kNeeded) != kNeeded) {
      throw DataError(path_.string() + ": cannot be read as a zip file: its directory is damaged");
    }
    const std::string name = plain_name(stat.name);
    if (name.empty() || name == "." || name.back() == '/') continue;  // a folder
    const auto [before, is_new] = known.emplace(name, members_.size());
    if (is_new) {
      members_.push_back(
          {name, stat.index, stat.size, stat.comp_size, stat.crc, fault_of(handle, stat)});
      continue;
    }
    Member& other = members_[before->second];
    if (other.size != stat.size || other.crc != stat.crc) {
      other.fault = "is in the archive twice, with other contents";
    }
  }
}

/// Many small members, or many names of one, come to as much as a large one.
void ZipArchive::require_sound_total() const {
  uint64_t total = 0;
  for (const Member& member : members_) {
    if (member.fault.empty()) total += std::min(member.size, UINT64_MAX - total);
  }
  const uint64_t packed = on_disk([&] { return fs::file_size(path_); });
  if (is_bomb(total, packed)) throw DataError(path_.string() + ": " + bomb_text(total, packed));
}

std::string ZipArchive::label(const Member& member) const {
  return path_.string() + "/" + member.name;  // which may be absolute
}

std::string ZipArchive::read(const Member& member, uint64_t largest) const {
  const auto fail = [&](const std::string& reason) {
    throw DataError(label(member) + ": " + reason);
  };
  if (!member.fault.empty()) fail(member.fault);
  if (member.size > largest) {
    fail(format("has %d bytes, more than the %d that such a file may have", member.size, largest));
  }
  Handle handle;
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      handle = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (!handle) handle = open();
  std::string contents;
  try {
    contents = unpack(handle.get(), member);
  } catch (const std::bad_alloc&) {
    fail(format("has %d bytes, which is more memory than there is", member.size));
  }
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(handle));
  return contents;
}

std::string ZipArchive::unpack(zip* handle, const Member& member) const {
  const auto fail = [&](const std::string& reason) {
    throw DataError(label(member) + ": cannot be unpacked: " + reason);
  };
  struct CloseFile {
    void operator()(zip_file_t* file) const { ::zip_fclose(file); }
  };
  const std::unique_ptr<zip_file_t, CloseFile> file(::zip_fopen_index(handle, member.index, 0));
  if (!file) fail(::zip_strerror(handle));
  // Grown by what arrives: a directory that lies about the size must not make us allocate it.
  constexpr size_t kBlock = 1 << 20;
  std::string contents;
  for (zip_int64_t got = 1; got > 0;) {
    const size_t size = contents.size();
    contents.resize(size + kBlock);
    got = ::zip_fread(file.get(), contents.data() + size, kBlock);
    contents.resize(size + static_cast<size_t>(std::max<zip_int64_t>(got, 0)));
    if (got < 0) fail(::zip_file_strerror(file.get()));
    if (contents.size() > member.size) break;
  }
  if (contents.size() != member.size) fail("its size is not what the archive says");
  return contents;
}

}  // namespace limbeck
