#include "limbeck/corpus/fixed_mixtures.h"

#include <gmock/gmock.h>

#include <map>
#include <set>

#include "data/made_corpus.h"
#include "data/pair_dataset.h"
#include "limbeck/core/error.h"
#include "limbeck/data/validation.h"

namespace limbeck {
namespace {

using test::MadeCorpus;
using test::message_of;
using ::testing::HasSubstr;

struct RoomCorpus : MadeCorpus {
  RoomCorpus() { add_responses(); }

  MixtureOptions options() const {
    MixtureOptions mixture;
    mixture.reverb.probability = 0.5;
    return mixture;
  }

  std::vector<Recipe> recipes(int64_t count, int64_t threads = 0) const {
    return draw_recipes(mixtures(0, options()), count, 3, threads, quiet);
  }

  mutable Logger quiet{Verbosity::quiet};
};

TEST(DrawRecipes, GivesWhatValidationSees) {
  const RoomCorpus corpus;
  const auto recipes = corpus.recipes(12);
  const ValidationSet set(std::make_unique<MixtureDataset>(corpus.sources(), 0, ShortItems::repeat,
                                                           corpus.options(), corpus.store),
                          12, 3, 1);
  std::multiset<std::string> drawn;
  std::multiset<std::string> seen;
  for (const Recipe& recipe : recipes) drawn.insert(recipe.noisy_hash + recipe.clean_hash);
  for (int64_t n = 0; n < set.batches(); ++n) {
    const Batch batch = set.batch(n);
    seen.insert(hash_audio(batch.noisy) + hash_audio(batch.clean));
  }
  EXPECT_EQ(drawn, seen);
  EXPECT_EQ(std::set(drawn.begin(), drawn.end()).size(), 12U);
}

TEST(DrawRecipes, NumbersMixturesOfOneRecording) {
  RoomCorpus corpus;
  corpus.speech.resize(2);
  corpus.speech[1].id = "speech0-2";  // a name that a number would make as well
  std::multiset<std::string> ids;
  for (const Recipe& recipe : corpus.recipes(5)) ids.insert(recipe.id);
  EXPECT_EQ(ids.size(), 5U);
  EXPECT_EQ(std::set(ids.begin(), ids.end()).size(), 5U);
  EXPECT_EQ(ids.count("speech0"), 1U);
  EXPECT_EQ(ids.count("speech0-2"), 1U);
}

TEST(DrawRecipes, IsTheSameForAnyThreads) {
  const RoomCorpus corpus;
  write_recipes(corpus.dir / "one.csv", corpus.recipes(20, 1));
  write_recipes(corpus.dir / "four.csv", corpus.recipes(20, 4));
  EXPECT_EQ(read_file(corpus.dir / "one.csv"), read_file(corpus.dir / "four.csv"));
}

TEST(DrawRecipes, RefusesPairs) {
  const RoomCorpus corpus;
  auto pairs = corpus.speech;
  for (auto& entry : pairs) entry.noisy = entry.audio;
  const PairDataset dataset(pairs, 0, ShortItems::pad, corpus.store);
  EXPECT_THAT(message_of<DataError>([&] { draw_recipes(dataset, 1, 3, 1, corpus.quiet); }),
              HasSubstr("is a recorded pair"));
}

TEST(RenderRecipes, WritesPairsAndTheirManifest) {
  RoomCorpus corpus;
  for (auto& entry : corpus.noise) entry.speaker = "kind of " + entry.id;
  for (auto& entry : corpus.speech) entry.id = "folder/" + entry.id;
  const auto recipes = corpus.recipes(8);
  const RenderOptions options{Split::test, corpus.dir / "out", 2};
  const Manifest written =
      render_recipes(recipes, corpus.sources(), 16000, "set.csv", options, corpus.quiet);
  const Manifest manifest = Manifest::read(corpus.dir / "out" / "pairs.csv");
  EXPECT_EQ(manifest.content_hash(), written.content_hash());
  EXPECT_EQ(manifest.extra_columns, (std::vector<std::string>{"noise", "snr_db", "room"}));
  ASSERT_EQ(manifest.entries.size(), 8U);
  const auto dataset = make_recipe_dataset(recipes, corpus.sources(), 16000, "set.csv");
  for (size_t i = 0; i < 8; ++i) {
    const ManifestEntry& entry = manifest.entries[i];
    EXPECT_EQ(entry.id, recipes[i].id);
    EXPECT_EQ(entry.split, Split::test);
    EXPECT_THAT(entry.speaker, testing::AnyOf("even", "odd"));
    EXPECT_EQ(entry.extra[0], "kind of " + recipes[i].noise[0].id);
    EXPECT_EQ(std::stod(entry.extra[1]), recipes[i].snr_db);
    EXPECT_EQ(entry.extra[2], recipes[i].response);
    const Example example = dataset->get(static_cast<int64_t>(i), SeedKey(0));
    for (const auto& [file, samples] :
         {std::pair(&entry.audio, &example.clean), std::pair(&entry.noisy, &example.noisy)}) {
      const auto read = read_audio(file->path).samples;
      EXPECT_EQ(hash_audio(read), file->hash);
      ASSERT_EQ(read.size(), samples->size());
      for (size_t k = 0; k < read.size(); ++k) {
        ASSERT_NEAR(read[k], (*samples)[k], 0.5000001 / 32768);
      }
    }
  }
  // Again, elsewhere: the same bytes.
  const RenderOptions again{Split::test, corpus.dir / "again", 1};
  render_recipes(recipes, corpus.sources(), 16000, "set.csv", again, corpus.quiet);
  for (const char* file : {"pairs.csv", "noisy/folder/speech1.flac", "clean/folder/speech4.flac"}) {
    EXPECT_EQ(hash_file(options.out / file), hash_file(again.out / file)) << file;
  }
}

TEST(RenderRecipes, RefusesIdsThatLeadOutAndOverload) {
  const RoomCorpus corpus;
  auto recipes = corpus.recipes(2);
  const RenderOptions options{Split::test, corpus.dir / "out", 1};
  const auto failure = [&] {
    return message_of<DataError>([&] {
      render_recipes(recipes, corpus.sources(), 16000, "set.csv", options, corpus.quiet);
    });
  };
  for (const char* id : {"../x", "/tmp/x", "a/../../x"}) {
    recipes[0].id = id;
    EXPECT_THAT(failure(),
                HasSubstr("set.csv: ids that cannot name files:\n  '" + std::string(id) + "' "));
  }
  recipes[0].id = "loud";
  recipes[0].speech_gain *= 20;
  recipes[0].clean_hash = recipes[0].noisy_hash = "";
  EXPECT_THAT(failure(), HasSubstr("loud.flac: "));
  EXPECT_FALSE(std::filesystem::exists(corpus.dir / "out" / "pairs.csv"));
}

TEST(RenderRecipes, RefusesToReplaceItsSources) {
  RoomCorpus corpus;
  const auto recipes = corpus.recipes(2);
  // Speech may lie just where its pairs are to go, under another name of the folder.
  const auto out = corpus.dir / "out";
  std::filesystem::create_directories(out);
  std::filesystem::create_directory_symlink(corpus.speech[0].audio.path.parent_path(),
                                            out / "clean");
  for (auto& entry : corpus.speech) {
    const auto flac = std::filesystem::path(entry.audio.path).replace_filename(entry.id + ".flac");
    write_audio(flac, read_audio(entry.audio.path), SampleFormat::pcm16);
    entry.audio.path = flac;
  }
  const std::string before = hash_file(corpus.speech[0].audio.path);
  EXPECT_THAT(message_of<ConfigError>([&] {
                render_recipes(recipes, corpus.sources(), 16000, "set.csv", {Split::test, out, 1},
                               corpus.quiet);
              }),
              HasSubstr(".flac would replace it; choose another folder (--out)"));
  EXPECT_EQ(hash_file(corpus.speech[0].audio.path), before);
}

}  // namespace
}  // namespace limbeck
