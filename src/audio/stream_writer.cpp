#include "limbeck/audio/stream_writer.h"

#include <fcntl.h>
#include <sndfile.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <utility>

#include "audio/checked_file.h"
#include "audio/descriptor.h"
#include "audio/memory_file.h"
#include "audio/pcm.h"
#include "audio/sound_file.h"
#include "audio/wav_stream.h"
#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;

SF_INFO sound_info(const StreamInfo& info) {
  SF_INFO sound{};
  sound.samplerate = info.rate_hz;
  sound.channels = info.channels;
  sound.format = info.container | info.encoding;
  return sound;
}

std::string format_name(const StreamInfo& info) {
  const auto name = [](int code) {
    SF_FORMAT_INFO asked{};
    asked.format = code;
    const bool known =
        ::sf_command(nullptr, SFC_GET_FORMAT_INFO, &asked, sizeof asked) == 0 && asked.name;
    return known ? std::string(asked.name) : format("%x", code);
  };
  return name(info.container & SF_FORMAT_TYPEMASK) + ", " + name(info.encoding);
}

/// RF64, which libsndfile makes a plain WAV at the end if that will do, where a WAV may not.
StreamInfo with_room(StreamInfo info) {
  const int type = info.container & SF_FORMAT_TYPEMASK;
  constexpr int64_t kMostBytes = 0xffff0000;  // what else there is fits in the rest
  const int64_t frame_bytes = std::max<int64_t>(pcm_bytes(info.encoding), 1) * info.channels;
  const bool fits = info.frames >= 0 && info.frames <= kMostBytes / frame_bytes;
  if (fits || (type != SF_FORMAT_WAV && type != SF_FORMAT_WAVEX)) return info;
  StreamInfo wide = info;
  wide.container = SF_FORMAT_RF64;
  return can_write(wide) ? wide : info;
}

bool takes_one_byte(int encoding) {
  return encoding == SF_FORMAT_PCM_S8 || encoding == SF_FORMAT_PCM_U8 ||
         encoding == SF_FORMAT_ULAW || encoding == SF_FORMAT_ALAW;
}

/// libsndfile counts the byte that fills an AIFF file up as a sample where samples have one byte:
/// this says `frames` in the two places that tell how many there are.
void mend_aiff_length(const fs::path& path, int64_t frames) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  std::string head(512, '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  file.clear();
  const auto put = [&](const char* chunk, size_t offset, int64_t value) {
    char bytes[4];
    for (int i = 0; i < 4; ++i) bytes[i] = static_cast<char>(value >> (24 - 8 * i));
    file.seekp(static_cast<std::streamoff>(head.find(chunk) + offset));
    file.write(bytes, 4);
  };
  put("COMM", 10, frames);
  put("SSND", 4, frames + 8);
}

/// 0, or why not: EEXIST for what there is by the name of `to`, be it a link to nothing.
int rename_beside_others(const fs::path& from, const fs::path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  // A file system without that, such as NFS; one without links, too, leaves a moment to others.
  if (::link(from.c_str(), to.c_str()) == 0) return ::unlink(from.c_str()) == 0 ? 0 : errno;
  if (errno == EEXIST) return EEXIST;
  std::error_code missing;
  if (fs::exists(fs::symlink_status(to, missing))) return EEXIST;
  return ::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
}

class FileWriter final : public StreamWriter {
 public:
  FileWriter(const fs::path& path, const StreamInfo& info, bool replaces)
      : path_(path),
        replaces_(replaces),
        target_(replaces ? behind_links(path) : path),
        temporary_(temporary_sibling(target_)),
        info_(with_room(info)),
        output_(temporary_) {
    require_written();
    SF_INFO sound = sound_info(info_);
    try {
      file_ = open_or_fail(path_, "cannot be written: ", [&] { return output_.open(sound); });
    } catch (const DataError&) {
      ::unlink(temporary_.c_str());
      require_written();
      throw;
    }
    // A float WAV would otherwise hold a chunk with the time of writing: same samples, other bytes.
    ::sf_command(file_.get(), SFC_SET_ADD_PEAK_CHUNK, nullptr, SF_FALSE);
    // The header with it was longer, and libsndfile takes a file's end for that of the samples.
    if (keeps_floats(info_.encoding)) output_.cut_here();
    if (info_.container != info.container) {
      ::sf_command(file_.get(), SFC_RF64_AUTO_DOWNGRADE, nullptr, SF_TRUE);
    }
  }

  ~FileWriter() override {
    file_.reset();
    if (!is_finished_) ::unlink(temporary_.c_str());
  }

  void write(std::span<const float> samples) override {
    require_finite(path_, samples, frames_, info_.channels);
    const int64_t clipped = put_samples(file_.get(), samples, info_.channels, info_.encoding);
    require_written();
    if (clipped < 0) fail(::sf_strerror(file_.get()));
    clipped_ += clipped;
    frames_ += static_cast<int64_t>(samples.size()) / info_.channels;
  }

  int64_t finish() override {
    if (frames_ == 0) fail("there are no samples");
    const int error = close_written(file_);
    const bool is_filled_up = (info_.container & SF_FORMAT_TYPEMASK) == SF_FORMAT_AIFF &&
                              takes_one_byte(info_.encoding) && info_.channels == 1 &&
                              frames_ % 2 == 1;
    if (is_filled_up) mend_aiff_length(temporary_, frames_);
    output_.close();
    require_written();
    if (error != 0) fail(::sf_error_number(error));
    require_whole_file();
    put_in_place();
    is_finished_ = true;
    return clipped_;
  }

 private:
  [[noreturn]] void fail(const std::string& reason) const {
    fail_about(path_, "cannot be written: " + reason);
  }

  /// Of the place, with errno.
  [[noreturn]] void fail(int reason) const {
    throw WriteError(path_.string() + ": cannot be written: " + std::strerror(reason));
  }

  void require_written() const {
    if (output_.error() != 0) fail(output_.error());
  }

  void put_in_place() const {
    if (replaces_) {
      if (::rename(temporary_.c_str(), target_.c_str()) != 0) fail(errno);
    } else if (const int reason = rename_beside_others(temporary_, target_); reason == EEXIST) {
      fail_about(path_, "came to be meanwhile, and is left alone");
    } else if (reason != 0) {
      fail(reason);
    }
  }

  /// A container may hold less than it was given, and say nothing.
  void require_whole_file() const {
    SF_INFO kept;
    try {
      open_to_read(temporary_, kept);
    } catch (const DataError& e) {
      fail(without_path(e.what(), temporary_.string()));
    }
    if (kept.frames < frames_) {
      fail(format("a file of this type holds %d of the %d samples",
                  static_cast<int64_t>(kept.frames), frames_));
    }
  }

  fs::path path_;
  bool replaces_;
  fs::path target_, temporary_;
  StreamInfo info_;
  CheckedFile output_;
  SoundFile file_;
  int64_t frames_ = 0;
  int64_t clipped_ = 0;
  bool is_finished_ = false;
};

class PipeWriter final : public StreamWriter {
 public:
  PipeWriter(int descriptor, std::string name, int channels, int encoding, const std::string& head)
      : descriptor_(descriptor), name_(std::move(name)), channels_(channels), encoding_(encoding) {
    write_all(descriptor_, name_, head);
  }

  void write(std::span<const float> samples) override {
    require_finite(name_, samples, frames_, channels_);
    std::string bytes;
    clipped_ += encode_pcm(samples, encoding_, bytes);
    write_all(descriptor_, name_, bytes);
    frames_ += static_cast<int64_t>(samples.size()) / channels_;
  }

  int64_t finish() override {
    if (frames_ == 0) fail_about(name_, "cannot be written: there are no samples");
    return clipped_;
  }

 private:
  int descriptor_;
  std::string name_;
  int channels_, encoding_;
  int64_t frames_ = 0;
  int64_t clipped_ = 0;
};

}  // namespace

std::unique_ptr<StreamWriter> StreamWriter::create(const fs::path& path, const StreamInfo& info,
                                                   bool replaces) {
  if (!can_write(info)) {
    throw ConfigError(format("%s: %d channels of %d Hz cannot be written as %s", path,
                             info.channels, info.rate_hz, format_name(info)));
  }
  if (is_stream(path)) {
    fail_about(path, "cannot be written: is a pipe or a device, which no file takes the place of");
  }
  return std::make_unique<FileWriter>(path, info, replaces);
}

std::unique_ptr<StreamWriter> StreamWriter::create_pipe(int descriptor, const std::string& name,
                                                        const StreamInfo& info,
                                                        const RawFormat* raw) {
  const int encoding = raw == nullptr ? info.encoding : raw_encoding(*raw);
  if (pcm_bytes(encoding) == 0) {
    throw ConfigError(
        format("%s: %s cannot be written into a pipe; choose wav", name, format_name(info)));
  }
  const std::string head = raw == nullptr ? wav_head(info) : "";
  return std::make_unique<PipeWriter>(descriptor, name, info.channels, encoding, head);
}

bool can_write(const StreamInfo& info) {
  SF_INFO sound = sound_info(info);
  if (::sf_format_check(&sound) == 0) return false;
  MemoryFile memory;  // what an encoder does not take is seen when it is opened
  return memory.open(SFM_WRITE, sound) != nullptr;
}

}  // namespace limbeck
