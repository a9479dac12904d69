// Real pipes with SoX and ffmpeg.
#include <gmock/gmock.h>
#include <sndfile.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "../data/support.h"
#include "limbeck/audio/stream_reader.h"
#include "limbeck/audio/stream_writer.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"

namespace limbeck {
namespace {

using test::TempDir;

std::vector<float> read_all(StreamReader& reader) {
  std::vector<float> samples;
  for (;;) {
    const std::vector<float> more = reader.read(1000);
    if (more.empty()) return samples;
    samples.insert(samples.end(), more.begin(), more.end());
  }
}

bool has_program(const std::string& name) {
  return std::system(("command -v " + name + " > /dev/null 2>&1").c_str()) == 0;
}

/// What a shell command writes, as a pipe.
std::vector<float> samples_from(const std::string& command) {
  FILE* pipe = ::popen(command.c_str(), "r");
  const auto reader = StreamReader::open_pipe(::fileno(pipe), "-", nullptr);
  std::vector<float> samples = read_all(*reader);
  EXPECT_EQ(::pclose(pipe), 0) << command;
  return samples;
}

void samples_into(const std::string& command, const StreamInfo& info,
                  const std::vector<float>& samples) {
  FILE* pipe = ::popen(command.c_str(), "w");
  const auto writer = StreamWriter::create_pipe(::fileno(pipe), "-", info, nullptr);
  writer->write(samples);
  writer->finish();
  EXPECT_EQ(::pclose(pipe), 0) << command;
}

std::vector<float> rounded(std::vector<float> samples, int bits) {
  for (float& x : samples) x = std::ldexp(std::round(std::ldexp(x, bits - 1)), 1 - bits);
  return samples;
}

struct Program {
  const char* name;
  const char* from_file;  ///< writes in.wav into a pipe, encoded as stands for "@"
  const char* to_file;    ///< writes what comes from a pipe into out.wav
  std::vector<std::pair<const char*, int>> encodings;  ///< its names, libsndfile's
};

// Without a frame that counts them libsndfile guesses from the first.
TEST(StreamProgram, LeavesMp3WithoutALengthThatIsFoundOrRefused) {
  if (!has_program("ffmpeg")) GTEST_SKIP() << "no ffmpeg is installed";
  const TempDir dir;
  test::put_audio(dir / "in.wav", test::sine(48'000, 440, 0.5));
  const auto encode = [&](const std::string& how) {
    const std::string command =
        "cd " + dir.path().string() + " && ffmpeg -v error -i in.wav " + how + " -f mp3 - > x.mp3";
    return std::system(command.c_str()) == 0;
  };
  if (!encode("-b:a 64k")) GTEST_SKIP() << "this ffmpeg writes no MP3";
  const auto reader = StreamReader::open(dir / "x.mp3");
  EXPECT_GE(reader->info().frames, 48'000);
  EXPECT_EQ(static_cast<int64_t>(read_all(*reader).size()), reader->info().frames);
  ASSERT_TRUE(encode("-q:a 5"));
  EXPECT_THAT(test::message_of<DataError>([&] { read_audio(dir / "x.mp3"); }),
              testing::HasSubstr("varying bit rates without a header"));
}

class ProgramTest : public ::testing::TestWithParam<Program> {};

// An encoder into a pipe cannot go back to the header.
TEST(StreamProgram, LeavesFlacThatSaysItsLengthInItsLastFrame) {
  if (!has_program("ffmpeg")) GTEST_SKIP() << "no ffmpeg is installed";
  const TempDir dir;
  test::put_audio(dir / "in.wav", test::white(50'001, 1));
  const Waveform wave = read_audio(dir / "in.wav");
  const std::string command = "ffmpeg -v error -i in.wav -f flac - > x.flac";
  ASSERT_EQ(std::system(format("cd %s && %s", dir.path(), command).c_str()), 0);
  EXPECT_EQ(read_file(dir / "x.flac").substr(22, 4), std::string(4, '\0'));
  EXPECT_EQ(audio_info(dir / "x.flac").samples, wave.size());
  EXPECT_EQ(read_audio(dir / "x.flac").samples, wave.samples);
  EXPECT_EQ(StreamReader::open(dir / "x.flac")->info().frames, wave.size());
}

TEST_P(ProgramTest, UnderstandsAndIsUnderstood) {
  const Program& program = GetParam();
  if (!has_program(program.name)) GTEST_SKIP() << "no " << program.name << " is installed";
  const TempDir dir;
  const std::string in_folder = "cd " + dir.path().string() + " && ";
  int channels = 0;
  for (const auto& [name, encoding] : program.encodings) {
    channels = channels % 3 + 1;
    SCOPED_TRACE(format("%s, %d channels", name, channels));
    const std::vector<float> samples = rounded(test::white(20001 * channels, 1), 8);
    const auto writer = StreamWriter::create(
        dir / "in.wav", {16000, channels, 20001, SF_FORMAT_WAV, SF_FORMAT_PCM_24});
    writer->write(samples);
    writer->finish();
    std::string command = program.from_file;
    command.replace(command.find('@'), 1, name);
    std::vector<float> got = samples_from(in_folder + command);
    // A byte that fills up cannot be told from a sample of one byte.
    if (got.size() == samples.size() + 1) got.pop_back();
    EXPECT_EQ(got, samples);

    samples_into(in_folder + program.to_file, {16000, channels, -1, SF_FORMAT_WAV, encoding},
                 samples);
    const auto reader = StreamReader::open(dir / "out.wav");
    EXPECT_EQ(reader->info().rate_hz, 16000);
    EXPECT_EQ(reader->info().channels, channels);
    EXPECT_EQ(read_all(*reader), samples);
  }
}

INSTANTIATE_TEST_SUITE_P(Programs, ProgramTest,
                         ::testing::Values(Program{"sox",
                                                   "sox -D in.wav @ -t wav - 2> /dev/null",
                                                   "sox -D - -b 24 -e signed out.wav 2> /dev/null",
                                                   {{"-b 8 -e unsigned", SF_FORMAT_PCM_U8},
                                                    {"-b 16", SF_FORMAT_PCM_16},
                                                    {"-b 24", SF_FORMAT_PCM_24},
                                                    {"-b 32", SF_FORMAT_PCM_32},
                                                    {"-b 32 -e float", SF_FORMAT_FLOAT},
                                                    {"-b 64 -e float", SF_FORMAT_DOUBLE}}},
                                           Program{"ffmpeg",
                                                   "ffmpeg -v error -i in.wav -c:a @ -f wav -",
                                                   "ffmpeg -v error -y -i - -c:a pcm_s24le out.wav",
                                                   {{"pcm_u8", SF_FORMAT_PCM_U8},
                                                    {"pcm_s16le", SF_FORMAT_PCM_16},
                                                    {"pcm_s24le", SF_FORMAT_PCM_24},
                                                    {"pcm_s32le", SF_FORMAT_PCM_32},
                                                    {"pcm_f32le", SF_FORMAT_FLOAT},
                                                    {"pcm_f64le", SF_FORMAT_DOUBLE}}}),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace limbeck
