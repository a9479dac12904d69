// StreamReader and StreamWriter on pipes.
#include <gmock/gmock.h>
#include <signal.h>
#include <sndfile.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <limits>
#include <thread>

#include "../data/support.h"
#include "limbeck/audio/stream_reader.h"
#include "limbeck/audio/stream_writer.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/core/interrupt.h"

namespace limbeck {
namespace {

using test::message_of;
using test::TempDir;
using ::testing::HasSubstr;

class Pipe {
 public:
  Pipe() { EXPECT_EQ(::pipe(ends_), 0); }
  ~Pipe() {
    close_input();
    close_output();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  int output() const { return ends_[0]; }
  int input() const { return ends_[1]; }
  void put(const std::string& bytes) const {
    EXPECT_EQ(::write(ends_[1], bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  void close_input() { close_end(1); }
  void close_output() { close_end(0); }

 private:
  void close_end(int i) {
    if (ends_[i] >= 0) ::close(ends_[i]);
    ends_[i] = -1;
  }

  int ends_[2];
};

std::string little_endian(uint64_t value, size_t count) {
  std::string bytes;
  for (size_t i = 0; i < count; ++i) bytes += static_cast<char>(value >> (8 * i));
  return bytes;
}

std::string chunk(const std::string& id, const std::string& body) {
  return id + little_endian(body.size(), 4) + body + std::string(body.size() % 2, '\0');
}

std::string format_chunk(int channels, int bits, int tag = 1) {
  const auto block = static_cast<uint64_t>(channels * bits / 8);
  return chunk("fmt ", little_endian(static_cast<uint64_t>(tag), 2) +
                           little_endian(static_cast<uint64_t>(channels), 2) +
                           little_endian(16000, 4) + little_endian(16000 * block, 4) +
                           little_endian(block, 2) + little_endian(static_cast<uint64_t>(bits), 2));
}

std::string wav(const std::string& chunks, uint64_t length, const std::string& data) {
  return "RIFF" + little_endian(0xffffffff, 4) + "WAVE" + chunks + "data" +
         little_endian(length, 4) + data;
}

std::vector<float> read_all(StreamReader& reader, int64_t block = 4096) {
  std::vector<float> samples;
  for (;;) {
    const std::vector<float> more = reader.read(block);
    if (more.empty()) return samples;
    samples.insert(samples.end(), more.begin(), more.end());
  }
}

/// What comes of `bytes` (few enough for a pipe to hold).
std::vector<float> read_bytes(const std::string& bytes, const RawFormat* raw = nullptr) {
  Pipe pipe;
  pipe.put(bytes);
  pipe.close_input();
  const auto reader = StreamReader::open_pipe(pipe.output(), "-", raw);
  std::vector<float> samples = read_all(*reader);
  reader->drain();
  return samples;
}

std::string failure_of(const std::string& bytes, const RawFormat* raw = nullptr) {
  return message_of<DataError>([&] { read_bytes(bytes, raw); });
}

TEST(StreamPipe, BringsAllEncodingsAcrossBitForBit) {
  for (const auto& [encoding, bits] :
       {std::pair(SF_FORMAT_PCM_U8, 8), std::pair(SF_FORMAT_PCM_16, 16),
        std::pair(SF_FORMAT_PCM_24, 24), std::pair(SF_FORMAT_PCM_32, 24),
        std::pair(SF_FORMAT_FLOAT, 24), std::pair(SF_FORMAT_DOUBLE, 24)}) {
    for (int channels = 1; channels <= 6; ++channels) {
      SCOPED_TRACE(format("%x, %d channels", int{encoding}, channels));
      std::vector<float> samples = test::white(30001 * channels, 1, 0.99);
      for (float& x : samples) x = std::ldexp(std::round(std::ldexp(x, bits - 1)), 1 - bits);
      const StreamInfo info{44100, channels, -1, SF_FORMAT_WAV, encoding};
      Pipe pipe;
      int64_t clipped = -1;
      std::thread writing([&, encoding_info = info] {
        const auto writer = StreamWriter::create_pipe(pipe.input(), "-", encoding_info, nullptr);
        const auto step = static_cast<size_t>(777 * encoding_info.channels);
        for (size_t at = 0; at < samples.size(); at += step) {
          writer->write(std::span(samples).subspan(at, std::min(step, samples.size() - at)));
        }
        clipped = writer->finish();
        pipe.close_input();
      });
      const auto reader = StreamReader::open_pipe(pipe.output(), "-", nullptr);
      EXPECT_EQ(reader->info().rate_hz, 44100);
      EXPECT_EQ(reader->info().channels, channels);
      EXPECT_EQ(reader->info().frames, -1);
      EXPECT_EQ(reader->info().encoding, encoding);
      EXPECT_EQ(read_all(*reader, 1001), samples);
      writing.join();
      EXPECT_EQ(clipped, 0);
    }
  }
}

TEST(StreamPipe, TakesRawSamples) {
  for (const char* name : {"s16", "s24", "s32", "f32"}) {
    const RawFormat raw{8000, 2, name};
    const std::vector<float> samples{0.5F, -1, 0.25F, 0, 0.75F, -0.5F};
    Pipe pipe;
    const StreamInfo info{8000, 2, -1, SF_FORMAT_FLAC, SF_FORMAT_PCM_16};
    const auto writer = StreamWriter::create_pipe(pipe.input(), "-", info, &raw);
    writer->write(samples);
    EXPECT_EQ(writer->finish(), 0);
    pipe.close_input();
    const auto reader = StreamReader::open_pipe(pipe.output(), "-", &raw);
    EXPECT_EQ(reader->info().container, 0);
    EXPECT_EQ(reader->info().rate_hz, 8000);
    EXPECT_EQ(read_all(*reader), samples) << name;
  }
  const RawFormat raw{16000, 1, "s16"};
  EXPECT_EQ(failure_of("", &raw), "-: has no samples");
  const auto refused = [](const RawFormat& bad) {
    return message_of<ConfigError>([&] { StreamReader::open_pipe(0, "-", &bad); });
  };
  EXPECT_EQ(refused({16000, 1, "u8"}), "unknown raw samples 'u8'; known: s16, s24, s32, f32");
  EXPECT_EQ(refused({0, 1, "s16"}), "raw samples: 0 Hz and 1 channels cannot be");
  EXPECT_EQ(refused({16000, 0, "s16"}), "raw samples: 16000 Hz and 0 channels cannot be");
}

TEST(StreamPipe, GivesAtOnceWhatIsThere) {
  Pipe pipe;
  pipe.put(wav(format_chunk(2, 16), 0xffffffff, std::string("\0\x40\0\xc0\0", 5)));
  const auto reader = StreamReader::open_pipe(pipe.output(), "-", nullptr);
  EXPECT_EQ(reader->read(1000), (std::vector<float>{0.5F, -0.5F}));
  pipe.put(std::string("\x20\0\x10\0\x80\0", 6));
  EXPECT_EQ(reader->read(1000), (std::vector<float>{0.25F, 0.125F}));
  pipe.put(std::string("\0", 1));
  EXPECT_EQ(reader->read(1), (std::vector<float>{-1, 0}));
  pipe.close_input();
  EXPECT_TRUE(reader->read(1).empty());
}

TEST(StreamPipe, WritesAtOnceWhatItIsGiven) {
  Pipe pipe;
  const StreamInfo info{16000, 1, -1, SF_FORMAT_WAV, SF_FORMAT_PCM_16};
  const auto writer = StreamWriter::create_pipe(pipe.input(), "-", info, nullptr);
  char bytes[100];
  EXPECT_EQ(::read(pipe.output(), bytes, sizeof bytes), 44);
  writer->write(std::vector<float>{0.5F, 7});
  EXPECT_EQ(::read(pipe.output(), bytes, sizeof bytes), 4);
  EXPECT_EQ(writer->finish(), 1);
}

TEST(StreamPipe, KnowsLengthsThatAreNone) {
  const std::string data(12, '\x10');
  for (const uint64_t length :
       {0xffffffffU, 0xffffffdbU, 0x7ffff000U, 0x7fffff00U, 0x80000000U, 0U}) {
    EXPECT_EQ(read_bytes(wav(format_chunk(1, 16), length, data)).size(), 6U) << length;
  }
  // SoX: as many blocks as 0x7ffff000 bytes hold.
  EXPECT_EQ(read_bytes(wav(format_chunk(1, 24), 0x7fffefff, data)).size(), 4U);
  EXPECT_EQ(read_audio_bytes(wav(format_chunk(1, 24), 0x7fffefff, data), "x").size(), 4);

  const auto rf64 = [&](uint64_t length) {
    const std::string sizes = little_endian(0, 8) + little_endian(length, 8) + little_endian(0, 12);
    std::string bytes = wav(chunk("ds64", sizes) + format_chunk(1, 16), 0xffffffff, data);
    return bytes.replace(0, 4, "RF64");
  };
  for (const uint64_t length : {uint64_t{0}, ~uint64_t{0}, uint64_t{12}}) {
    EXPECT_EQ(read_bytes(rf64(length)).size(), 6U) << length;
  }
  EXPECT_EQ(failure_of(rf64(uint64_t{1} << 33)),
            "-: is cut short: its header promises 4294967296 samples, and there are 6");
}

TEST(StreamPipe, ReadsAsManySamplesAsTheHeaderSays) {
  const std::string data(12, '\x10');
  const std::string chunks =
      chunk("LIST", "odd") + format_chunk(1, 16) + chunk("fact", std::string(4, '\0'));
  Pipe pipe;
  pipe.put(wav(chunks, 6, data.substr(0, 6) + chunk("LIST", std::string(5000, 'x'))));
  pipe.close_input();
  const auto reader = StreamReader::open_pipe(pipe.output(), "-", nullptr);
  EXPECT_EQ(reader->info().frames, 3);
  EXPECT_EQ(read_all(*reader, 2).size(), 3U);
  reader->drain();
  char byte;
  EXPECT_EQ(::read(pipe.output(), &byte, 1), 0);  // who writes on is read to the end

  EXPECT_EQ(failure_of(wav(chunks, 14, data)),
            "-: is cut short: its header promises 7 samples, and there are 6");
  EXPECT_EQ(
      failure_of(wav(format_chunk(1, 8), 3, std::string("abc\0", 4) + wav(chunks, 4, "abcd"))),
      "-: goes on with another WAV after the 3 samples of the first");
}

TEST(StreamPipe, EndsWithThePromisedSamplesThoughThePipeStaysOpen) {
  Pipe pipe;
  pipe.put(wav(format_chunk(1, 16), 6, "abcdef"));
  const auto reader = StreamReader::open_pipe(pipe.output(), "-", nullptr);
  EXPECT_EQ(reader->read(1000).size(), 3U);
  EXPECT_TRUE(reader->read(1000).empty());
  pipe.put("x");
  pipe.close_input();
  reader->drain();
  char byte;
  EXPECT_EQ(::read(pipe.output(), &byte, 1), 0);
}

TEST(StreamPipe, NoticesAnEndWithinASample) {
  EXPECT_EQ(failure_of(wav(format_chunk(2, 16), 0xffffffff, "abcdef")),
            "-: ends within a sample: of the 4 bytes of sample 1 there are 2");
  const RawFormat raw{16000, 1, "s24"};
  EXPECT_EQ(failure_of("abcde", &raw),
            "-: ends within a sample: of the 3 bytes of sample 1 there are 2");
  // RIFF fills up to an even number of bytes.
  EXPECT_EQ(read_bytes(wav(format_chunk(1, 24), 0xffffffff, std::string("abc\0", 4))).size(), 1U);
  EXPECT_THAT(failure_of(wav(format_chunk(1, 24), 0xffffffff, "abcd")),
              HasSubstr("ends within a sample"));
  EXPECT_THAT(failure_of(std::string("abc\0", 4), &raw), HasSubstr("ends within a sample"));
}

TEST(StreamPipe, SaysWhatAStreamIsThatIsNoWav) {
  EXPECT_EQ(failure_of(""), "-: is empty");
  EXPECT_EQ(failure_of("RI"),
            "-: is no WAV: it begins with \"RI\"; SoX and ffmpeg make WAV of "
            "other formats");
  EXPECT_THAT(failure_of("fLaC and more that comes"), HasSubstr("begins with \"fLaC\""));
  EXPECT_THAT(failure_of(std::string("\x01\x02\x7f\0 raw samples", 16)),
              HasSubstr("begins with \"????\""));
  EXPECT_EQ(failure_of("RIFF1234WAVE"), "-: is cut short: it ends within its header");
  EXPECT_EQ(failure_of(wav(format_chunk(1, 16), 0xffffffff, "")), "-: has no samples");
  EXPECT_EQ(failure_of(wav(format_chunk(1, 16), 0, "")), "-: has no samples");
  EXPECT_EQ(failure_of(wav("", 4, "abcd")), "-: is damaged: samples come before their format");
  EXPECT_EQ(failure_of(wav(chunk("fmt ", "short"), 4, "abcd")),
            "-: is damaged: its header is too short");
  EXPECT_EQ(failure_of(wav(format_chunk(0, 16), 4, "abcd")),
            "-: is damaged: its header says 0 channels, 16000 Hz and 0 bytes for all channels of "
            "16 bits");
  EXPECT_THAT(failure_of(wav(format_chunk(1, 8, 7), 4, "abcd")),
              HasSubstr("holds samples of kind 7 with 8 bits"));
  const float inf = std::numeric_limits<float>::infinity();
  EXPECT_EQ(
      failure_of(wav(format_chunk(1, 32, 3), 8,
                     std::string(4, '\0') + std::string(reinterpret_cast<const char*>(&inf), 4))),
      "-: sample 1 is not a finite number (inf)");
  EXPECT_EQ(message_of<DataError>([] { StreamReader::open_pipe(999, "-", nullptr); }),
            "-: cannot be read: Bad file descriptor");
}

TEST(StreamPipe, RefusesToWriteWhatAPipeDoesNotTake) {
  const StreamInfo info{16000, 1, -1, SF_FORMAT_OGG, SF_FORMAT_VORBIS};
  EXPECT_THAT(message_of<ConfigError>([&] { StreamWriter::create_pipe(1, "out", info, nullptr); }),
              HasSubstr("Vorbis cannot be written into a pipe; choose wav"));
}

// The default action of SIGPIPE would end the test.
TEST(StreamPipe, NoticesThatNobodyReadsAnyMore) {
  Pipe pipe;
  const StreamInfo info{16000, 1, -1, SF_FORMAT_WAV, SF_FORMAT_PCM_16};
  const auto writer = StreamWriter::create_pipe(pipe.input(), "out", info, nullptr);
  pipe.close_output();
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(message_of<DataError>([&] { writer->write(std::vector<float>(10, 0.5F)); }),
              "out: cannot be written: Broken pipe");
  }
  sigset_t pending;
  ::sigpending(&pending);
  EXPECT_EQ(sigismember(&pending, SIGPIPE), 0);
}

/// How a child ends that is interrupted while it does `body`: 7 if it throws Interrupted.
template <class Body>
int exit_code_when_interrupted(Body body) {
  const pid_t child = ::fork();
  if (child == 0) {
    catch_interrupts();
    try {
      body();
    } catch (const Interrupted&) {
      ::_exit(7);
    } catch (...) {
      ::_exit(8);
    }
    ::_exit(9);
  }
  ::usleep(200'000);
  ::kill(child, SIGTERM);
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(StreamPipe, IsInterruptedWhileItWaits) {
  Pipe pipe;
  EXPECT_EQ(
      exit_code_when_interrupted([&] { StreamReader::open_pipe(pipe.output(), "-", nullptr); }), 7);
  const RawFormat raw;
  EXPECT_EQ(exit_code_when_interrupted(
                [&] { StreamReader::open_pipe(pipe.output(), "-", &raw)->read(10); }),
            7);
  const StreamInfo info{16000, 1, -1, SF_FORMAT_WAV, SF_FORMAT_PCM_16};
  EXPECT_EQ(exit_code_when_interrupted([&] {
              StreamWriter::create_pipe(pipe.input(), "-", info, nullptr)
                  ->write(std::vector<float>(1 << 20));
            }),
            7);
}

TEST(StreamPipe, AnswersAnyHeader) {
  const std::string data(72, '\x11');
  const std::string extensible =
      chunk("fmt ", little_endian(0xfffe, 2) + little_endian(2, 2) + little_endian(48000, 4) +
                        little_endian(48000 * 6, 4) + little_endian(6, 2) + little_endian(24, 2) +
                        little_endian(22, 2) + little_endian(24, 2) + little_endian(3, 4) +
                        little_endian(1, 2) + std::string(14, 'g'));
  std::string rf64 =
      wav(chunk("ds64", little_endian(72, 8) + little_endian(72, 8) + little_endian(0, 12)) +
              format_chunk(1, 32, 3),
          0xffffffff, data);
  rf64.replace(0, 4, "RF64");
  const std::vector<std::string> whole{
      wav(format_chunk(1, 16), 72, data), wav(format_chunk(3, 8), 0xffffffff, data), rf64,
      wav(chunk("LIST", "INFOodd") + extensible, 0, data),
      wav(format_chunk(1, 64, 3) + chunk("fact", "1234"), 0x7ffff000, data)};
  for (const std::string& bytes : whole) {
    EXPECT_FALSE(read_bytes(bytes).empty());
  }
  Random random{SeedKey(19)};
  int64_t answered = 0;
  int64_t refused = 0;
  for (int i = 0; i < 10'000; ++i) {
    std::string bytes = whole[random.below(whole.size())];
    for (uint64_t edits = 1 + random.below(4); edits > 0; --edits) {
      const size_t at = random.below(bytes.size());
      const uint64_t kind = random.below(8);
      if (kind == 0) {
        bytes.resize(at + 1);
      } else if (kind == 1) {
        bytes.insert(at, random.below(9), static_cast<char>(random.below(256)));
      } else if (kind == 2) {
        bytes.erase(at, 1 + random.below(4));
        if (bytes.empty()) bytes = "R";
      } else if (kind == 3) {
        bytes[at] = static_cast<char>(random.below(2) * 255);
      } else {
        bytes[at] = static_cast<char>(random.below(256));
      }
    }
    try {
      EXPECT_LE(read_bytes(bytes).size(), bytes.size());
      ++answered;
    } catch (const DataError& e) {
      EXPECT_TRUE(std::string(e.what()).starts_with("-: "));
      ++refused;
    }
  }
  EXPECT_GT(answered, 1000);
  EXPECT_GT(refused, 1000);
}

}  // namespace
}  // namespace limbeck
