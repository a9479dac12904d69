#include "limbeck/data/recipe.h"

#include <gmock/gmock.h>

#include "limbeck/core/error.h"
#include "made_corpus.h"

namespace limbeck {
namespace {

using test::MadeCorpus;
using test::message_of;
using test::put_text;
using test::TempDir;
using ::testing::HasSubstr;

const std::string kHeader =
    "id,speech,noise,response,early_ms,snr_db,level_dbfs,speech_gain,noise_gain,samples,clean_hash,"
    "noisy_hash\n";
const std::string kHash(32, 'a');

std::string row(const std::string& speech, const std::string& noise, const std::string& samples) {
  return "a," + speech + "," + noise + ",,0,5,-20,1.5,0.25," + samples + "," + kHash + "," + kHash +
         "\n";
}

/// Everything on: rooms, several pieces, limited peaks.
std::vector<Example> drawn_examples(const MadeCorpus& corpus) {
  MixtureOptions options;
  options.reverb.probability = 0.6;
  options.snr_db_min = -20;
  options.level_dbfs_max = -6;
  std::vector<Example> examples;
  for (const auto way : {ShortItems::pad, ShortItems::repeat, ShortItems::concatenate}) {
    for (const int64_t segment : {0, 5000, 50000}) {
      const MixtureDataset dataset = corpus.mixtures(segment, options, way);
      for (uint64_t k = 0; k < 5; ++k) {
        examples.push_back(dataset.get(static_cast<int64_t>(k), SeedKey(k)));
        Recipe& recipe = examples.back().recipe;
        recipe.id = std::to_string(examples.size());
        recipe.clean_hash = hash_audio(examples.back().clean);
        recipe.noisy_hash = hash_audio(examples.back().noisy);
      }
    }
  }
  return examples;
}

TEST(Recipes, GiveTheSameBitsAfterAFile) {
  MadeCorpus corpus;
  corpus.add_responses();
  const auto examples = drawn_examples(corpus);
  std::vector<Recipe> recipes;
  for (const Example& example : examples) recipes.push_back(example.recipe);
  write_recipes(corpus.dir / "recipes.csv", recipes);
  const auto dataset = make_recipe_dataset(read_recipes(corpus.dir / "recipes.csv"),
                                           corpus.sources(), 16000, "recipes");
  ASSERT_EQ(dataset->size(), static_cast<int64_t>(examples.size()));
  EXPECT_EQ(dataset->segment_samples(), 0);
  int in_rooms = 0;
  for (int64_t i = 0; i < dataset->size(); ++i) {
    const Example& wanted = examples[static_cast<size_t>(i)];
    const Example example = dataset->get(i, SeedKey(99));
    EXPECT_EQ(example.clean, wanted.clean);
    EXPECT_EQ(example.noisy, wanted.noisy);
    EXPECT_EQ(example.recipe.snr_db, wanted.recipe.snr_db);
    EXPECT_EQ(example.recipe.level_dbfs, wanted.recipe.level_dbfs);
    EXPECT_EQ(dataset->samples(i), static_cast<int64_t>(wanted.clean.size()));
    in_rooms += !example.recipe.response.empty();
  }
  EXPECT_GT(in_rooms, 10);
}

// What a file of recipes means on any machine, as tests/golden/recipe.py found it by other means.
// The recordings are made without a sine, whose last bit is the C library's.
TEST(Recipes, MeanTheseSamplesOnEveryPlatform) {
  TempDir dir;
  MixtureSources sources{{test::put_entry(dir / "s.wav", test::white(3000, 1, 0.25))},
                         {test::put_entry(dir / "n.wav", test::white(2000, 2, 0.125))},
                         {test::put_entry(dir / "r.wav", test::white(1000, 3, 0.5))}};
  put_text(dir / "recipes.csv", kHeader +
                                    "m,s@100+2500;s@0+500,n@1500+500;n@0+2000;n@0+500,r,20,"
                                    "5,-20,0.7071067811865476,1.2345678901234567,3000," +
                                    kHash + "," + kHash + "\n");
  auto recipes = read_recipes(dir / "recipes.csv");
  recipes[0].clean_hash = recipes[0].noisy_hash = "";
  const Example example = make_recipe_dataset(recipes, sources, 16000, "r")->get(0, SeedKey(0));
  EXPECT_EQ(hash_audio(example.clean), "0cd6b19cacccc1350978bcfadf17cecd");
  EXPECT_EQ(hash_audio(example.noisy), "081d1196b162574bbff78abd5ed141a2");
}

TEST(Recipes, NoticeOtherRecordings) {
  MadeCorpus corpus;
  auto recipes = std::vector<Recipe>{drawn_examples(corpus)[3].recipe};
  corpus.noise[0] = corpus.noise[1] = corpus.noise[2] =
      test::put_entry(corpus.dir / "noise0.wav", test::white(40000, 99));
  corpus.noise[0].id = "noise0";
  corpus.noise[1].id = "noise1";
  corpus.noise[2].id = "noise2";
  const auto make = [&] {
    return make_recipe_dataset(recipes, corpus.sources(), 16000, "set.csv");
  };
  EXPECT_EQ(message_of<DataError>([&] { make()->get(0, SeedKey(0)); }),
            "set.csv: recipe '4': the noisy side comes out otherwise than when it was written; are "
            "these the same recordings?");
  corpus.speech[3].samples = 100;
  EXPECT_THAT(message_of<DataError>(make),
              HasSubstr("set.csv: recipe '4': speech 'speech3' has 100 samples, not 29003"));
  corpus.speech.clear();
  EXPECT_THAT(message_of<DataError>(make),
              HasSubstr("speech 'speech3' is not among the 0 recordings at hand"));
  recipes.clear();
  EXPECT_EQ(message_of<DataError>(make), "set.csv: holds no recipes");
}

TEST(Recipes, ReadIdsWithTheirOwnSigns) {
  TempDir dir;
  put_text(dir / "r.csv", kHeader + row("x@5+3@7+10", "\"b/c d,e@0+4;f@9+6\"", "10"));
  const auto recipes = read_recipes(dir / "r.csv");
  ASSERT_EQ(recipes.size(), 1U);
  EXPECT_EQ(recipes[0].speech[0].id, "x@5+3");
  EXPECT_EQ(recipes[0].speech[0].start, 7);
  EXPECT_EQ(recipes[0].speech[0].count, 10);
  EXPECT_EQ(recipes[0].noise[0].id, "b/c d,e");
  EXPECT_EQ(recipes[0].noise[1].start, 9);
  EXPECT_EQ(pieces_text(recipes[0].noise), "b/c d,e@0+4;f@9+6");
  EXPECT_EQ(recipes[0].noise_gain, 0.25);
  write_recipes(dir / "again.csv", recipes);
  EXPECT_EQ(read_file(dir / "again.csv"), read_file(dir / "r.csv"));
  Recipe bad = recipes[0];
  bad.noise[0].id = "a;b";
  EXPECT_THAT(message_of<DataError>([&] { write_recipes(dir / "bad.csv", {bad}); }),
              HasSubstr("the id 'a;b' holds ';'"));
}

TEST(Recipes, SayWhereAFileIsWrong) {
  TempDir dir;
  const std::string file = (dir / "r.csv").string();
  const auto failure = [&](const std::string& text) {
    put_text(file, text);
    return message_of<DataError>([&] { read_recipes(file); });
  };
  EXPECT_THAT(failure("id,speech\n"), HasSubstr(file + ":1: column 'noise' is missing; a file of"));
  for (const char* piece : {"x", "x@5", "x@5+", "x@+5", "@1+2", "x@5+1.5", "x@-1+5", "x+1@5", ";",
                            "x@9223372036854775807+5"}) {
    EXPECT_THAT(failure(kHeader + row(piece, "n@0+5", "5")),
                HasSubstr("r.csv:2: '" + std::string(piece == std::string(";") ? "" : piece) +
                          "' is no piece; one is id@start+count"));
  }
  EXPECT_THAT(failure(kHeader + row("", "n@0+5", "5")), HasSubstr(":2: column 'speech' is empty"));
  EXPECT_THAT(failure(kHeader + row("s@0+4", "n@0+5", "5")),
              HasSubstr(":2: the pieces of speech are 4 samples, column 'samples' says 5"));
  EXPECT_THAT(failure(kHeader + row("s@0+5", "n@0+4", "5")),
              HasSubstr("the pieces of noise are 4"));
  EXPECT_THAT(failure(kHeader + "a,s@0+5,n@0+5,,0,five,-20,1,1,5," + kHash + "," + kHash + "\n"),
              HasSubstr(":2: column 'snr_db': 'five' is not a number"));
  EXPECT_THAT(failure(kHeader + "a,s@0+5,n@0+5,,0,5,-20,1,1,5,x," + kHash + "\n"),
              HasSubstr(":2: column 'clean_hash': 'x' is not a hash"));
  EXPECT_THAT(failure(kHeader + row("s@0+5", "n@0+5", "5") + row("s@0+5", "n@0+5", "5")),
              HasSubstr(":3: id 'a' stands in line 2 too"));
}

}  // namespace
}  // namespace limbeck
