#include "limbeck/audio/io.h"

#include <gmock/gmock.h>
#include <sndfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <thread>

#include "../core/full_disk.h"
#include "../data/support.h"
#include "limbeck/audio/encode.h"
#include "limbeck/core/error.h"

namespace limbeck {
namespace {

using test::message_of;
using test::message_on_full_disk;
using test::put_audio;
using test::put_text;
using test::TempDir;
using ::testing::HasSubstr;

/// Samples that `bits` bits hold exactly, both ends of the range among them.
std::vector<float> exact(int bits, int64_t count) {
  Random random{SeedKey(5)};
  const double scale = std::ldexp(1.0, bits - 1);
  std::vector<float> samples{-1.0F, static_cast<float>((scale - 1) / scale), 0.0F};
  while (static_cast<int64_t>(samples.size()) < count) {
    const auto level = static_cast<double>(random.below(static_cast<uint64_t>(2 * scale)));
    samples.push_back(static_cast<float>((level - scale) / scale));
  }
  return samples;
}

/// Interleaved channels, written without our writer, which is mono.
void put_channels(const std::filesystem::path& path, int channels,
                  const std::vector<float>& interleaved,
                  int format = SF_FORMAT_WAV | SF_FORMAT_FLOAT) {
  SF_INFO info{};
  info.samplerate = 16000;
  info.channels = channels;
  info.format = format;
  SNDFILE* file = sf_open(path.c_str(), SFM_WRITE, &info);
  ASSERT_NE(file, nullptr);
  const auto frames = static_cast<sf_count_t>(interleaved.size()) / channels;
  EXPECT_EQ(sf_writef_float(file, interleaved.data(), frames), frames);
  sf_close(file);
}

struct Lossless {
  const char* name;
  SampleFormat format;
  int bits;
};

class LosslessTest : public ::testing::TestWithParam<Lossless> {};

TEST_P(LosslessTest, ReturnsTheSameBits) {
  TempDir dir;
  const auto path = dir / GetParam().name;
  const Waveform wave{exact(GetParam().bits, 40001), 22050};
  EXPECT_EQ(write_audio(path, wave, GetParam().format), 0);
  const Waveform read = read_audio(path);
  EXPECT_EQ(read.rate_hz, 22050);
  EXPECT_EQ(read.samples, wave.samples);
  const AudioInfo info = audio_info(path);
  EXPECT_EQ(info.samples, 40001);
  EXPECT_EQ(info.rate_hz, 22050);
  EXPECT_EQ(info.channels, 1);
}

TEST_P(LosslessTest, WritesTheSameFileTwiceAndLeavesNothingBeside) {
  TempDir dir;
  const Waveform wave{exact(GetParam().bits, 5000), 16000};
  const auto path = dir / GetParam().name;
  write_audio(path, wave, GetParam().format);
  const std::string first = read_file(path);
  write_audio(path, wave, GetParam().format);
  EXPECT_EQ(read_file(path), first);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir.path()), {}), 1);
}

TEST_P(LosslessTest, SegmentsEqualSlicesOfTheWhole) {
  TempDir dir;
  const auto path = dir / GetParam().name;
  const Waveform wave{exact(GetParam().bits, 50000), 16000};
  write_audio(path, wave, GetParam().format);
  for (const int64_t start : {0, 1, 4095, 4096, 33333, 49999}) {
    const int64_t count = std::min<int64_t>(20000, 50000 - start);
    const auto part = read_audio(path, {.channel = {}, .start = start, .count = count}).samples;
    const auto first = wave.samples.begin() + start;
    EXPECT_EQ(part, std::vector<float>(first, first + count)) << "from " << start;
  }
  EXPECT_EQ(read_audio(path, {.channel = {}, .start = 49990}).size(), 10);
}

INSTANTIATE_TEST_SUITE_P(Formats, LosslessTest,
                         ::testing::Values(Lossless{"a.wav", SampleFormat::pcm16, 16},
                                           Lossless{"b.wav", SampleFormat::pcm24, 24},
                                           Lossless{"c.wav", SampleFormat::float32, 24},
                                           Lossless{"d.FLAC", SampleFormat::pcm16, 16},
                                           Lossless{"e.flac", SampleFormat::pcm24, 24}));

// A frame borrows from those before it.
TEST(AudioIo, SegmentsOfMp3EqualSlicesOfTheWhole) {
  const TempDir dir;
  const std::filesystem::path path = dir / "a.mp3";
  SF_INFO info{};
  info.samplerate = 16000;
  info.channels = 1;
  info.format = SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III;
  SNDFILE* file = ::sf_open(path.c_str(), SFM_WRITE, &info);
  if (file == nullptr) GTEST_SKIP() << "this libsndfile writes no MP3";
  const auto samples = test::white(48000, 3);
  EXPECT_EQ(::sf_writef_float(file, samples.data(), 48000), 48000);
  ::sf_close(file);
  const auto whole = read_audio(path).samples;
  EXPECT_GE(whole.size(), samples.size());
  for (const int64_t start : {1, 5001, 20000, 30011, 45000}) {
    const auto part = read_audio(path, {.channel = {}, .start = start, .count = 500}).samples;
    EXPECT_TRUE(std::equal(part.begin(), part.end(), whole.begin() + start)) << start;
  }
}

TEST(AudioIo, SaysWhatAnMp3IsThatIsNone) {
  const TempDir dir;
  put_text(dir / "a.mp3", std::string(3000, 'x'));
  EXPECT_THAT(message_of<DataError>([&] { read_audio(dir / "a.mp3"); }),
              ::testing::AllOf(HasSubstr("a.mp3: cannot be read as audio: "),
                               ::testing::Not(HasSubstr("does not exist"))));
}

// Opening a pipe that nobody writes to would wait for ever.
TEST(AudioIo, RefusesPipes) {
  const TempDir dir;
  const std::string pipe = (dir / "a.wav").string();
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(message_of<DataError>([&] { read_audio(pipe); }),
            pipe + ": is a pipe or a device, not an audio file");
}

TEST(AudioIo, ReadsThirtyTwoBitIntegers) {
  TempDir dir;
  const auto samples = exact(16, 1000);
  put_channels(dir / "a.wav", 1, samples, SF_FORMAT_WAV | SF_FORMAT_PCM_32);
  const auto read = read_audio(dir / "a.wav").samples;
  ASSERT_EQ(read.size(), samples.size());
  for (size_t i = 0; i < read.size(); ++i) EXPECT_NEAR(read[i], samples[i], 1e-4F);
}

TEST(AudioIo, OggKeepsLengthRateAndSignal) {
  TempDir dir;
  // Long enough to overflow the stack of an encoder that is given everything at once.
  const Waveform wave{test::sine(600000, 440, 0.5), 16000};
  EXPECT_EQ(write_audio(dir / "a.ogg", wave), 0);
  const Waveform read = read_audio(dir / "a.ogg");
  EXPECT_EQ(read.rate_hz, 16000);
  ASSERT_EQ(read.size(), wave.size());
  double error = 0;
  double power = 0;
  for (size_t i = 0; i < wave.samples.size(); ++i) {
    error += std::pow(read.samples[i] - wave.samples[i], 2);
    power += std::pow(wave.samples[i], 2);
  }
  EXPECT_LT(error / power, 1e-2);
  const auto part =
      read_audio(dir / "a.ogg", {.channel = {}, .start = 300001, .count = 5000}).samples;
  for (size_t i = 0; i < part.size(); ++i) ASSERT_NEAR(part[i], read.samples[300001 + i], 1e-6);
}

TEST(AudioIo, CountsClippedSamplesAndNeverWraps) {
  TempDir dir;
  const Waveform wave{{0.5F, 1.0F, 1.5F, -1.0F, -1.001F, -7.0F}, 16000};
  EXPECT_EQ(write_audio(dir / "a.wav", wave), 4);  // +1 is one step above the largest 16-bit sample
  const float most = 32767.0F / 32768;
  EXPECT_EQ(read_audio(dir / "a.wav").samples, (std::vector<float>{0.5F, most, most, -1, -1, -1}));
  EXPECT_EQ(write_audio(dir / "a.flac", wave, SampleFormat::pcm24), 4);
  EXPECT_EQ(write_audio(dir / "f.wav", wave, SampleFormat::float32), 0);
  EXPECT_EQ(read_audio(dir / "f.wav").samples, wave.samples);
  EXPECT_EQ(write_audio(dir / "a.ogg", wave), 3);
}

TEST(AudioIo, StereoNeedsAChannel) {
  TempDir dir;
  put_channels(dir / "s.wav", 2, {1, -1, 0.5F, -0.5F, 0.25F, -0.25F});
  EXPECT_EQ(audio_info(dir / "s.wav").channels, 2);
  EXPECT_EQ(read_audio(dir / "s.wav", {.channel = 0}).samples,
            (std::vector<float>{1, 0.5F, 0.25F}));
  EXPECT_EQ(read_audio(dir / "s.wav", {.channel = 1, .start = 1, .count = 1}).samples,
            (std::vector<float>{-0.5F}));
  const std::string file = (dir / "s.wav").string();
  EXPECT_EQ(message_of<DataError>([&] { read_audio(dir / "s.wav"); }),
            file +
                ": has 2 channels where one was expected; limbeck-evaluate --channel scores "
                "one of them, or their mean, and limbeck-prepare --audio-out --channel makes "
                "copies of it");
  EXPECT_EQ(message_of<DataError>([&] { read_audio(dir / "s.wav", {.channel = 2}); }),
            file + ": has no channel 2: it has 2, counted from 0");
  put_channels(dir / "t.wav", 3, {1, 0.5F, 0, -1, -1, 0.5F});
  EXPECT_EQ(read_audio(dir / "t.wav", {.channel = channel_choice("mix")}).samples,
            (std::vector<float>{0.5F, -0.5F}));
}

TEST(AudioIo, AChannelIsANumberOrTheMix) {
  EXPECT_EQ(channel_choice("0").index, 0);
  EXPECT_EQ(channel_choice("12").index, 12);
  EXPECT_TRUE(channel_choice("mix").mix);
  for (const std::string text : {"0", "12", "mix"}) EXPECT_EQ(channel_choice(text).text(), text);
  EXPECT_EQ(ChannelChoice().text(), "");
  for (const std::string text : {"", "-1", "1.5", "left", "Mix", "99999999999"}) {
    EXPECT_EQ(message_of<ConfigError>([&] { channel_choice(text); }),
              "'" + text + "' is neither a channel's number, from 0, nor mix");
  }
}

TEST(AudioIo, RefusesSegmentsOutsideTheFile) {
  TempDir dir;
  put_audio(dir / "a.wav", std::vector<float>(100, 0.1F));
  const auto read = [&](int64_t start, int64_t count) {
    return message_of<DataError>(
        [&] { read_audio(dir / "a.wav", {.channel = {}, .start = start, .count = count}); });
  };
  EXPECT_THAT(read(80, 21), HasSubstr("a.wav: has 100 samples; 21 from sample 80 do not exist"));
  EXPECT_THAT(read(100, -1), HasSubstr("those from sample 100 do not exist"));
  EXPECT_THAT(read(-1, 5), HasSubstr("5 from sample -1 do not exist"));
  EXPECT_THAT(read(5, 0), HasSubstr("0 from sample 5 do not exist"));
}

TEST(AudioIo, NamesTheFileAndTheReason) {
  TempDir dir;
  const auto failure = [&](const std::string& name) {
    return message_of<DataError>([&] { read_audio(dir / name); });
  };
  EXPECT_EQ(failure("none.wav"), (dir / "none.wav").string() + ": does not exist");
  EXPECT_EQ(failure(""), (dir / "").string() + ": is a directory, not an audio file");
  put_text(dir / "empty.wav", "");
  EXPECT_THAT(failure("empty.wav"), HasSubstr("empty.wav: is an empty file"));
  put_text(dir / "text.flac", "no audio in here, only words that go on for a while");
  EXPECT_THAT(failure("text.flac"), HasSubstr("text.flac: cannot be read as audio: "));
  put_channels(dir / "nothing.wav", 1, {});
  EXPECT_THAT(failure("nothing.wav"), HasSubstr("nothing.wav: has no samples"));
  put_channels(dir / "nan.wav", 1, {0, 1, std::nanf(""), 0});
  EXPECT_THAT(failure("nan.wav"), HasSubstr("nan.wav: sample 2 is not a finite number (nan)"));
  put_channels(dir / "inf.wav", 1, {0, std::numeric_limits<float>::infinity()});
  EXPECT_THAT(failure("inf.wav"), HasSubstr("inf.wav: sample 1 is not a finite number (inf)"));

  put_audio(dir / "cut.flac", test::white(50000, 1));
  const std::string whole = read_file(dir / "cut.flac");
  put_text(dir / "cut.flac", whole.substr(0, whole.size() / 2));
  EXPECT_THAT(failure("cut.flac"), HasSubstr("cut.flac: ends after "));
  EXPECT_THAT(failure("cut.flac"), HasSubstr(" of its 50000 samples"));
}

// libsndfile does not report that the last of a file could not be written.
TEST(AudioIo, PutsNothingInPlaceOnAFullDisk) {
  TempDir dir;
  const Waveform wave{test::white(20000, 1), 16000};
  for (const char* name : {"a.wav", "a.flac", "a.ogg"}) {
    put_text(dir / name, "old");
    const auto whole = dir / "whole" / name;
    std::filesystem::create_directories(dir / "whole");
    write_audio(whole, wave);
    const auto size = std::filesystem::file_size(whole);
    for (const auto room : {uintmax_t{0}, uintmax_t{100}, size / 2, size - 1}) {
      EXPECT_EQ(message_on_full_disk(room, [&] { write_audio(dir / name, wave); }),
                (dir / name).string() + ": cannot be written: File too large");
    }
    EXPECT_EQ(read_file(dir / name), "old");
  }
  if (::access("/dev/full", W_OK) == 0) {
    std::filesystem::create_symlink("/dev/full", dir / "full.flac");
    EXPECT_EQ(message_of<DataError>([&] { write_audio(dir / "full.flac", wave); }),
              (dir / "full.flac").string() + ": cannot be written: No space left on device");
  }
  std::filesystem::remove_all(dir / "whole");
  EXPECT_LE(std::distance(std::filesystem::directory_iterator(dir.path()), {}), 4);
}

TEST(AudioIo, ReadsFilesInMemoryAsThoseOnDisk) {
  TempDir dir;
  for (const char* name : {"a.wav", "a.flac", "a.ogg"}) {
    put_audio(dir / name, test::white(40000, 2), 22050);
    const std::string bytes = read_file(dir / name);
    const Waveform file = read_audio(dir / name);
    const Waveform memory = read_audio_bytes(bytes, name);
    EXPECT_EQ(memory.samples, file.samples) << name;
    EXPECT_EQ(memory.rate_hz, 22050);
    const ReadOptions part{.channel = {}, .start = 20001, .count = 77};
    EXPECT_EQ(read_audio_bytes(bytes, name, part).samples, read_audio(dir / name, part).samples);
  }
  const auto failure = [&](const std::string& bytes) {
    return message_of<DataError>([&] { read_audio_bytes(bytes, "x.zip/y.wav"); });
  };
  EXPECT_EQ(failure(""), "x.zip/y.wav: is an empty file");
  EXPECT_THAT(failure("only words"), HasSubstr("x.zip/y.wav: cannot be read as audio: "));
  const std::string flac = read_file(dir / "a.flac");
  EXPECT_THAT(failure(flac.substr(0, flac.size() / 2)), HasSubstr(" of its 40000 samples"));
}

TEST(AudioIo, EncodesInMemoryWhatItWritesToADisk) {
  const TempDir dir;
  const Waveform waveform{test::sine(800, 440, 0.5), 16000};
  for (const SampleFormat depth : {SampleFormat::pcm16, SampleFormat::float32}) {
    write_audio(dir / "a.wav", waveform, depth);
    EXPECT_EQ(wav_bytes(waveform, depth), read_file(dir / "a.wav"));
  }
  EXPECT_THROW(wav_bytes({{}, 16000}), DataError);
}

TEST(AudioIo, RefusesToWriteWhatCannotBeStored) {
  TempDir dir;
  const Waveform good{{0, 0.1F}, 16000};
  const auto write = [&](const std::string& name, const Waveform& wave, SampleFormat format) {
    return [=, &dir] { write_audio(dir / name, wave, format); };
  };
  const auto pcm16 = SampleFormat::pcm16;
  EXPECT_THAT(message_of<ConfigError>(write("a.mp3", good, pcm16)),
              HasSubstr("a.mp3: the extension must be .wav, .flac or .ogg"));
  EXPECT_THAT(message_of<ConfigError>(write("a.flac", good, SampleFormat::float32)),
              HasSubstr("a.flac: FLAC stores no float samples"));
  EXPECT_THAT(message_of<DataError>(write("a.wav", {{}, 16000}, pcm16)),
              HasSubstr("there are no samples"));
  EXPECT_THAT(message_of<DataError>(write("a.wav", {{0, std::nanf("")}, 16000}, pcm16)),
              HasSubstr("sample 1 is not a finite number (nan)"));
  EXPECT_THAT(message_of<DataError>(write("a.wav", {{0.1F}, 0}, pcm16)),
              HasSubstr("cannot be written"));
  EXPECT_THAT(message_of<DataError>(write("no/such/folder/a.wav", good, pcm16)),
              HasSubstr("a.wav: cannot be written: "));
  EXPECT_TRUE(std::filesystem::is_empty(dir.path()));
  EXPECT_THAT(message_of<ConfigError>([] { sample_format("pcm8"); }),
              HasSubstr("unknown sample format 'pcm8'; known: pcm16, pcm24, float32"));
  EXPECT_EQ(sample_format("pcm24"), SampleFormat::pcm24);
}

TEST(AudioIo, ReadsRealRecordings) {
  LIMBECK_NEED_SHARED_DATA(data);
  const Waveform wave = read_audio(data / "vbd_test" / "clean" / "p232_001.flac");
  EXPECT_EQ(wave.rate_hz, 16000);
  EXPECT_EQ(wave.size(), audio_info(data / "vbd_test" / "noisy" / "p232_001.flac").samples);
  TempDir dir;
  write_audio(dir / "copy.flac", wave);
  EXPECT_EQ(read_audio(dir / "copy.flac").samples, wave.samples);
}

// libsndfile keeps the reason in a global.
TEST(AudioIo, SaysWhyAFileCannotBeReadWhateverOtherThreadsOpen) {
  TempDir dir;
  put_text(dir / "text.flac", "no audio");
  put_audio(dir / "good.wav", std::vector<float>(100, 0.5F));
  const auto message = [&] {
    return message_of<DataError>([&] { audio_info(dir / "text.flac"); });
  };
  const std::string alone = message();
  std::atomic<int> others = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        audio_info(dir / "good.wav");
        if (message() != alone) ++others;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(others, 0);
}

}  // namespace
}  // namespace limbeck
