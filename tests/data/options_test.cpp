#include "limbeck/data/options.h"

#include <gmock/gmock.h>

#include "limbeck/core/error.h"
#include "limbeck/data/file_check.h"
#include "limbeck/data/mixture.h"
#include "limbeck/data/selection.h"
#include "limbeck/data/training_record.h"
#include "made_corpus.h"
#include "made_options.h"

namespace limbeck {
namespace {

using test::data_options;
using test::message_of;
using test::mixtures_of;
using test::put_entry;
using test::put_text;
using test::TempDir;
using ::testing::HasSubstr;

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
    options_ = mixtures("");
  }

  /// Mixtures of the manifests; `more` are further options of the source.
  DataOptions mixtures(const std::string& more) const {
    DataOptions options = mixtures_of(dir_.path(), more);
    options.segment_seconds = 0.5;
    options.valid_segment_seconds = 1;
    return options;
  }

  std::string file(const std::string& name) const { return (dir_ / name).string(); }

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

TEST_F(MadeManifests, PairsAreTakenAsTheyAre) {
  DataOptions options = data_options("source: {type: pairs, manifest: " + file("pairs.csv") + "}");
  const Example example = make_train_dataset(options)->get(0, SeedKey(1));
  EXPECT_EQ(example.noisy, example.clean);
  EXPECT_EQ(make_fixed_dataset(options, select_data(options), Split::valid)->size(), 1);
}

TEST_F(MadeManifests, MixturesAreDrawnAsTheSourceSays) {
  const auto train = make_train_dataset(mixtures("snr_db_values: [7], level_probability: 0"));
  for (uint64_t k = 0; k < 5; ++k) EXPECT_EQ(train->get(0, SeedKey(k)).recipe.snr_db, 7);
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
  const std::string folder = file("rooms");
  put_text(dir_ / "rooms" / "d.m4a", "");
  Logger logger(Verbosity::quiet);
  logger.add_file(dir_ / "log");
  EXPECT_EQ(find_responses(folder, Split::valid, 16000, &logger).size(), 2U);
  EXPECT_THAT(read_file(dir_ / "log"), HasSubstr("rooms: passed over 1 .m4a"));
  Manifest manifest;
  manifest.entries = {entry};
  manifest.write(dir_ / "rooms.csv");
  const std::string rooms = file("rooms.csv");
  EXPECT_EQ(find_responses(rooms, Split::train, 16000).at(0).id, "b");
  EXPECT_EQ(message_of<DataError>([&] { find_responses(rooms, Split::valid, 16000); }),
            rooms + ": lists no recording of split valid");
  EXPECT_THAT(message_of<DataError>([&] { find_responses(rooms, Split::train, 8000); }),
              HasSubstr("b.wav: has 16000 Hz where data.rate_hz is 8000"));
  put_text(dir_ / "rooms" / "c.wav", "no audio");
  put_entry(dir_ / "rooms" / "fast.wav", test::white(300, 3), 48000);
  test::put_stereo(dir_ / "rooms" / "wide.wav", test::white(300, 3), test::white(300, 4));
  const std::string fault =
      message_of<DataError>([&] { find_responses(folder, Split::train, 16000); });
  EXPECT_THAT(fault, HasSubstr("rooms: 3 of 5 files cannot be impulse responses:\n  "));
  EXPECT_THAT(fault, HasSubstr("c.wav: cannot be read as audio"));
  EXPECT_THAT(fault, HasSubstr("fast.wav: has 48000 Hz where 16000 Hz are expected"));
  EXPECT_THAT(fault, HasSubstr("wide.wav: has 2 channels where one was expected; "));
  for (const char* name : {"c.wav", "fast.wav", "wide.wav"}) {
    std::filesystem::remove(dir_ / "rooms" / name);
  }
  const DataOptions options = mixtures("reverb: {responses: " + folder + ", probability: 1}");
  EXPECT_NE(make_train_dataset(options)->get(0, SeedKey(1)).recipe.response, "");
  logger.add_file(dir_ / "training.log");
  tell_of_response_folders(options, logger);
  EXPECT_THAT(read_file(dir_ / "training.log"), HasSubstr("rooms: passed over 1 .m4a"));
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
  const std::string list = file("recipes.csv");
  write_recipes(list, recipes);
  const DataOptions options = mixtures("valid_recipes: " + list);
  const ValidationSet set = make_validation_set(options, data, 8);
  EXPECT_EQ(set.size(), 3);
  EXPECT_EQ(set.batch(0).recipes[0].speech[0].id, "speech2");
  // Recordings of another split are not at hand.
  recipes[1].speech[0].id = "speech0";
  write_recipes(list, recipes);
  EXPECT_EQ(message_of<DataError>([&] { make_validation_set(options, data, 8); }),
            list + ": recipe 'speech21': speech 'speech0' is not among the 1 recordings at hand");
}

TEST_F(MadeManifests, SayWhatIsWrong) {
  const auto with = [&](const std::string& speech, const std::string& noise) {
    return data_options("source: {type: mixtures, speech: " + file(speech) +
                        ", noise: " + file(noise) + "}");
  };
  write("none", {Split::train});
  DataOptions options = with("speech.csv", "none.csv");
  EXPECT_EQ(message_of<DataError>([&] { make_validation_set(options, select_data(options), 1); }),
            file("speech.csv") + ", " + file("none.csv") + ": no noise has split valid");
  options = with("speech.csv", "pairs.csv");
  EXPECT_EQ(message_of<DataError>([&] { make_train_dataset(options); }),
            file("pairs.csv") + ": lists pairs, and recordings are needed here");
  options = data_options("source: {type: pairs, manifest: " + file("noise.csv") + "}");
  EXPECT_EQ(message_of<DataError>([&] { make_train_dataset(options); }),
            file("noise.csv") + ": lists recordings, and pairs are needed here");
  write("fast", {Split::train}, 48000);
  options = with("speech.csv", "fast.csv");
  EXPECT_EQ(message_of<DataError>([&] { make_train_dataset(options); }),
            file("fast0.flac") + ": has 48000 Hz where data.rate_hz is 16000 (" +
                file("speech.csv") + ", " + file("fast.csv") + ")");
}

TEST_F(MadeManifests, ContentIsOfTheEntriesThatAreTrainedAndValidatedOn) {
  const auto before = content_of(options_);
  EXPECT_EQ(before.size(), 2U);
  write("speech", {Split::train, Split::train, Split::valid, Split::test});
  EXPECT_EQ(content_of(options_), before);  // another test entry
  write("speech", {Split::train, Split::valid, Split::valid});
  EXPECT_NE(content_of(options_).at("source.speech"), before.at("source.speech"));
  EXPECT_EQ(content_of(options_).at("source.noise"), before.at("source.noise"));
}

TEST_F(MadeManifests, FurtherSetsHaveSourceLengthAndCountOfTheirOwn) {
  write("others", {Split::valid, Split::train, Split::valid});
  Manifest pairs = Manifest::read(dir_ / "others.csv");
  pairs.kind = Manifest::Kind::pairs;
  for (auto& entry : pairs.entries) entry.noisy = entry.audio;
  pairs.write(dir_ / "others.csv");
  const std::string source = "source: {type: pairs, manifest: " + file("others.csv") + "}";
  options_.valid_count = 4;
  options_.valid_sets =
      data_options("source: {type: pairs, manifest: x}, valid_sets: [{name: vbd, " + source +
                   "}, "
                   "{name: cut, " +
                   source + ", count: 3, segment_seconds: 0.5}]")
          .valid_sets;
  const DataSelection data = select_data(options_);
  const auto sets = make_validation_sets(options_, data, 8);
  ASSERT_EQ(sets.size(), 3U);
  EXPECT_EQ(options_.valid_set_names(), (std::vector<std::string>{"", "vbd", "cut"}));
  const std::vector<std::tuple<std::string, int64_t, int64_t>> expected = {
      {"", 4, 16000}, {"vbd", 2, 20000}, {"cut", 3, 8000}};
  for (size_t i = 0; i < sets.size(); ++i) {
    const Batch batch = sets[i].set.batch(0);
    EXPECT_EQ(std::tuple(sets[i].name, batch.size, batch.samples), expected[i]);
  }
  EXPECT_EQ(sets[1].set.batch(0).recipes[0].id.substr(0, 6), "others");
  // What is in split train there is nobody's; the record knows all that is validated on.
  const TrainingRecord record(data);
  EXPECT_EQ(record.train.size(), 3U);
  EXPECT_EQ(record.valid.size(), 2U + 2U + 2U);
  EXPECT_EQ(validation_files(data).size(), 2U + 4U + 4U);
  EXPECT_EQ(files_of(options_, data).size(), 3U + 10U);
}

TEST_F(MadeManifests, FurtherSetsAreKnownByContentAndHeldAgainstTraining) {
  write("others", {Split::valid, Split::train});
  const auto read = [&](const std::string& speech) {
    DataOptions options = options_;
    options.valid_sets = data_options(
                             "source: {type: pairs, manifest: x}, valid_sets: [{name: o, "
                             "source: {type: mixtures, speech: " +
                             file(speech) + ", noise: " + file("noise.csv") + "}}]")
                             .valid_sets;
    return options;
  };
  const auto before = content_of(read("others.csv"));
  EXPECT_EQ(before.size(), 4U);
  ASSERT_TRUE(before.contains("valid_files.o.speech"));
  EXPECT_EQ(before.at("source.speech"), content_of(options_).at("source.speech"));
  std::filesystem::copy(file("others.csv"), file("moved.csv"));
  EXPECT_EQ(content_of(read("moved.csv")), before);
  write("others", {Split::valid});
  EXPECT_EQ(content_of(read("others.csv")), before);  // no training entry of it counts
  write("others", {Split::valid, Split::valid});
  const auto after = content_of(read("others.csv"));
  EXPECT_NE(after.at("valid_files.o.speech"), before.at("valid_files.o.speech"));
  EXPECT_EQ(after.at("valid_files.o.noise"), before.at("valid_files.o.noise"));

  Manifest trained = Manifest::read(dir_ / "speech.csv");
  for (auto& entry : trained.entries) entry.split = Split::valid;
  trained.write(dir_ / "trained.csv");
  const DataOptions leaky = read("trained.csv");
  Logger logger(Verbosity::quiet);
  const DataSelection data = select_data(leaky);
  TrainingRecord record(data);
  EXPECT_THAT(message_of<DataError>([&] { refuse_leaks(record, data, false, logger); }),
              HasSubstr("speech0 of valid has the samples of speech0 of train"));
}

TEST(DataOptions, RefuseSetsThatCannotBeToldApart) {
  const auto message = [](const std::string& sets) {
    return message_of<ConfigError>(
        [&] { data_options("source: {type: pairs, manifest: x}, valid_sets: [" + sets + "]"); });
  };
  const auto set = [](const std::string& name, const std::string& more = "") {
    return "{name: " + name + ", source: {type: pairs, manifest: y}" + more + "}";
  };
  EXPECT_THAT(message(set("a") + ", " + set("a")),
              HasSubstr("valid_sets: two of them have one name"));
  EXPECT_THAT(message(set("a/b")),
              HasSubstr("valid_sets.0.name: must be of letters, digits, _ and -"));
  EXPECT_THAT(message(set("a", ", segment_seconds: 0.01")),
              HasSubstr("valid_sets.0.segment_seconds: must be 0 or at least 0.1"));
  EXPECT_THAT(message("{name: a}"), HasSubstr("valid_sets.0.source"));
}

TEST(DataOptions, AreReadFromYaml) {
  const DataOptions options = data_options(
      "source: {type: mixtures, speech: a.csv, noise: b.csv, snr_db_values: [0, 5.5], "
      "reverb: {responses: rooms}}, short_items: concatenate, workers: 0, "
      "augment: {band_mask_probability: 0.5}");
  EXPECT_EQ(options.source.chosen.name(), "mixtures");
  EXPECT_EQ(options.protocol_file(), "");
  const config::Node source = config::to_node(options.source);
  EXPECT_EQ(source.find("speech")->scalar, "a.csv");
  EXPECT_EQ(source.find("snr_db_values")->items.at(1).scalar, "5.5");
  EXPECT_EQ(source.find("reverb")->find("responses")->scalar, "rooms");
  EXPECT_EQ(source.find("reverb")->find("probability")->scalar, "0.5");
  EXPECT_EQ(options.short_items, "concatenate");
  EXPECT_EQ(options.workers, 0);
  EXPECT_EQ(options.rate_hz, 16000);
  EXPECT_EQ(options.augment.band_mask_probability, 0.5);
  EXPECT_EQ(options.augment.remix_probability, 0);
}

TEST(DataOptions, RefuseWrongValues) {
  const auto failure = [&](const std::string& text) {
    return message_of<ConfigError>([&] { data_options(text); });
  };
  EXPECT_THAT(failure(""), HasSubstr("source.type: is required"));
  EXPECT_THAT(failure("source: {type: pair}"), HasSubstr("did you mean 'pairs'?"));
  const auto of_source = [&](const std::string& text) { return failure("source: {" + text + "}"); };
  EXPECT_THAT(of_source("type: mixtures, speech: a"), HasSubstr("source.noise: is required"));
  EXPECT_THAT(of_source("type: mixtures, speech: a, noise: ''"),
              HasSubstr("source.noise: names no manifest"));
  EXPECT_THAT(of_source("type: pairs"), HasSubstr("source.manifest: is required"));
  EXPECT_THAT(of_source("type: protocol"), HasSubstr("source.file: is required"));
  // Pairs are not mixed, and a protocol names all manifests.
  EXPECT_THAT(of_source("type: pairs, manifest: a, speech: b"), HasSubstr("speech: unknown key"));
  EXPECT_THAT(of_source("type: pairs, manifest: a, snr_db_min: 5"), HasSubstr("unknown key"));
  EXPECT_THAT(of_source("type: pairs, manifest: a, valid_recipes: r"), HasSubstr("unknown key"));
  EXPECT_THAT(of_source("type: protocol, file: a, noise: b"), HasSubstr("noise: unknown key"));
  for (const std::string mixing :
       {"type: mixtures, speech: a, noise: b", "type: protocol, file: a"}) {
    EXPECT_THAT(of_source(mixing + ", snr_db_min: 5, snr_db_max: 4"),
                HasSubstr("source.snr_db_max: is below snr_db_min"));
    EXPECT_THAT(of_source(mixing + ", level_dbfs_min: -10"), HasSubstr("is below level_dbfs_min"));
    EXPECT_THAT(of_source(mixing + ", snr_db_values: [99]"),
                HasSubstr("snr_db_values.0: 99 is out of"));
  }
  const std::string pairs = "source: {type: pairs, manifest: a}, ";
  EXPECT_THAT(failure(pairs + "segment_seconds: 0"), HasSubstr("segment_seconds"));
  EXPECT_THAT(failure(pairs + "prefetch: 0"), HasSubstr("prefetch"));
  EXPECT_THAT(failure(pairs + "short_items: loop"), HasSubstr("pad, repeat, concatenate"));
  EXPECT_THAT(failure(pairs + "valid_segment_seconds: 0.05"), HasSubstr("must be 0 or at least"));
  EXPECT_THAT(failure(pairs + "workrs: 1"), HasSubstr("did you mean 'workers'?"));
}

}  // namespace
}  // namespace limbeck
