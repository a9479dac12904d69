// Recordings that hold less, or more, than their headers say.
#include <gmock/gmock.h>
#include <sndfile.h>

#include "../data/support.h"
#include "limbeck/audio/io.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"

namespace limbeck {
namespace {

using test::message_of;
using test::put_audio;
using test::put_text;
using test::TempDir;
using ::testing::HasSubstr;

/// The message that reading `bytes` ends with; the same from disk, from memory, and for the header.
std::string failure_of(const std::string& bytes, const std::string& name = "x.wav") {
  const TempDir dir;
  put_text(dir / name, bytes);
  const auto reason = [&](const std::string& path, const auto& read) {
    return without_path(message_of<DataError>(read), path);
  };
  const std::string path = (dir / name).string();
  const std::string failure = reason(path, [&] { read_audio(dir / name); });
  EXPECT_EQ(reason(path, [&] { audio_info(dir / name); }), failure);
  EXPECT_EQ(reason("a.zip/x", [&] { read_audio_bytes(bytes, "a.zip/x"); }), failure);
  return failure;
}

/// `count` bytes of a number as chunks of a WAV file hold it.
std::string little_endian(uint64_t value, size_t count) {
  std::string bytes;
  for (size_t i = 0; i < count; ++i) bytes += static_cast<char>(value >> (8 * i));
  return bytes;
}

/// 16-bit mono, with a length of samples that need not be that of `data`.
std::string riff_bytes(uint64_t length, const std::string& data, uint64_t riff = 0x1000) {
  return "RIFF" + little_endian(riff, 4) + "WAVEfmt " + little_endian(16, 4) + little_endian(1, 2) +
         little_endian(1, 2) + little_endian(16000, 4) + little_endian(32000, 4) +
         little_endian(2, 2) + little_endian(16, 2) + "junk" + little_endian(3, 4) + "abc" + '\0' +
         "data" + little_endian(length, 4) + data;
}

std::string rf64_bytes(uint64_t length, const std::string& data) {
  std::string bytes = riff_bytes(0xffffffff, data, 0xffffffff);
  bytes.replace(0, 4, "RF64");
  bytes.erase(bytes.find("junk"), 12);  // unknown to libsndfile here
  const std::string sizes = little_endian(data.size() + 100, 8) + little_endian(length, 8) +
                            little_endian(length / 2, 8) + little_endian(0, 4);
  return bytes.insert(12, "ds64" + little_endian(28, 4) + sizes);
}

// libsndfile takes what is left of a WAV file for all of it, and says nothing.
TEST(WholeFile, NoticesAWavFileThatWasCutShort) {
  TempDir dir;
  put_audio(dir / "cut.wav", test::white(5000, 1));
  const std::string whole = read_file(dir / "cut.wav");
  ASSERT_EQ(whole.size(), 10044U);
  for (const int size : {9000, 50, 44, 10042, 10043}) {
    EXPECT_EQ(failure_of(whole.substr(0, static_cast<size_t>(size)), "cut.WAV"),
              format("is cut short: its header promises 5000 samples, and there are %d",
                     (size - 44) / 2));
  }
  put_text(dir / "cut.wav", whole + "what follows is nothing to us");
  EXPECT_EQ(read_audio(dir / "cut.wav").size(), 5000);

  // The chunk of samples counts: other lengths of the header are often wrong.
  const std::string data(10000, 'x');
  EXPECT_EQ(read_audio_bytes(riff_bytes(10000, data, 0), "x").size(), 5000);
  EXPECT_EQ(read_audio_bytes(riff_bytes(10000, data, 123456), "x").size(), 5000);
  EXPECT_EQ(read_audio_bytes(riff_bytes(10001, data), "x").size(), 5000);
  EXPECT_EQ(failure_of(riff_bytes(12000, data)),
            "is cut short: its header promises 6000 samples, and there are 5000");
  EXPECT_EQ(read_audio_bytes(rf64_bytes(10000, data), "x").size(), 5000);
  EXPECT_EQ(failure_of(rf64_bytes(12000, data)),
            "is cut short: its header promises 6000 samples, and there are 5000");
  EXPECT_EQ(failure_of(rf64_bytes(3'000'000'000, data)),
            "is cut short: its header promises 1500000000 samples, and there are 5000");
}

TEST(WholeFile, KnowsLengthsThatAPipeLeaves) {
  const std::string data(10000, 'x');
  for (const uint64_t length : {0xffffffffU, 0xffffffdbU, 0x7ffff000U, 0x7fffffffU, 0x80000000U}) {
    EXPECT_EQ(read_audio_bytes(riff_bytes(length, data, length), "x").size(), 5000);
  }
  const std::string unfinished =
      "has no samples: its header says 0, as of a file that was never finished, and 10000 bytes "
      "follow";
  EXPECT_EQ(failure_of(riff_bytes(0, data)), unfinished);
  EXPECT_EQ(failure_of(riff_bytes(0, data, 8)), unfinished);
  EXPECT_EQ(failure_of(rf64_bytes(0, data)), unfinished);
  EXPECT_EQ(failure_of(riff_bytes(0, "")), "has no samples");
}

TEST(WholeFile, NoticesLongWavFilesThatAreShortOrTooLong) {
  TempDir dir;
  const auto failure = [&](uint64_t promised, uint64_t there) {
    const std::string head = riff_bytes(promised, "");
    const auto path = dir / "long.wav";
    put_text(path, head);
    std::filesystem::resize_file(path, head.size() + there);  // a hole takes no room
    const std::string file = path.string();
    return without_path(message_of<DataError>([&] { audio_info(path); }), file);
  };
  EXPECT_EQ(failure(3'000'000'000, 2'500'000'000),
            "is cut short: its header promises 1500000000 samples, and there are 1250000000");
  EXPECT_EQ(failure(2'200'000'000, 1'000'000),
            "is cut short: its header promises 1100000000 samples, and there are 500000");
  // 32 bits have overflowed, or a pipe's length is less than what came.
  EXPECT_EQ(failure(1'000'000, 1'000'000 + (uint64_t{1} << 32)),
            "holds more than its header can say: it promises 500000 samples, and there are "
            "2147983648; a file this long has to be RF64");
  EXPECT_EQ(failure(0x7ffff000, 3'000'000'000),
            "holds more than its header can say: it promises 1073739776 samples, and there are "
            "1500000000; a file this long has to be RF64");
  put_text(dir / "whole.wav", riff_bytes(3'000'000'000, ""));
  std::filesystem::resize_file(dir / "whole.wav", riff_bytes(0, "").size() + 3'000'000'000);
  EXPECT_EQ(audio_info(dir / "whole.wav").samples, 1'500'000'000);
}

/// 5000 samples of noise in a file of libsndfile's own making.
std::string sndfile_bytes(int format, int channels = 1) {
  const TempDir dir;
  SF_INFO info{};
  info.samplerate = 16000;
  info.channels = channels;
  info.format = format;
  const std::string path = (dir / "made").string();
  SNDFILE* file = ::sf_open(path.c_str(), SFM_WRITE, &info);
  EXPECT_NE(file, nullptr) << ::sf_strerror(nullptr);
  const auto samples = test::white(5000 * channels, 1);
  EXPECT_EQ(::sf_writef_float(file, samples.data(), 5000), 5000);
  ::sf_close(file);
  return read_file(path);
}

// libsndfile takes what is left of these, too, and says nothing.
TEST(WholeFile, NoticesOtherFilesThatWereCutShort) {
  for (const int type : {SF_FORMAT_AIFF, SF_FORMAT_W64, SF_FORMAT_CAF}) {
    for (const auto& [sample_type, sample_bytes] :
         {std::pair(SF_FORMAT_PCM_16, size_t{2}), std::pair(SF_FORMAT_PCM_24, size_t{3}),
          std::pair(SF_FORMAT_FLOAT, size_t{4})}) {
      for (const int channels : {1, 2}) {
        SCOPED_TRACE(format("%x, %d channels", type | sample_type, channels));
        const std::string whole = sndfile_bytes(type | sample_type, channels);
        const ReadOptions first{.channel = 0, .start = 0, .count = -1};
        EXPECT_EQ(read_audio_bytes(whole, "x", first).size(), 5000);
        const size_t block = sample_bytes * static_cast<size_t>(channels);
        const size_t begin = whole.size() - 5000 * block;  // what follows the samples is padding
        for (const size_t left : {size_t{4999}, size_t{2500}, size_t{1}}) {
          const std::string failure = failure_of(whole.substr(0, begin + left * block - 1), "x");
          EXPECT_THAT(failure, testing::MatchesRegex("is cut short: its header promises 5000 "
                                                     "samples, and there are [0-9]+"));
          const auto there = std::stoul(failure.substr(failure.rfind(' ')));
          EXPECT_LE(there, left);
          EXPECT_GE(there + 2, left);  // a few bytes of padding
        }
      }
    }
    const std::string packed = sndfile_bytes(type | SF_FORMAT_ULAW);
    EXPECT_EQ(read_audio_bytes(packed, "x").size(), 5000);
    EXPECT_THAT(failure_of(packed.substr(0, packed.size() - 2000), "x"),
                testing::MatchesRegex("is cut short: its header promises 5000 (bytes of )?samples, "
                                      "and there are 30[0-9]+"));
  }
}

// As writers into a pipe leave it.
TEST(WholeFile, TakesLengthsThatSayNothingForAllThatFollows) {
  const auto with_length = [](int type, const char* chunk, size_t offset,
                              const std::string& length) {
    std::string file = sndfile_bytes(type | SF_FORMAT_PCM_16);
    return file.replace(file.rfind(chunk) + offset, length.size(), length);
  };
  for (const uint32_t length : {0xffffffffU, 0x0800007fU, 0xffffff7fU, 0U}) {  // big-endian
    const std::string file = with_length(SF_FORMAT_AIFF, "SSND", 4, little_endian(length, 4));
    EXPECT_EQ(read_audio_bytes(file, "x").size(), 5000) << length;
  }
  for (const uint64_t length : {~uint64_t{0}, uint64_t{0}}) {
    const std::string file = with_length(SF_FORMAT_W64, "data", 16, little_endian(length, 8));
    EXPECT_EQ(read_audio_bytes(file, "x").size(), 5000) << length;
  }
}

TEST(WholeFile, NoticesAnOggFileThatWasCutShort) {
  TempDir dir;
  put_audio(dir / "x.ogg", test::white(50000, 1));
  const std::string whole = read_file(dir / "x.ogg");
  const size_t last_page = whole.rfind("OggS");
  ASSERT_LT(last_page, whole.size());
  for (const size_t size : {whole.size() / 2, last_page, last_page + 20, whole.size() - 1}) {
    EXPECT_EQ(failure_of(whole.substr(0, size), "x.ogg"),
              "is cut short: the page that ends an Ogg file is missing")
        << size;
  }
}

// As an encoder into a pipe leaves it: its header says 0.
TEST(WholeFile, CountsAFlacFileThatDoesNotSayItsLength) {
  TempDir dir;
  put_audio(dir / "x.flac", test::white(50000, 1));
  const Waveform wave = read_audio(dir / "x.flac");
  std::string piped = read_file(dir / "x.flac");
  piped[21] = static_cast<char>(piped[21] & 0xf0);
  piped.replace(22, 4, 4, '\0');
  put_text(dir / "x.flac", piped);
  EXPECT_EQ(audio_info(dir / "x.flac").samples, 50000);
  EXPECT_EQ(read_audio(dir / "x.flac").samples, wave.samples);
  EXPECT_EQ(read_audio_bytes(piped, "x").samples, wave.samples);
  const auto part =
      read_audio(dir / "x.flac", {.channel = {}, .start = 30001, .count = 99}).samples;
  EXPECT_EQ(part, std::vector<float>(wave.samples.begin() + 30001, wave.samples.begin() + 30100));
  EXPECT_THAT(failure_of(piped.substr(0, piped.size() / 2), "x.flac"),
              HasSubstr("is damaged or cut short after "));
  EXPECT_THAT(failure_of(piped + "words that follow", "x.flac"),
              HasSubstr("is damaged or cut short after 50000 samples"));
  // Nothing but the last frame is looked at to count.
  put_text(dir / "x.flac", piped.replace(piped.size() / 2, 100, 100, 'x'));
  EXPECT_EQ(audio_info(dir / "x.flac").samples, 50000);
  EXPECT_THROW(read_audio(dir / "x.flac"), DataError);
}

// libsndfile believes the frame that the first encoder put in front.
TEST(WholeFile, NoticesMp3FilesThatWereJoined) {
  SF_INFO info{};
  info.samplerate = 16000;
  info.channels = 1;
  info.format = SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III;
  if (::sf_format_check(&info) == 0) GTEST_SKIP() << "this libsndfile writes no MP3";
  const std::string once = sndfile_bytes(info.format);
  EXPECT_EQ(read_audio_bytes(once, "x").size(), 5000);
  const std::string tag = "TAG" + std::string(125, ' ');
  EXPECT_EQ(read_audio_bytes(once + tag, "x").size(), 5000);
  const std::string id3 = std::string("ID3\4\0\0\0\0\1\0", 10) + std::string(128, '\xff');
  EXPECT_EQ(read_audio_bytes(id3 + once, "x").size(), 5000);
  EXPECT_THAT(failure_of(once + once, "x.mp3"),
              testing::MatchesRegex("holds more than its header says, some 1[0-9]+ samples and not "
                                    "5000: several MP3 files that were joined, .*"));
  EXPECT_THAT(failure_of(once + tag + id3 + once, "x.mp3"), HasSubstr("that were joined"));
}

}  // namespace
}  // namespace limbeck
