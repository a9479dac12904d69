#include "limbeck/data/options.h"

#include <gmock/gmock.h>

#include "limbeck/config/reader.h"
#include "limbeck/config/resolve.h"
#include "limbeck/core/error.h"
#include "limbeck/data/selection.h"
#include "made_corpus.h"

namespace limbeck {
namespace {

using test::message_of;
using test::put_entry;
using test::put_text;
using test::TempDir;
using ::testing::HasSubstr;

struct Root {
  DataOptions data;
  void describe(config::Visitor& v) { v.section("data", data, "data"); }
};

DataOptions load(const TempDir& dir, const std::string& text) {
  put_text(dir / "config.yaml", text);
  return config::load<Root>({dir / "config.yaml"}, {}).data;
}

/// Manifests of two splits: speech.csv, noise.csv and pairs.csv.
class MadeManifests : public ::testing::Test {
 protected:
  MadeManifests() {
    write("speech", {Split::train, Split::train, Split::valid});
    write("noise", {Split::train, Split::valid});
    Manifest pairs = Manifest::read(dir_ / "speech.csv");
    pairs.kind = Manifest::Kind::pairs;
    for (auto& entry : pairs.entries) entry.noisy = entry.audio;
    pairs.write(dir_ / "pairs.csv");
    options_.speech = (dir_ / "speech.csv").string();
    options_.noise = (dir_ / "noise.csv").string();
    options_.segment_seconds = 0.5;
    options_.valid_segment_seconds = 1;
  }

  void write(const std::string& name, const std::vector<Split>& splits, int rate_hz = 16000) {
    Manifest manifest;
    for (size_t i = 0; i < splits.size(); ++i) {
      auto entry =
          put_entry(dir_ / (name + std::to_string(i) + ".flac"), test::white(20000, i), rate_hz);
      entry.split = splits[i];
      manifest.entries.push_back(entry);
    }
    manifest.write(dir_ / (name + ".csv"));
  }

  TempDir dir_;
  DataOptions options_;
};

TEST_F(MadeManifests, TrainAndValidTakeTheirOwnSplits) {
  const auto train = make_train_dataset(options_);
  EXPECT_EQ(train->size(), 2);
  EXPECT_EQ(train->segment_samples(), 8000);
  EXPECT_EQ(train->get(1, SeedKey(1)).recipe.id, "speech1");
  const auto valid = make_fixed_dataset(options_, select_data(options_), Split::valid);
  EXPECT_EQ(valid->size(), 1);
  EXPECT_EQ(valid->segment_samples(), 16000);
  EXPECT_EQ(valid->get(0, SeedKey(1)).recipe.id, "speech2");
  options_.valid_count = 5;
  const ValidationSet set = make_validation_set(options_, select_data(options_), 3);
  EXPECT_EQ(set.size(), 5);
  EXPECT_EQ(set.batches(), 2);
  EXPECT_EQ(set.batch(0).samples, 16000);
}

TEST_F(MadeManifests, ZeroMeansWholeRecordingsAndEachEntryOnce) {
  options_.valid_count = 0;
  options_.valid_segment_seconds = 0;
  const ValidationSet set = make_validation_set(options_, select_data(options_), 3);
  EXPECT_EQ(set.size(), 1);
  EXPECT_EQ(set.batch(0).samples, 20000);
}

TEST_F(MadeManifests, PairsTakeThePlaceOfMixtures) {
  options_.speech = options_.noise = "";
  options_.pairs = (dir_ / "pairs.csv").string();
  const Example example = make_train_dataset(options_)->get(0, SeedKey(1));
  EXPECT_EQ(example.noisy, example.clean);
  EXPECT_EQ(make_fixed_dataset(options_, select_data(options_), Split::valid)->size(), 1);
}

TEST_F(MadeManifests, ShortItemsAndAugmentationArePassedOn) {
  options_.segment_seconds = 2;
  EXPECT_EQ(make_train_dataset(options_)->get(0, SeedKey(1)).noisy.size(), 20000U);
  options_.short_items = "repeat";
  EXPECT_EQ(make_train_dataset(options_)->get(0, SeedKey(1)).noisy.size(), 32000U);
  options_.augment.remix_probability = 0.25;
  options_.epochs_unique = 4;
  const LoaderOptions loader = loader_options(options_, 7, nullptr);
  EXPECT_EQ(loader.batch_size, 7);
  EXPECT_EQ(loader.augment.remix_probability, 0.25);
  EXPECT_EQ(loader.epochs_unique, 4);
}

TEST_F(MadeManifests, ResponsesComeFromAFolderOrAManifest) {
  put_entry(dir_ / "rooms" / "a.wav", test::white(300, 1));
  auto entry = put_entry(dir_ / "rooms" / "deep" / "b.wav", test::white(300, 2));
  const std::string folder = (dir_ / "rooms").string();
  EXPECT_EQ(find_responses(folder, Split::valid, 16000).size(), 2U);
  Manifest manifest;
  manifest.entries = {entry};
  manifest.write(dir_ / "rooms.csv");
  const std::string file = (dir_ / "rooms.csv").string();
  EXPECT_EQ(find_responses(file, Split::train, 16000).at(0).id, "b");
  EXPECT_EQ(message_of<DataError>([&] { find_responses(file, Split::valid, 16000); }),
            file + ": lists no recording of split valid");
  EXPECT_THAT(message_of<DataError>([&] { find_responses(file, Split::train, 8000); }),
              HasSubstr("b.wav: has 16000 Hz where data.rate_hz is 8000"));
  put_text(dir_ / "rooms" / "c.wav", "no audio");
  EXPECT_THAT(message_of<DataError>([&] { find_responses(folder, Split::train, 16000); }),
              HasSubstr("c.wav: cannot be read as audio"));
  std::filesystem::remove(dir_ / "rooms" / "c.wav");
  options_.mixture.reverb.responses = folder;
  options_.mixture.reverb.probability = 1;
  EXPECT_NE(make_train_dataset(options_)->get(0, SeedKey(1)).recipe.response, "");
}

TEST_F(MadeManifests, ValidationFollowsRecipes) {
  const DataSelection data = select_data(options_);
  const auto drawn = make_fixed_dataset(options_, data, Split::valid);
  std::vector<Recipe> recipes;
  for (uint64_t k = 0; k < 3; ++k) {
    Example example = drawn->get(0, SeedKey(k));
    example.recipe.id += std::to_string(k);
    example.recipe.clean_hash = hash_audio(example.clean);
    example.recipe.noisy_hash = hash_audio(example.noisy);
    recipes.push_back(example.recipe);
  }
  options_.valid_recipes = (dir_ / "recipes.csv").string();
  write_recipes(options_.valid_recipes, recipes);
  const ValidationSet set = make_validation_set(options_, data, 8);
  EXPECT_EQ(set.size(), 3);
  EXPECT_EQ(set.batch(0).recipes[0].speech[0].id, "speech2");
  // Recordings of another split are not at hand.
  recipes[1].speech[0].id = "speech0";
  write_recipes(options_.valid_recipes, recipes);
  EXPECT_EQ(message_of<DataError>([&] { make_validation_set(options_, data, 8); }),
            options_.valid_recipes +
                ": recipe 'speech21': speech 'speech0' is not among the 1 recordings at hand");
}

TEST_F(MadeManifests, SayWhatIsWrong) {
  write("none", {Split::train});
  DataOptions options = options_;
  options.noise = (dir_ / "none.csv").string();
  EXPECT_EQ(message_of<DataError>([&] { make_validation_set(options, select_data(options), 1); }),
            options.speech + ", " + options.noise + ": no noise has split valid");
  options.noise = (dir_ / "pairs.csv").string();
  EXPECT_EQ(message_of<DataError>([&] { make_train_dataset(options); }),
            options.noise + ": lists pairs, and recordings are needed here");
  options.speech = options.noise = "";
  options.pairs = (dir_ / "noise.csv").string();
  EXPECT_EQ(message_of<DataError>([&] { make_train_dataset(options); }),
            options.pairs + ": lists recordings, and pairs are needed here");
  write("fast", {Split::train}, 48000);
  options = options_;
  options.noise = (dir_ / "fast.csv").string();
  EXPECT_EQ(message_of<DataError>([&] { make_train_dataset(options); }),
            (dir_ / "fast0.flac").string() + ": has 48000 Hz where data.rate_hz is 16000 (" +
                options.speech + ", " + options.noise + ")");
  options.noise = "/no/such.csv";
  EXPECT_THAT(message_of<DataError>([&] { make_train_dataset(options); }),
              HasSubstr("/no/such.csv: cannot be read"));
}

TEST(DataOptions, AreReadFromYaml) {
  TempDir dir;
  const DataOptions options = load(
      dir, "data: {speech: a.csv, noise: b.csv, snr_db_min: 0, level_dbfs_max: -20, workers: 0}");
  EXPECT_EQ(options.speech, "a.csv");
  EXPECT_EQ(options.mixture.snr_db_min, 0);
  EXPECT_EQ(options.mixture.level_dbfs_max, -20);
  EXPECT_EQ(options.workers, 0);
  EXPECT_EQ(options.rate_hz, 16000);
}

TEST(DataOptions, HaveSectionsForRoomsAndAugmentation) {
  TempDir dir;
  const DataOptions options =
      load(dir,
           "data: {speech: a.csv, noise: b.csv, snr_db_values: [0, 5.5], short_items: concatenate, "
           "reverb: {responses: rooms, early_ms: 30}, augment: {band_mask_probability: 0.5}}");
  EXPECT_EQ(options.mixture.snr_db_values, (std::vector<double>{0, 5.5}));
  EXPECT_EQ(options.short_items, "concatenate");
  EXPECT_EQ(options.mixture.reverb.responses, "rooms");
  EXPECT_EQ(options.mixture.reverb.early_ms, 30);
  EXPECT_EQ(options.mixture.reverb.probability, 0.5);
  EXPECT_EQ(options.augment.band_mask_probability, 0.5);
  EXPECT_EQ(options.augment.remix_probability, 0);
}

TEST(DataOptions, RefuseWrongValues) {
  TempDir dir;
  const auto failure = [&](const std::string& data) {
    return message_of<ConfigError>([&] { load(dir, "data: {" + data + "}"); });
  };
  const std::string ways = "give either both speech and noise, or pairs, or a protocol";
  EXPECT_THAT(failure(""), HasSubstr(ways));
  EXPECT_THAT(failure("speech: a"), HasSubstr(ways));
  EXPECT_THAT(failure("noise: a, pairs: b"), HasSubstr(ways));
  EXPECT_THAT(failure("speech: a, noise: b, pairs: c"), HasSubstr(ways));
  EXPECT_THAT(failure("protocol: a, pairs: b"),
              HasSubstr("data.protocol: a protocol names all manifests"));
  EXPECT_THAT(failure("pairs: a, snr_db_min: 5, snr_db_max: 4"),
              HasSubstr("data.snr_db_max: is below snr_db_min"));
  EXPECT_THAT(failure("pairs: a, level_dbfs_min: -10"), HasSubstr("is below level_dbfs_min"));
  EXPECT_THAT(failure("pairs: a, segment_seconds: 0"), HasSubstr("segment_seconds"));
  EXPECT_THAT(failure("pairs: a, prefetch: 0"), HasSubstr("prefetch"));
  EXPECT_THAT(failure("pairs: a, short_items: loop"), HasSubstr("pad, repeat, concatenate"));
  EXPECT_THAT(failure("pairs: a, snr_db_values: [99]"), HasSubstr("snr_db_values.0: 99 is out of"));
  EXPECT_THAT(failure("pairs: a, valid_segment_seconds: 0.05"), HasSubstr("must be 0 or at least"));
  EXPECT_THAT(failure("pairs: a, reverb: {responses: r}"), HasSubstr("cannot be put in a room"));
  EXPECT_THAT(failure("pairs: a, valid_recipes: r"), HasSubstr("not for pairs"));
  EXPECT_THAT(failure("pairs: a, workrs: 1"), HasSubstr("did you mean 'workers'?"));
}

}  // namespace
}  // namespace limbeck
