#include "limbeck/audio/stream_reader.h"

#include <sndfile.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "audio/descriptor.h"
#include "audio/pcm.h"
#include "audio/sound_file.h"
#include "audio/wav_stream.h"
#include "limbeck/core/format.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;

class FileReader final : public StreamReader {
 public:
  explicit FileReader(const fs::path& path) : path_(path) {
    SF_INFO info;
    file_ = open_to_read(path, info);
    info_ = {info.samplerate, info.channels, info.frames,
             info.format & (SF_FORMAT_TYPEMASK | SF_FORMAT_ENDMASK),
             info.format & SF_FORMAT_SUBMASK};
  }

  const StreamInfo& info() const override { return info_; }

  std::vector<float> read(int64_t frames) override {
    const int64_t wanted = std::min(frames, info_.frames - at_);
    std::vector<float> samples;
    for (int64_t left = wanted; left > 0;) {
      const int64_t asked = std::min(left, kSoundBlock);
      const size_t begin = samples.size();
      samples.resize(begin + static_cast<size_t>(asked * info_.channels));
      const int64_t got = ::sf_readf_float(file_.get(), samples.data() + begin, asked);
      if (got < asked) {
        fail_about(path_, format("ends after %d of its %d samples", at_ + wanted - left + got,
                                 info_.frames));
      }
      left -= got;
    }
    require_finite(path_, samples, at_, info_.channels);
    at_ += wanted;
    return samples;
  }

 private:
  fs::path path_;
  StreamInfo info_;
  SoundFile file_;
  int64_t at_ = 0;  // frames read
};

class PipeReader final : public StreamReader {
 public:
  PipeReader(int descriptor, std::string name, const StreamInfo& info)
      : descriptor_(descriptor),
        name_(std::move(name)),
        info_(info),
        frame_bytes_(info_.channels * pcm_bytes(info_.encoding)) {}

  const StreamInfo& info() const override { return info_; }

  std::vector<float> read(int64_t frames) override {
    constexpr int64_t kMostBytes = 1 << 16;  // as a pipe holds
    int64_t room = std::min(frames, std::max<int64_t>(kMostBytes / frame_bytes_, 1));
    if (info_.frames >= 0) room = std::min(room, info_.frames - at_);
    std::string bytes = std::exchange(begun_, "");
    while (room > 0 && static_cast<int64_t>(bytes.size()) < frame_bytes_) {
      const size_t kept = bytes.size();
      bytes.resize(static_cast<size_t>(room * frame_bytes_));
      const size_t got = read_some(descriptor_, name_, bytes.data() + kept, bytes.size() - kept);
      bytes.resize(kept + got);
      if (got == 0) {
        require_end(bytes);
        return {};
      }
    }
    if (room == 0) {
      require_samples();
      return {};
    }
    const auto whole = bytes.size() - bytes.size() % static_cast<size_t>(frame_bytes_);
    begun_ = bytes.substr(whole);
    std::vector<float> samples =
        decode_pcm(std::string_view(bytes).substr(0, whole), info_.encoding);
    require_finite(name_, samples, at_, info_.channels);
    at_ += static_cast<int64_t>(whole) / frame_bytes_;
    return samples;
  }

  void drain() override {
    std::string head;
    char bytes[4096];
    while (const size_t got = read_some(descriptor_, name_, bytes, sizeof bytes)) {
      if (head.size() < 8) head.append(bytes, std::min<size_t>(got, 8));
    }
    if (head.find("RIFF") != std::string::npos || head.find("RF64") != std::string::npos) {
      fail_about(name_, format("goes on with another WAV after the %d samples of the first", at_));
    }
  }

 private:
  /// The pipe has ended after whole frames and `rest`; may it?
  void require_end(std::string_view rest) const {
    if (info_.frames > at_) {
      fail_about(name_, format("is cut short: its header promises %d samples, and there are %d",
                               info_.frames, at_));
    }
    // RIFF fills up to an even number of bytes.
    const bool is_padding =
        info_.container != 0 && rest == std::string_view("\0", 1) && at_ * frame_bytes_ % 2 == 1;
    if (!rest.empty() && !is_padding) {
      fail_about(name_, format("ends within a sample: of the %d bytes of sample %d there are %d",
                               frame_bytes_, at_, rest.size()));
    }
    require_samples();
  }

  void require_samples() const {
    if (at_ == 0) fail_about(name_, "has no samples");
  }

  int descriptor_;
  std::string name_;
  StreamInfo info_;
  int64_t frame_bytes_;
  int64_t at_ = 0;     // frames read
  std::string begun_;  // a frame that has not come to its end
};

}  // namespace

std::unique_ptr<StreamReader> StreamReader::open(const fs::path& path) {
  return std::make_unique<FileReader>(path);
}

std::unique_ptr<StreamReader> StreamReader::open_pipe(int descriptor, const std::string& name,
                                                      const RawFormat* raw) {
  if (raw == nullptr) {
    return std::make_unique<PipeReader>(descriptor, name, read_wav_head(descriptor, name));
  }
  const StreamInfo info{raw->rate_hz, raw->channels, -1, 0, raw_encoding(*raw)};
  return std::make_unique<PipeReader>(descriptor, name, info);
}

}  // namespace limbeck
