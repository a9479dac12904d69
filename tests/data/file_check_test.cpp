#include "limbeck/data/file_check.h"

#include <gmock/gmock.h>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "made_corpus.h"
#include "made_options.h"

namespace limbeck {
namespace {

using test::MadeCorpus;
using test::message_of;
using test::put_entry;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

void write(std::vector<ManifestEntry> entries, const std::filesystem::path& file) {
  Manifest manifest;
  manifest.entries = std::move(entries);
  manifest.write(file);
}

TEST(RequireFiles, NamesWhatIsMissingOrNotAsListed) {
  MadeCorpus corpus;
  Logger logger(Verbosity::quiet);
  std::vector<NamedFile> files;
  add_files(corpus.speech, files);
  add_files(corpus.noise, files);
  add_files(corpus.noise, files);  // named by two splits
  require_files(files, logger);
  std::filesystem::remove(corpus.dir / "speech1.flac");
  test::put_text(corpus.dir / "speech2.flac", "no audio");
  std::filesystem::create_symlink("nowhere", corpus.dir / "link.flac");
  files.push_back({corpus.dir / "link.flac"});
  files.push_back({corpus.dir / "noise0.wav", 7});
  files.push_back({corpus.dir / "speech0.flac", 0, 8000});
  std::swap(files.front(), files.back());  // the first that names a file says what it should be
  const std::string message = message_of<DataError>([&] { require_files(files, logger); });
  EXPECT_THAT(message, HasSubstr("4 of 9 files cannot be used:"));
  EXPECT_THAT(message, HasSubstr((corpus.dir / "speech1.flac").string() + ": does not exist"));
  EXPECT_THAT(message, HasSubstr((corpus.dir / "link.flac").string() + ": does not exist"));
  EXPECT_THAT(message, HasSubstr("speech2.flac: cannot be read as audio"));
  EXPECT_THAT(message, HasSubstr("speech0.flac: has 16000 Hz where 8000 Hz are listed"));
  EXPECT_THAT(message, Not(HasSubstr("noise0.wav")));
  EXPECT_THAT(
      message_of<DataError>([&] { require_files({{corpus.dir / "noise0.wav", 7}}, logger); }),
      HasSubstr("noise0.wav: has 9000 samples where 7 are listed"));
}

TEST(RequireFiles, OfSeveralChannelsNeedAChoice) {
  const test::TempDir dir;
  Logger logger(Verbosity::quiet);
  test::put_stereo(dir / "both.wav", test::white(100, 1), test::white(100, 2));
  const auto require = [&](const ChannelChoice& channel) {
    require_files({{dir / "both.wav", 100, 16000, channel}}, logger);
  };
  EXPECT_THAT(message_of<DataError>([&] { require({}); }),
              HasSubstr("both.wav: has 2 channels where one was expected; "));
  EXPECT_THAT(message_of<DataError>([&] { require(2); }), HasSubstr("both.wav: has no channel 2"));
  require(1);
  require(channel_choice("mix"));
}

TEST(FilesOf, AreThoseOfTrainingAndValidation) {
  MadeCorpus corpus;
  corpus.add_responses();
  corpus.speech[0].split = Split::valid;
  corpus.speech[1].split = Split::test;
  corpus.noise[0].split = Split::valid;
  corpus.responses[2].split = Split::test;
  write(corpus.speech, corpus.dir / "speech.csv");
  write(corpus.noise, corpus.dir / "noise.csv");
  write(corpus.responses, corpus.dir / "rooms.csv");
  const DataOptions dry = test::mixtures_of(corpus.dir.path());
  EXPECT_THAT(files_of(dry, select_data(dry)), SizeIs(4 + 3));
  const DataOptions options = test::mixtures_of(
      corpus.dir.path(), "reverb: {responses: " + (corpus.dir / "rooms.csv").string() + "}");
  EXPECT_THAT(files_of(options, select_data(options)), SizeIs(4 + 3 + 2));
}

TEST(RequireSound, RefusesASplitWithoutSpeechOrNoise) {
  MadeCorpus corpus;
  DataSelection data;
  data.source = "set";
  data.train.speech = corpus.speech;
  data.train.noise = corpus.noise;
  require_sound(data, Split::train);
  require_sound(data, Split::valid);  // nothing is listed: not this function's business
  const ManifestEntry silence =
      put_entry(corpus.dir / "silence.wav", std::vector<float>(30000, 0.0F));
  const ManifestEntry constant =
      put_entry(corpus.dir / "constant.wav", std::vector<float>(30000, 0.25F));
  data.train.noise = {silence, constant};
  EXPECT_EQ(message_of<DataError>([&] { require_sound(data, Split::train); }),
            "set: in all 2 entries of noise in split train nothing is to be heard");
  data.train.noise.push_back(corpus.noise[0]);
  require_sound(data, Split::train);
  data.valid.speech = {constant};
  EXPECT_EQ(message_of<DataError>([&] { require_sound(data, Split::valid); }),
            "set: in all 1 entries of speech in split valid nothing is to be heard");
}

TEST(RequireSound, RefusesPairsWithoutSpeechOrNoise) {
  MadeCorpus corpus;
  DataSelection data;
  data.source = "set";
  ManifestEntry alike = corpus.speech[0];
  alike.noisy = alike.audio;
  ManifestEntry no_speech = put_entry(corpus.dir / "silence.wav", std::vector<float>(30000, 0.0F));
  no_speech.noisy = corpus.noise[0].audio;
  data.train.pairs = {alike, no_speech};
  EXPECT_EQ(message_of<DataError>([&] { require_sound(data, Split::train); }),
            "set: in all 2 entries of pairs in split train the clean side is silent, or the noisy "
            "side is the same");
  data.train.pairs.push_back(alike);
  data.train.pairs.back().noisy = corpus.speech[1].audio;
  require_sound(data, Split::train);
  // What cannot be read is found by whoever needs it.
  std::filesystem::remove(corpus.dir / "speech0.flac");
  data.train.pairs = {data.train.pairs.back()};
  require_sound(data, Split::train);
}

}  // namespace
}  // namespace limbeck
