// StreamReader and StreamWriter on files.
#include <gmock/gmock.h>
#include <sndfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <limits>

#include "../core/full_disk.h"
#include "../data/support.h"
#include "limbeck/audio/stream_reader.h"
#include "limbeck/audio/stream_writer.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"

namespace limbeck {
namespace {

using test::message_of;
using test::message_on_full_disk;
using test::put_audio;
using test::put_text;
using test::TempDir;
using ::testing::HasSubstr;

std::vector<float> read_all(StreamReader& reader, int64_t block) {
  std::vector<float> samples;
  for (;;) {
    const std::vector<float> more = reader.read(block);
    if (more.empty()) return samples;
    EXPECT_LE(more.size(), static_cast<size_t>(block * reader.info().channels));
    samples.insert(samples.end(), more.begin(), more.end());
  }
}

std::vector<float> read_all(const std::filesystem::path& path, int64_t block = 4096) {
  return read_all(*StreamReader::open(path), block);
}

int64_t write_all(const std::filesystem::path& path, const StreamInfo& info,
                  const std::vector<float>& samples, size_t block = 4096) {
  const auto writer = StreamWriter::create(path, info);
  const size_t step = block * static_cast<size_t>(info.channels);
  for (size_t at = 0; at < samples.size(); at += step) {
    writer->write(std::span(samples).subspan(at, std::min(step, samples.size() - at)));
  }
  return writer->finish();
}

/// Samples that `bits` bits hold exactly, both ends of the range among them.
std::vector<float> exact(int bits, int64_t count) {
  Random random{SeedKey(5)};
  const double scale = std::ldexp(1.0, bits - 1);
  std::vector<float> samples{-1.0F, static_cast<float>((scale - 1) / scale), 0.0F};
  while (static_cast<int64_t>(samples.size()) < count) {
    const auto level = static_cast<double>(random.below(static_cast<uint64_t>(2 * scale)));
    samples.push_back(static_cast<float>((level - scale) / scale));
  }
  samples.resize(static_cast<size_t>(count));
  return samples;
}

struct Kept {
  const char* name;
  int format;
  int bits;
};

class KeptTest : public ::testing::TestWithParam<Kept> {};

TEST_P(KeptTest, ReturnsTheSameBitsWhateverTheBlocks) {
  const TempDir dir;
  for (int channels = 1; channels <= 6; ++channels) {
    for (const int64_t frames : {1, 2, 4099}) {
      const StreamInfo info{22050, channels, frames, GetParam().format & ~SF_FORMAT_SUBMASK,
                            GetParam().format & SF_FORMAT_SUBMASK};
      if (!can_write(info)) {
        EXPECT_GT(channels, 2) << GetParam().name;
        continue;
      }
      SCOPED_TRACE(format("%s, %d channels, %d samples", GetParam().name, channels, frames));
      const std::vector<float> samples = exact(GetParam().bits, frames * channels);
      const auto path = dir / format("%s-%d", GetParam().name, channels);
      EXPECT_EQ(write_all(path, info, samples, 1000), 0);
      const auto reader = StreamReader::open(path);
      EXPECT_EQ(reader->info().rate_hz, 22050);
      EXPECT_EQ(reader->info().channels, channels);
      EXPECT_EQ(reader->info().frames, frames);
      EXPECT_EQ(reader->info().encoding, info.encoding);
      EXPECT_EQ(reader->info().container & SF_FORMAT_TYPEMASK, info.container & SF_FORMAT_TYPEMASK);
      EXPECT_EQ(read_all(*reader, 1 << 20), samples);
      EXPECT_TRUE(reader->read(10).empty());
      for (const int64_t block : {1, 17, 4096}) EXPECT_EQ(read_all(path, block), samples);

      const std::string bytes = read_file(path);
      EXPECT_EQ(write_all(path, StreamReader::open(path)->info(), samples, 77), 0);
      EXPECT_EQ(read_file(path), bytes);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Formats, KeptTest,
    ::testing::Values(Kept{"wav_u8", SF_FORMAT_WAV | SF_FORMAT_PCM_U8, 8},
                      Kept{"wav_16", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 16},
                      Kept{"wav_24", SF_FORMAT_WAV | SF_FORMAT_PCM_24, 24},
                      Kept{"wav_32", SF_FORMAT_WAV | SF_FORMAT_PCM_32, 24},
                      Kept{"wav_float", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 24},
                      Kept{"wav_double", SF_FORMAT_WAV | SF_FORMAT_DOUBLE, 24},
                      Kept{"wavex_16", SF_FORMAT_WAVEX | SF_FORMAT_PCM_16, 16},
                      Kept{"wavex_float", SF_FORMAT_WAVEX | SF_FORMAT_FLOAT, 24},
                      Kept{"rf64_24", SF_FORMAT_RF64 | SF_FORMAT_PCM_24, 24},
                      Kept{"flac_8", SF_FORMAT_FLAC | SF_FORMAT_PCM_S8, 8},
                      Kept{"flac_16", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 16},
                      Kept{"flac_24", SF_FORMAT_FLAC | SF_FORMAT_PCM_24, 24},
                      Kept{"aiff_8", SF_FORMAT_AIFF | SF_FORMAT_PCM_S8, 8},
                      Kept{"aiff_16", SF_FORMAT_AIFF | SF_FORMAT_PCM_16, 16},
                      Kept{"aiff_little", SF_FORMAT_AIFF | SF_ENDIAN_LITTLE | SF_FORMAT_PCM_16, 16},
                      Kept{"aiff_float", SF_FORMAT_AIFF | SF_FORMAT_FLOAT, 24},
                      Kept{"au_24", SF_FORMAT_AU | SF_FORMAT_PCM_24, 24},
                      Kept{"aiff_u8", SF_FORMAT_AIFF | SF_FORMAT_PCM_U8, 8},
                      Kept{"caf_8", SF_FORMAT_CAF | SF_FORMAT_PCM_S8, 8},
                      Kept{"au_8", SF_FORMAT_AU | SF_FORMAT_PCM_S8, 8},
                      Kept{"caf_float", SF_FORMAT_CAF | SF_FORMAT_FLOAT, 24},
                      Kept{"caf_16", SF_FORMAT_CAF | SF_FORMAT_PCM_16, 16},
                      Kept{"caf_alac", SF_FORMAT_CAF | SF_FORMAT_ALAC_16, 16},
                      Kept{"w64_float", SF_FORMAT_W64 | SF_FORMAT_FLOAT, 24}),
    [](const auto& test) { return std::string(test.param.name); });

std::vector<float> tone(int64_t frames, int channels, double amplitude = 0.5) {
  const std::vector<float> mono = test::sine(frames, 440, amplitude);
  std::vector<float> samples;
  for (const float x : mono) samples.insert(samples.end(), static_cast<size_t>(channels), x);
  return samples;
}

// What is decoded from a code of 8 bits is coded as itself again.
TEST(StreamFile, WritesTelephoneCodesBackBitForBit) {
  const TempDir dir;
  for (const int encoding : {SF_FORMAT_ULAW, SF_FORMAT_ALAW}) {
    const StreamInfo info{8000, 1, 20000, SF_FORMAT_WAV, encoding};
    write_all(dir / "a.wav", info, test::white(20000, 1, 1.0));
    const std::vector<float> once = read_all(dir / "a.wav");
    EXPECT_EQ(write_all(dir / "b.wav", info, once), 0);
    EXPECT_EQ(read_all(dir / "b.wav"), once);
  }
}

TEST(StreamFile, WritesLossyFormatsOfTheSameLength) {
  const TempDir dir;
  for (const int format : {SF_FORMAT_OGG | SF_FORMAT_VORBIS, SF_FORMAT_OGG | SF_FORMAT_OPUS,
                           SF_FORMAT_WAV | SF_FORMAT_ULAW, SF_FORMAT_AU | SF_FORMAT_ALAW}) {
    for (int channels = 1; channels <= 2; ++channels) {
      const StreamInfo info{16000, channels, 40001, format & SF_FORMAT_TYPEMASK,
                            format & SF_FORMAT_SUBMASK};
      const std::vector<float> samples = tone(40001, channels);
      EXPECT_EQ(write_all(dir / "a", info, samples, 100'000), 0);
      const std::vector<float> read = read_all(dir / "a", 999);
      ASSERT_EQ(read.size(), samples.size()) << std::hex << format;
      double error = 0;
      double power = 0;
      for (size_t i = 0; i < read.size(); ++i) {
        error += std::pow(read[i] - samples[i], 2);
        power += std::pow(samples[i], 2);
      }
      EXPECT_LT(error / power, 2e-2) << std::hex << format;
    }
  }
}

TEST(StreamFile, WritesMp3WhereLibsndfileCan) {
  const StreamInfo info{16000, 2, 40001, SF_FORMAT_MPEG, SF_FORMAT_MPEG_LAYER_III};
  if (!can_write(info)) GTEST_SKIP() << "this libsndfile writes no MP3";
  const TempDir dir;
  const std::vector<float> samples = tone(40001, 2);
  write_all(dir / "a.mp3", info, samples);
  const auto reader = StreamReader::open(dir / "a.mp3");
  EXPECT_EQ(reader->info().container & SF_FORMAT_TYPEMASK, SF_FORMAT_MPEG);
  const std::vector<float> read = read_all(*reader, 999);
  EXPECT_EQ(static_cast<int64_t>(read.size()), 2 * reader->info().frames);
  ASSERT_EQ(read.size(), samples.size());
  for (size_t i = 4000; i < 70'000; ++i) ASSERT_NEAR(read[i], samples[i], 0.02) << i;
}

// These fill their last block.
TEST(StreamFile, WritesCodecsOfBlocks) {
  const TempDir dir;
  for (const int encoding : {SF_FORMAT_IMA_ADPCM, SF_FORMAT_MS_ADPCM, SF_FORMAT_GSM610}) {
    const StreamInfo info{16000, 1, 4001, SF_FORMAT_WAV, encoding};
    write_all(dir / "a.wav", info, tone(4001, 1));
    EXPECT_GE(read_all(dir / "a.wav").size(), 4001U);
    EXPECT_EQ(StreamReader::open(dir / "a.wav")->info().encoding, encoding);
  }
}

TEST(StreamFile, CountsWhatItClips) {
  const TempDir dir;
  const std::vector<float> loud{0.5F, 1.0F, 1.5F, -1.0F, -1.001F, -7.0F};
  const auto clipped = [&](int container, int encoding) {
    return write_all(dir / "a", {16000, 2, 3, container, encoding}, loud);
  };
  EXPECT_EQ(clipped(SF_FORMAT_WAV, SF_FORMAT_PCM_16), 4);
  const float most = 32767.0F / 32768;
  EXPECT_EQ(read_all(dir / "a"), (std::vector<float>{0.5F, most, most, -1, -1, -1}));
  EXPECT_EQ(clipped(SF_FORMAT_WAV, SF_FORMAT_PCM_32), 3);  // 1 is as near as a float comes
  EXPECT_EQ(clipped(SF_FORMAT_FLAC, SF_FORMAT_PCM_24), 4);
  EXPECT_EQ(clipped(SF_FORMAT_OGG, SF_FORMAT_VORBIS), 3);
  EXPECT_EQ(clipped(SF_FORMAT_WAV, SF_FORMAT_DOUBLE), 0);
  EXPECT_EQ(read_all(dir / "a"), loud);
}

TEST(StreamFile, WritesTheSamplesOfWriteAudio) {
  const TempDir dir;
  const Waveform wave{test::white(30001, 1, 1.1), 16000};
  const int64_t clipped = write_audio(dir / "a.wav", wave);
  EXPECT_GT(clipped, 0);
  const StreamInfo info = StreamReader::open(dir / "a.wav")->info();
  EXPECT_EQ(write_all(dir / "b.wav", info, wave.samples, 777), clipped);
  EXPECT_EQ(read_file(dir / "b.wav"), read_file(dir / "a.wav"));
}

TEST(StreamFile, AppearsWhenFinishedAndNotBefore) {
  const TempDir dir;
  const StreamInfo info{16000, 1, 100, SF_FORMAT_FLAC, SF_FORMAT_PCM_16};
  put_text(dir / "a.flac", "old");
  {
    const auto writer = StreamWriter::create(dir / "a.flac", info);
    writer->write(std::vector<float>(100, 0.5F));
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir.path()), {}), 2);
  }
  EXPECT_EQ(read_file(dir / "a.flac"), "old");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir.path()), {}), 1);
  std::filesystem::create_symlink("a.flac", dir / "link.flac");
  write_all(dir / "link.flac", info, std::vector<float>(100, 0.5F));
  EXPECT_TRUE(std::filesystem::is_symlink(dir / "link.flac"));
  EXPECT_EQ(read_all(dir / "a.flac").size(), 100U);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir.path()), {}), 2);
}

/// What `body` throws, and whether it is about one file or about the place.
template <class Body>
std::string fault_of(const Body& body) {
  try {
    body();
  } catch (const WriteError& e) {
    return std::string("place: ") + e.what();
  } catch (const DataError& e) {
    return std::string("file: ") + e.what();
  }
  return "";
}

TEST(StreamFile, LeavesAloneWhatCameToBeMeanwhile) {
  const TempDir dir;
  const StreamInfo info{16000, 1, 100, SF_FORMAT_WAV, SF_FORMAT_PCM_16};
  const auto write = [&](const std::string& name, const auto& meanwhile) {
    const auto writer = StreamWriter::create(dir / name, info, false);
    writer->write(std::vector<float>(100, 0.5F));
    meanwhile();
    return fault_of([&] { writer->finish(); });
  };
  EXPECT_EQ(write("new.wav", [] {}), "");
  EXPECT_EQ(read_all(dir / "new.wav").size(), 100U);
  EXPECT_EQ(write("a.wav", [&] { put_text(dir / "a.wav", "other"); }),
            "file: " + (dir / "a.wav").string() + ": came to be meanwhile, and is left alone");
  EXPECT_EQ(read_file(dir / "a.wav"), "other");
  EXPECT_THAT(
      write("link.wav", [&] { std::filesystem::create_symlink("none.wav", dir / "link.wav"); }),
      HasSubstr("came to be meanwhile"));
  EXPECT_TRUE(std::filesystem::is_symlink(dir / "link.wav"));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir.path()), {}), 3);
}

// Its header has 24 bits for the bytes of a block.
TEST(StreamFile, KnowsAFaultOfOneFileFromOneOfThePlace) {
  const TempDir dir;
  const StreamInfo small{16000, 1, -1, SF_FORMAT_VOC, SF_FORMAT_PCM_U8};
  const std::vector<float> samples((1 << 24) + 1000, 0.5F);
  EXPECT_THAT(fault_of([&] { write_all(dir / "a.voc", small, samples, 1 << 20); }),
              ::testing::StartsWith("file: "));
  const StreamInfo good{16000, 1, -1, SF_FORMAT_WAV, SF_FORMAT_FLOAT};
  EXPECT_THAT(fault_of([&] { write_all(dir / "a.wav", good, {1, NAN}); }),
              ::testing::StartsWith("file: "));
  EXPECT_THAT(fault_of([&] { write_all(dir / "a.wav", good, {}); }),
              ::testing::StartsWith("file: "));
  EXPECT_THAT(fault_of([&] { write_all(dir / "no" / "a.wav", good, {1}); }),
              ::testing::StartsWith("place: "));
  EXPECT_TRUE(std::filesystem::is_empty(dir.path()));
}

TEST(StreamFile, PutsNothingInPlaceOnAFullDisk) {
  const TempDir dir;
  const std::vector<float> samples = test::white(60000, 1);
  std::filesystem::create_directories(dir / "whole");
  for (const int format : {SF_FORMAT_WAV | SF_FORMAT_PCM_16, SF_FORMAT_FLAC | SF_FORMAT_PCM_24,
                           SF_FORMAT_OGG | SF_FORMAT_VORBIS, SF_FORMAT_AIFF | SF_FORMAT_FLOAT}) {
    const StreamInfo info{16000, 2, 30000, format & SF_FORMAT_TYPEMASK, format & SF_FORMAT_SUBMASK};
    write_all(dir / "whole" / "a", info, samples);
    const auto size = std::filesystem::file_size(dir / "whole" / "a");
    put_text(dir / "a", "old");
    for (const auto room : {uintmax_t{0}, uintmax_t{100}, size / 2, size - 300}) {
      const auto body = [&] {
        throw std::runtime_error(fault_of([&] { write_all(dir / "a", info, samples); }));
      };
      EXPECT_EQ(message_on_full_disk(room, body),
                "place: " + (dir / "a").string() + ": cannot be written: File too large")
          << std::hex << format << ", " << std::dec << room << " of " << size;
    }
    EXPECT_EQ(read_file(dir / "a"), "old");
  }
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir.path()), {}), 2);
}

// libsndfile puts the lengths of RF64 where a chunk keeps room for them.
TEST(StreamFile, KeepsRoomToBecomeRf64WhereAWavMayNotDo) {
  const TempDir dir;
  const auto head = [&](int64_t frames, int container = SF_FORMAT_WAV) {
    write_all(dir / "a.wav", {48000, 2, frames, container, SF_FORMAT_PCM_16},
              std::vector<float>(1002, 0.5F));
    EXPECT_EQ(read_all(dir / "a.wav"), std::vector<float>(1002, 0.5F));
    const std::string bytes = read_file(dir / "a.wav");
    EXPECT_EQ(bytes.substr(0, 4), "RIFF");
    return bytes.substr(8, 8);
  };
  for (const int64_t frames : {int64_t{-1}, int64_t{1} << 30}) {
    EXPECT_EQ(head(frames), "WAVEJUNK");
    EXPECT_EQ(head(frames, SF_FORMAT_WAVEX), "WAVEJUNK");
  }
  EXPECT_EQ(head(501), "WAVEfmt ");
  EXPECT_EQ(head(1'000'000'000), "WAVEfmt ");
}

TEST(StreamFile, WritesMoreThanFourGiB) {
  if (std::getenv("LIMBECK_LARGE_FILES") == nullptr) {
    GTEST_SKIP() << "writes 4 GiB twice: set LIMBECK_LARGE_FILES";
  }
  const TempDir dir;
  const std::vector<float> block(6 << 16, 0.25F);
  const int64_t blocks = (int64_t{1} << 32) / (8 * int64_t{6 << 16}) + 1;
  const auto write = [&](const std::string& name, int64_t frames) {
    const auto writer =
        StreamWriter::create(dir / name, {48000, 6, frames, SF_FORMAT_WAV, SF_FORMAT_DOUBLE});
    for (int64_t i = 0; i < blocks; ++i) writer->write(block);
    writer->finish();
  };
  write("long.wav", -1);
  std::string kind(4, '\0');
  std::ifstream(dir / "long.wav", std::ios::binary).read(kind.data(), 4);
  EXPECT_EQ(kind, "RF64");
  const auto reader = StreamReader::open(dir / "long.wav");
  EXPECT_EQ(reader->info().frames, blocks << 16);
  EXPECT_EQ(reader->read(3), std::vector<float>(18, 0.25F));
  std::filesystem::remove(dir / "long.wav");
  EXPECT_THAT(message_of<DataError>([&] { write("wrong.wav", 1000); }),
              HasSubstr("wrong.wav: cannot be written: "));
  EXPECT_TRUE(std::filesystem::is_empty(dir.path()));
}

TEST(StreamFile, ChecksFilesAsReadAudioDoes) {
  const TempDir dir;
  const auto failure = [&](const std::string& name) {
    const std::string message = message_of<DataError>([&] { read_all(dir / name, 1000); });
    EXPECT_EQ(message_of<DataError>([&] { read_audio(dir / name); }), message);
    return message;
  };
  const auto named = [&](const std::string& name) { return (dir / name).string(); };
  EXPECT_EQ(failure("none.wav"), named("none.wav") + ": does not exist");
  EXPECT_EQ(failure(""), named("") + ": is a directory, not an audio file");
  put_text(dir / "empty.wav", "");
  EXPECT_EQ(failure("empty.wav"), named("empty.wav") + ": is an empty file");
  put_text(dir / "text.flac", "no audio in here, only words that go on for a while");
  EXPECT_THAT(failure("text.flac"), HasSubstr("text.flac: cannot be read as audio: "));
  ASSERT_EQ(::mkfifo((dir / "pipe.wav").c_str(), 0600), 0);
  EXPECT_EQ(failure("pipe.wav"), named("pipe.wav") + ": is a pipe or a device, not an audio file");
  std::filesystem::create_symlink("pipe.wav", dir / "link.wav");
  EXPECT_THAT(failure("link.wav"), HasSubstr(": is a pipe or a device, not an audio file"));

  put_audio(dir / "cut.wav", test::white(5000, 1));
  put_text(dir / "cut.wav", read_file(dir / "cut.wav").substr(0, 9000));
  EXPECT_THAT(failure("cut.wav"), HasSubstr("promises 5000 samples, and there are 4478"));
  put_audio(dir / "cut.flac", test::white(50000, 1));
  const std::string whole = read_file(dir / "cut.flac");
  put_text(dir / "cut.flac", whole.substr(0, whole.size() / 2));
  EXPECT_THAT(failure("cut.flac"), HasSubstr(" of its 50000 samples"));
}

TEST(StreamFile, NamesTheSampleThatIsNoNumber) {
  const TempDir dir;
  SF_INFO info{};
  info.samplerate = 16000;
  info.channels = 2;
  info.format = SF_FORMAT_WAV | SF_FORMAT_FLOAT;
  std::vector<float> samples(6000, 0.5F);
  samples[4001] = std::numeric_limits<float>::infinity();
  SNDFILE* file = ::sf_open((dir / "inf.wav").c_str(), SFM_WRITE, &info);
  ::sf_writef_float(file, samples.data(), 3000);
  ::sf_close(file);
  EXPECT_EQ(message_of<DataError>([&] { read_all(dir / "inf.wav", 128); }),
            (dir / "inf.wav").string() + ": sample 2000 is not a finite number (inf)");
  const auto writer =
      StreamWriter::create(dir / "b.wav", {16000, 2, -1, SF_FORMAT_WAV, SF_FORMAT_FLOAT});
  writer->write(std::span(samples).first(4000));
  EXPECT_EQ(message_of<DataError>([&] { writer->write(std::span(samples).last(2000)); }),
            (dir / "b.wav").string() + ": sample 2000 is not a finite number (inf)");
}

TEST(StreamFile, RefusesToWriteWhatCannotBe) {
  const TempDir dir;
  const StreamInfo good{16000, 1, -1, SF_FORMAT_WAV, SF_FORMAT_PCM_16};
  StreamInfo bad = good;
  bad.container = SF_FORMAT_FLAC;
  bad.encoding = SF_FORMAT_FLOAT;
  EXPECT_FALSE(can_write(bad));
  EXPECT_EQ(message_of<ConfigError>([&] { StreamWriter::create(dir / "a.flac", bad); }),
            (dir / "a.flac").string() +
                ": 1 channels of 16000 Hz cannot be written as FLAC (Free Lossless Audio Codec), "
                "32 bit float");
  EXPECT_EQ(message_of<DataError>([&] { StreamWriter::create(dir / "no" / "a.wav", good); }),
            (dir / "no" / "a.wav").string() + ": cannot be written: No such file or directory");
  EXPECT_THAT(message_of<DataError>([&] { StreamWriter::create("/dev/null", good); }),
              HasSubstr("/dev/null: cannot be written: is a pipe or a device"));
  EXPECT_EQ(message_of<DataError>([&] { StreamWriter::create(dir / "a.wav", good)->finish(); }),
            (dir / "a.wav").string() + ": cannot be written: there are no samples");
  EXPECT_TRUE(std::filesystem::is_empty(dir.path()));
}

TEST(StreamFile, PutsAnEncodingIntoANamedFormat) {
  const auto encoding = [](int like, const std::string& name) {
    const StreamInfo info = with_format({48000, 2, 100, SF_FORMAT_WAV, like}, name);
    EXPECT_TRUE(can_write(info));
    EXPECT_EQ(info.frames, 100);
    return info.encoding;
  };
  EXPECT_EQ(encoding(SF_FORMAT_PCM_16, "flac"), SF_FORMAT_PCM_16);
  EXPECT_EQ(encoding(SF_FORMAT_PCM_U8, "flac"), SF_FORMAT_PCM_S8);
  EXPECT_EQ(encoding(SF_FORMAT_PCM_S8, "wav"), SF_FORMAT_PCM_U8);
  EXPECT_EQ(encoding(SF_FORMAT_FLOAT, "flac"), SF_FORMAT_PCM_24);
  EXPECT_EQ(encoding(SF_FORMAT_DOUBLE, "flac"), SF_FORMAT_PCM_24);
  EXPECT_EQ(encoding(SF_FORMAT_PCM_32, "flac"), SF_FORMAT_PCM_24);
  EXPECT_EQ(encoding(SF_FORMAT_ALAC_20, "wav"), SF_FORMAT_PCM_24);
  EXPECT_EQ(encoding(SF_FORMAT_DOUBLE, "wav"), SF_FORMAT_DOUBLE);
  EXPECT_EQ(encoding(SF_FORMAT_FLOAT, "aiff"), SF_FORMAT_FLOAT);
  EXPECT_EQ(encoding(SF_FORMAT_VORBIS, "wav"), SF_FORMAT_PCM_16);
  EXPECT_EQ(encoding(SF_FORMAT_ULAW, "wav"), SF_FORMAT_ULAW);
  EXPECT_EQ(encoding(SF_FORMAT_ULAW, "flac"), SF_FORMAT_PCM_16);
  EXPECT_EQ(encoding(SF_FORMAT_PCM_16, "ogg"), SF_FORMAT_VORBIS);
  EXPECT_EQ(encoding(SF_FORMAT_PCM_16, "opus"), SF_FORMAT_OPUS);
  for (const char* name : {"au", "caf", "w64", "rf64"}) {
    EXPECT_EQ(encoding(SF_FORMAT_PCM_24, name), SF_FORMAT_PCM_24) << name;
  }
  const StreamInfo like{44100, 2, 100, SF_FORMAT_WAV, SF_FORMAT_PCM_16};
  EXPECT_EQ(message_of<ConfigError>([&] { with_format(like, "mp4"); }),
            "unknown audio format 'mp4'; known: wav, flac, ogg, opus, mp3, aiff, au, caf, w64, "
            "rf64");
  EXPECT_EQ(message_of<ConfigError>([&] { with_format(like, "opus"); }),
            "2 channels of 44100 Hz cannot be written as opus");
}

}  // namespace
}  // namespace limbeck
