#include "limbeck/enhance/files.h"

#include <gmock/gmock.h>

#include <fstream>

#include "core/failing_folder.h"
#include "core/scratch.h"
#include "enhance/pipe.h"
#include "enhance/support.h"
#include "limbeck/nn/model_file.h"
#include "nn/support.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;
using test::error_of;
using test::put_audio;
using test::Scratch;
using testing::HasSubstr;
using testing::Not;

class EnhanceFilesTest : public testing::Test {
 protected:
  EnhanceFilesTest() { nn::write_model(scratch_ / "model.safetensors", *test::make_model()); }

  void put_recordings() {
    put_audio(scratch_ / "in/short.wav", test::white(1, 1));
    put_audio(scratch_ / "in/wide.flac", test::white(44101, 2), 44100);
    put_audio(scratch_ / "in/sub/long.wav", test::white(40007, 3), 16000, SampleFormat::float32);
    put_audio(scratch_ / "in/sub/narrow.wav", test::white(4000, 4), 8000, SampleFormat::pcm24);
  }
  EnhanceConfig config(const std::string& out) const {
    EnhanceConfig config;
    config.model = scratch_ / "model.safetensors";
    config.inputs = {scratch_ / "in"};
    config.out = scratch_ / out;
    config.device = "cpu";
    return config;
  }
  ExitCode run(const EnhanceConfig& config) { return run_enhancement(config, logger_); }
  std::string refusal(const EnhanceConfig& config) {
    return error_of<ConfigError>([&] { run(config); });
  }

  Scratch scratch_;
  Logger logger_{Verbosity::quiet};
};

TEST_F(EnhanceFilesTest, KeepLengthRateAndPlaceAndDoNotDependOnJobs) {
  put_recordings();
  EnhanceConfig one = config("one");
  one.jobs = 1;
  EnhanceConfig three = config("three");
  three.jobs = 3;
  EXPECT_EQ(run(one), ExitCode::ok);
  EXPECT_EQ(run(three), ExitCode::ok);
  for (const char* name : {"short.wav", "wide.flac", "sub/long.wav", "sub/narrow.wav"}) {
    const AudioInfo before = audio_info(scratch_ / "in" / name);
    const AudioInfo after = audio_info(scratch_ / "one" / name);
    EXPECT_EQ(after.samples, before.samples) << name;
    EXPECT_EQ(after.rate_hz, before.rate_hz) << name;
    EXPECT_EQ(hash_file(scratch_ / "one" / name), hash_file(scratch_ / "three" / name)) << name;
  }
  EXPECT_NE(read_audio(scratch_ / "one/sub/long.wav").samples,
            read_audio(scratch_ / "in/sub/long.wav").samples);
}

TEST_F(EnhanceFilesTest, ThatAreBadDoNotStopTheOthers) {
  put_recordings();
  scratch_.put("in/garbage.wav", "garbage");
  // Its header is sound, its last sample is no number.
  put_audio(scratch_ / "in/nan.wav", test::white(1000, 6), 16000, SampleFormat::float32);
  std::fstream(scratch_ / "in/nan.wav", std::ios::in | std::ios::out | std::ios::binary)
          .seekp(-4, std::ios::end)
      << std::string("\0\0\xc0\x7f", 4);
  EXPECT_EQ(run(config("out")), ExitCode::some_failed);
  EXPECT_TRUE(fs::exists(scratch_ / "out/sub/long.wav"));
  EXPECT_FALSE(fs::exists(scratch_ / "out/nan.wav"));
  EXPECT_FALSE(fs::exists(scratch_ / "out/garbage.wav"));

  // Neither what is seen to be bad at once nor what turns out to be leaves a folder.
  for (const char* name : {"garbage.wav", "nan.wav"}) {
    EnhanceConfig bad = config("none/sub");
    bad.inputs = {scratch_ / "in" / name};
    EXPECT_EQ(run(bad), ExitCode::data);
    EXPECT_FALSE(fs::exists(scratch_ / "none"));
  }
}

TEST_F(EnhanceFilesTest, WhoseResultIsNoSoundDoNotStopTheOthers) {
  nn::write_model(scratch_ / "model.safetensors", *test::model_with_mask(1e35));
  put_audio(scratch_ / "in/a.wav", test::white(16000, 1, 1e-3), 16000, SampleFormat::float32);
  put_audio(scratch_ / "in/loud.wav", test::white(20000, 2, 1e5), 16000, SampleFormat::float32);
  put_audio(scratch_ / "in/z.wav", test::white(16000, 3, 1e-3), 16000, SampleFormat::float32);
  EnhanceConfig one = config("out");
  one.jobs = 1;
  EXPECT_EQ(run(one), ExitCode::some_failed);
  EXPECT_EQ(audio_info(scratch_ / "out/a.wav").samples, 16000);
  EXPECT_EQ(audio_info(scratch_ / "out/z.wav").samples, 16000);
  EXPECT_FALSE(fs::exists(scratch_ / "out/loud.wav"));
}

TEST_F(EnhanceFilesTest, AreDoneWhereTheyAreMissing) {
  put_recordings();
  EXPECT_EQ(run(config("out")), ExitCode::ok);
  EXPECT_THAT(refusal(config("out")), HasSubstr("4 of 4 results exist"));
  fs::remove(scratch_ / "out/wide.flac");
  const auto before = fs::last_write_time(scratch_ / "out/short.wav");
  EnhanceConfig rest = config("out");
  rest.skip_existing = true;
  EXPECT_EQ(run(rest), ExitCode::ok);
  EXPECT_TRUE(fs::exists(scratch_ / "out/wide.flac"));
  EXPECT_EQ(fs::last_write_time(scratch_ / "out/short.wav"), before);
  // Nothing left to do is no failure.
  EXPECT_EQ(run(rest), ExitCode::ok);
}

TEST_F(EnhanceFilesTest, LeaveNothingBehindOnAFullDisk) {
  put_recordings();
  put_audio(scratch_ / "in/longest.wav", test::white(100000, 5));
  EnhanceConfig one = config("out");
  one.jobs = 1;
  {
    const test::FullDisk full(150000);
    EXPECT_THAT(error_of<DataError>([&] { run(one); }),
                HasSubstr("longest.wav: cannot be written: File too large"));
  }
  EXPECT_FALSE(fs::exists(scratch_ / "out"));
}

TEST_F(EnhanceFilesTest, SayWhatDoesTheRest) {
  put_audio(scratch_ / "in/long.wav", test::white(100000, 5));
  const auto said = [&](const EnhanceConfig& config) {
    testing::internal::CaptureStderr();
    const test::FullDisk full(100000);
    error_of<DataError>([&] { run(config); });
    return testing::internal::GetCapturedStderr();
  };
  EnhanceConfig once = config("out");
  EXPECT_THAT(said(once), HasSubstr("--skip-existing does the rest"));
  once.force = true;
  const std::string forced = said(once);
  EXPECT_THAT(forced, HasSubstr("the same command does all again"));
  EXPECT_THAT(forced, Not(HasSubstr("--skip-existing")));
}

TEST_F(EnhanceFilesTest, AreReplacedWithForceAlone) {
  put_audio(scratch_ / "in/a.wav", test::white(1600, 1));
  scratch_.put("out/a.wav", "something else");
  EnhanceConfig forced = config("out");
  forced.force = true;
  EXPECT_EQ(run(forced), ExitCode::ok);
  EXPECT_EQ(audio_info(scratch_ / "out/a.wav").samples, 1600);
  const fs::directory_iterator left(scratch_ / "out");
  EXPECT_EQ(std::distance(begin(left), end(left)), 1);
}

TEST_F(EnhanceFilesTest, RefuseWhatDoesNotGoTogether) {
  EnhanceConfig none = config("out");
  none.out = "";
  EXPECT_THAT(refusal(none), HasSubstr("--out is required"));
  EnhanceConfig piped = config("out");
  piped.inputs = {"-"};
  EXPECT_THAT(refusal(piped), HasSubstr("standard input stands alone"));
  EnhanceConfig raw = config("out");
  raw.raw = "16000,1,s16";
  EXPECT_THAT(refusal(raw), HasSubstr("--raw says what standard input is"));
  fs::create_directory(scratch_ / "in");
  EnhanceConfig folder = config("out");
  folder.out = "-";
  EXPECT_THAT(refusal(folder), HasSubstr("takes one recording"));
  EnhanceConfig both = config("out");
  both.force = both.skip_existing = true;
  EXPECT_THAT(refusal(both), HasSubstr("--force and --skip-existing"));

  EnhanceConfig stream = config("-");
  stream.out = "-";
  stream.inputs = {scratch_ / "in/a.wav"};
  EnhanceConfig many = stream, forced = stream, skipping = stream;
  many.jobs = 2;
  EXPECT_THAT(refusal(many), HasSubstr("--jobs"));
  forced.force = true;
  EXPECT_THAT(refusal(forced), HasSubstr("are for files"));
  skipping.skip_existing = true;
  EXPECT_THAT(refusal(skipping), HasSubstr("are for files"));
}

TEST(RawFormatText, IsRateChannelsAndSamples) {
  const RawFormat raw = raw_format("48000,2,f32");
  EXPECT_EQ(raw.rate_hz, 48000);
  EXPECT_EQ(raw.channels, 2);
  EXPECT_EQ(raw.samples, "f32");
  for (const char* text : {"", "16000", "16000,1", "16000,1,", "0,1,s16", "16000,-1,s16",
                           "16k,1,s16", "16000, 1,s16"}) {
    EXPECT_THAT(error_of<ConfigError>([&] { raw_format(text); }),
                HasSubstr("is not RATE,CHANNELS,FORMAT"))
        << text;
  }
}

}  // namespace
}  // namespace limbeck
