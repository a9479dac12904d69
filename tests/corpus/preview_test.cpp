#include "limbeck/corpus/preview.h"

#include <gmock/gmock.h>

#include <regex>

#include "core/interrupted.h"
#include "data/made_corpus.h"
#include "data/made_options.h"
#include "limbeck/core/error.h"
#include "limbeck/data/loader.h"

namespace limbeck {
namespace {

using test::MadeCorpus;
using ::testing::HasSubstr;
using ::testing::Not;

/// Nobody is told of what is written.
class Preview : public testing::Test {
 protected:
  Logger quiet{Verbosity::quiet};
};

/// Manifests of a made corpus, whose first speech has a name that HTML would take amiss.
struct Manifests : MadeCorpus {
  DataOptions options;

  Manifests() {
    add_responses();
    Manifest manifest;
    manifest.entries = speech;
    manifest.entries[0].id = "a<b>&\"c\"";
    manifest.write(dir / "speech.csv");
    manifest.entries = noise;
    manifest.write(dir / "noise.csv");
    manifest.entries = responses;
    manifest.write(dir / "rooms.csv");
    options =
        test::mixtures_of(dir.path(), "reverb: {responses: " + (dir / "rooms.csv").string() + "}");
    options.segment_seconds = 1.5;  // of the five, two are shorter
    options.augment = {1, 0.5, 0.3};
  }
};

TEST_F(Preview, WritesWhatTheTrainerGets) {
  const Manifests made;
  const PreviewOptions options{7, 3, 5, made.dir / "out"};
  write_preview(made.options, options, quiet);
  const auto dataset = make_train_dataset(made.options);
  Loader loader(*dataset, loader_options(made.options, 3, nullptr), SeedKey(5));
  int64_t n = 0;
  for (int b = 0; b < 3; ++b) {
    const Batch batch = loader.next();
    for (int64_t i = 0; i < 3 && n < 7; ++i) {
      const std::string number = "0" + std::to_string(++n);
      for (const auto& [side, samples] :
           {std::pair("noisy", &batch.noisy), std::pair("clean", &batch.clean)}) {
        const Waveform wave = read_audio(options.out / (number + "_" + side + ".wav"));
        EXPECT_EQ(wave.rate_hz, 16000);
        const auto first = samples->begin() + i * batch.samples;
        EXPECT_EQ(wave.samples, std::vector<float>(first, first + batch.samples));
        EXPECT_GT(std::filesystem::file_size(options.out / (number + "_" + side + ".png")), 1000U);
      }
    }
  }
  EXPECT_FALSE(std::filesystem::exists(options.out / "08_noisy.wav"));
}

TEST_F(Preview, PageSaysWhatItShowsAndLoadsNothingElse) {
  const Manifests made;
  write_preview(made.options, {7, 3, 5, made.dir / "out"}, quiet);
  const std::string html = read_file(made.dir / "out" / "index.html");
  for (const char* text : {"The first 7 training examples", "5 items for training",
                           "1.5 s at 16000 Hz", "-100 dB", "-20 dB", "src=\"07_clean.png\"",
                           "src=\"07_noisy.wav\"", "SNR", "room", "with the noise of",
                           "band removed", "masked in the loss", "a&lt;b&gt;&amp;&quot;c&quot;"}) {
    EXPECT_THAT(html, HasSubstr(text));
  }
  EXPECT_THAT(html, Not(HasSubstr("a<b>")));
  EXPECT_THAT(html,
              Not(HasSubstr("//")));  // no address, and no comment that would be minified away
  // Every file that the page names lies beside it.
  const std::regex source("(src|href)=\"([^\"]*)\"");
  int named = 0;
  for (auto it = std::sregex_iterator(html.begin(), html.end(), source);
       it != std::sregex_iterator(); ++it, ++named) {
    EXPECT_TRUE(std::filesystem::exists(made.dir / "out" / (*it)[2].str())) << (*it)[2];
  }
  EXPECT_EQ(named, 7 * 4);
}

TEST_F(Preview, ShowsHowFarItIs) {
  const Manifests made;
  testing::internal::CaptureStderr();
  Logger logger;
  write_preview(made.options, {2, 8, 1, made.dir / "out"}, logger);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("drawing 2/2"));
}

TEST_F(Preview, StopsWhereItIsInterrupted) {
  const Manifests made;
  EXPECT_EQ(test::exit_when_interrupted(
                [&] { write_preview(made.options, {2, 8, 1, made.dir / "out"}, quiet); }),
            130);
  EXPECT_FALSE(std::filesystem::exists(made.dir / "out/index.html"));
}

TEST_F(Preview, TellsOfPairs) {
  const Manifests made;
  Manifest manifest = Manifest::read(made.dir / "speech.csv");
  manifest.kind = Manifest::Kind::pairs;
  for (auto& entry : manifest.entries) {
    auto noisy = read_audio(entry.audio.path).samples;
    for (float& x : noisy) x /= 2;
    entry.noisy = test::put_entry(made.dir / ("noisy/" + entry.id + ".wav"), noisy).audio;
  }
  manifest.write(made.dir / "pairs.csv");
  DataOptions options = test::data_options(
      "source: {type: pairs, manifest: " + (made.dir / "pairs.csv").string() + "}");
  options.segment_seconds = 0.5;
  write_preview(options, {2, 8, 1, made.dir / "out"}, quiet);
  const std::string html = read_file(made.dir / "out" / "index.html");
  EXPECT_THAT(html, HasSubstr("<dt>pair</dt>"));
  EXPECT_THAT(html, Not(HasSubstr("<dt>noise</dt>")));
}

}  // namespace
}  // namespace limbeck
