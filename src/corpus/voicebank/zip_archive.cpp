#include "corpus/voicebank/zip_archive.h"

#include <zip.h>

#include <algorithm>

#include "limbeck/core/error.h"

namespace limbeck {

namespace fs = std::filesystem;

namespace {

/// Without the "./" of some programs, and with '/' where some of Windows write '\'.
std::string plain_name(std::string name) {
  std::replace(name.begin(), name.end(), '\\', '/');
  return fs::path(name).lexically_normal().string();
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
  const zip_int64_t count = ::zip_get_num_entries(handle.get(), 0);
  for (zip_int64_t i = 0; i < count; ++i) {
    zip_stat_t stat;
    constexpr zip_uint64_t kNeeded = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_CRC;
    if (::zip_stat_index(handle.get(), static_cast<zip_uint64_t>(i), 0, &stat) != 0 ||
        (stat.valid & kNeeded) != kNeeded) {
      throw DataError(path_.string() + ": cannot be read as a zip file: its directory is damaged");
    }
    const std::string name = plain_name(stat.name);
    if (name.empty() || name == "." || name.back() == '/') continue;  // a folder
    members_.push_back({name, static_cast<uint64_t>(i), stat.size, stat.crc});
  }
  idle_.push_back(std::move(handle));
}

std::string ZipArchive::label(const Member& member) const { return (path_ / member.name).string(); }

std::string ZipArchive::read(const Member& member) const {
  Handle handle;
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      handle = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (!handle) handle = open();
  const auto fail = [&](const std::string& reason) {
    throw DataError(label(member) + ": cannot be unpacked: " + reason);
  };

  struct CloseFile {
    void operator()(zip_file_t* file) const { ::zip_fclose(file); }
  };
  std::unique_ptr<zip_file_t, CloseFile> file(::zip_fopen_index(handle.get(), member.index, 0));
  if (!file) fail(::zip_strerror(handle.get()));
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
  file.reset();  // it uses the handle, which another thread may take from here on

  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(handle));
  return contents;
}

}  // namespace limbeck
