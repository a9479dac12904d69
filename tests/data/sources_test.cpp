#include <gmock/gmock.h>

#include <map>
#include <ostream>
#include <set>

#include "data/source.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/data/selection.h"
#include "made_corpus.h"
#include "made_options.h"

// What every data source has to keep, whichever is registered.

namespace limbeck {
namespace {

using test::hash_of;
using test::TempDir;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Row {
  std::string label;
  std::string type;
  std::string options;  ///< with DIR for the folder of the files below
  int64_t items = 3;    ///< of an epoch
  size_t same_key = 0;  ///< files that stand under the key of another one
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.label; }

/// A new data source gets a row here, or several.
const std::vector<Row> kRows = {
    {"mixtures", "mixtures", "speech: DIR/speech.csv, noise: DIR/noise.csv"},
    {"mixtures_in_rooms", "mixtures",
     "speech: DIR/speech.csv, noise: DIR/noise.csv, valid_recipes: DIR/recipes.csv, "
     "reverb: {responses: DIR/rooms.csv, probability: 0.5}"},
    {"mixtures_of_several", "mixtures",
     "speech: [DIR/speech.csv, DIR/rooms.csv], noise: DIR/noise.csv, speech_shares: [1, 2]", 9, 1},
    {"pairs", "pairs", "manifest: DIR/pairs.csv"},
    {"protocol_of_mixtures", "protocol", "file: DIR/mixtures.yaml"},
    {"protocol_of_pairs", "protocol", "file: DIR/pairs.yaml"},
};

TEST(DataSources, EachHasARowInThisTest) {
  std::set<std::string> names;
  for (const Row& row : kRows) names.insert(row.type);
  for (const std::string& name : data_sources().names()) {
    EXPECT_TRUE(names.contains(name)) << "give the data source '" << name << "' a row in kRows";
  }
}

DataOptions options_of(const Row& row, const std::filesystem::path& dir) {
  std::string text = row.options;
  for (size_t at = 0; (at = text.find("DIR", at)) != std::string::npos;) {
    text.replace(at, 3, dir.string());
  }
  DataOptions options = test::data_options("source: {type: " + row.type + ", " + text + "}");
  options.segment_seconds = 0.25;
  options.valid_segment_seconds = 0.2;
  options.valid_count = 5;
  return options;
}

/// Names of the files that a row names.
std::vector<std::string> files_of(const Row& row) {
  std::vector<std::string> files;
  for (size_t at = 0; (at = row.options.find("DIR/", at)) != std::string::npos;) {
    at += 4;
    files.push_back(row.options.substr(at, row.options.find_first_of(",]}", at) - at));
  }
  return files;
}

/// speech.csv, noise.csv, rooms.csv, pairs.csv, what locks them, and recipes of split valid. Ids
/// begin with the split.
void make_files(const std::filesystem::path& dir, uint64_t seed) {
  const auto put = [&](const std::string& name, Manifest::Kind kind) {
    Manifest manifest;
    manifest.kind = kind;
    for (const Split split : {Split::train, Split::valid, Split::test}) {
      for (int i = 0; i < 3; ++i) {
        const std::string id = format("%s-%s%d", split_name(split), name, i);
        const auto side = [&](const std::string& folder) {
          return test::put_entry(dir / folder / (id + ".flac"), test::white(6000, seed++, 0.1));
        };
        ManifestEntry entry = side("audio");
        if (kind == Manifest::Kind::pairs) entry.noisy = side("noisy").audio;
        entry.split = split;
        manifest.entries.push_back(entry);
      }
    }
    manifest.path = dir / (name + ".csv");
    manifest.write(manifest.path);
    return manifest;
  };
  const auto lock = [&](const std::string& name, const std::map<Role, Manifest>& manifests) {
    Protocol protocol;
    protocol.name = name;
    for (const auto& [role, manifest] : manifests) {
      for (const Split split : {Split::train, Split::valid, Split::test}) {
        if (split != Split::test || role == Role::pairs) protocol.add(split, role, manifest);
      }
    }
    protocol.write(dir / (name + ".yaml"));
  };
  const Manifest speech = put("speech", Manifest::Kind::recordings);
  const Manifest noise = put("noise", Manifest::Kind::recordings);
  put("rooms", Manifest::Kind::recordings);
  lock("mixtures", {{Role::speech, speech}, {Role::noise, noise}});
  lock("pairs", {{Role::pairs, put("pairs", Manifest::Kind::pairs)}});
  const DataOptions options = options_of(kRows[0], dir);
  const auto drawn = make_fixed_dataset(options, select_data(options), Split::valid);
  std::vector<Recipe> recipes;
  for (int64_t i = 0; i < drawn->size(); ++i) {
    const Example example = drawn->get(i, SeedKey(seed));
    recipes.push_back(example.recipe);
    recipes.back().noisy_hash = hash_audio(example.noisy);
    recipes.back().clean_hash = hash_audio(example.clean);
  }
  write_recipes(dir / "recipes.csv", recipes);
}

class EverySource : public testing::TestWithParam<Row> {
 protected:
  EverySource() { make_files(dir_.path(), 1); }

  std::vector<std::string> first_batches(int64_t workers) const {
    LoaderOptions loading = loader_options(options_, 2, nullptr);
    loading.workers = workers;
    const auto dataset = make_train_dataset(options_);
    Loader loader(*dataset, loading, SeedKey(7));
    std::vector<std::string> hashes;
    for (int n = 0; n < 5; ++n) {  // two epochs, and a part
      const Batch batch = loader.next();
      hashes.push_back(hash_of(batch.noisy) + hash_of(batch.clean));
    }
    return hashes;
  }

  TempDir dir_;
  DataOptions options_ = options_of(GetParam(), dir_.path());
};

TEST_P(EverySource, GivesForAnIndexAndAKeyTheSameExample) {
  const auto dataset = make_train_dataset(options_);
  const auto again = make_train_dataset(options_);
  ASSERT_EQ(dataset->size(), GetParam().items);
  EXPECT_EQ(dataset->rate_hz(), 16000);
  EXPECT_EQ(dataset->segment_samples(), 4000);
  std::set<std::string> seen;
  for (int64_t i = 0; i < 3; ++i) {
    for (uint64_t k = 0; k < 3; ++k) {
      const Example example = dataset->get(i, SeedKey(k));
      EXPECT_EQ(static_cast<int64_t>(example.noisy.size()), dataset->samples(i));
      EXPECT_EQ(example.clean.size(), example.noisy.size());
      EXPECT_EQ(hash_of(again->get(i, SeedKey(k))), hash_of(example));
      seen.insert(hash_of(example));
    }
  }
  EXPECT_EQ(seen.size(), 9U);
}

TEST_P(EverySource, GivesTheSameBatchesWithAnyNumberOfWorkers) {
  const auto batches = first_batches(0);
  EXPECT_EQ(first_batches(1), batches);
  EXPECT_EQ(first_batches(3), batches);
}

TEST_P(EverySource, ValidatesOnTheSameExamplesAlways) {
  const DataSelection data = select_data(options_);
  const ValidationSet set = make_validation_set(options_, data, 2);
  const ValidationSet again = make_validation_set(options_, data, 2);
  ASSERT_GT(set.batches(), 1);
  ASSERT_EQ(again.batches(), set.batches());
  for (int64_t n = 0; n < set.batches(); ++n) {
    EXPECT_EQ(again.batch(n).noisy, set.batch(n).noisy);
    for (const Recipe& recipe : set.batch(n).recipes) {
      for (const Piece& piece : recipe.speech) EXPECT_TRUE(piece.id.starts_with("valid-"));
    }
  }
}

TEST_P(EverySource, TakesFromASplitWhatIsOfIt) {
  const DataSelection data = select_data(options_);
  for (const Split split : {Split::train, Split::valid, Split::test}) {
    if (data.of(split).fingerprints().empty()) continue;
    const auto dataset = make_fixed_dataset(options_, data, split);
    std::set<std::string> others;
    for (int64_t i = 0; i < 4 * dataset->size(); ++i) {
      const Recipe recipe = dataset->get(i % dataset->size(), SeedKey(uint64_t(i))).recipe;
      std::vector<Piece> pieces = recipe.speech;
      pieces.insert(pieces.end(), recipe.noise.begin(), recipe.noise.end());
      if (!recipe.response.empty()) pieces.push_back({recipe.response});
      for (const Piece& piece : pieces) {
        if (!piece.id.starts_with(split_name(split))) others.insert(piece.id);
      }
    }
    EXPECT_THAT(others, IsEmpty()) << split_name(split);
  }
}

TEST_P(EverySource, NamesAFileThatIsMissing) {
  const auto use = [&] {
    const DataSelection data = select_data(options_);
    make_train_dataset(options_, data);
    make_validation_set(options_, data, 2);
  };
  ASSERT_NO_THROW(use());
  for (const std::string& file : files_of(GetParam())) {
    std::filesystem::rename(dir_ / file, dir_ / "away");
    EXPECT_THAT(test::message_of<DataError>(use), HasSubstr((dir_ / file).string()));
    std::filesystem::rename(dir_ / "away", dir_ / file);
  }
  const auto dataset = make_train_dataset(options_);
  std::filesystem::remove_all(dir_ / "audio");
  EXPECT_THAT(test::message_of<DataError>([&] { dataset->get(0, SeedKey(1)); }),
              HasSubstr((dir_ / "audio/train-").string()));
}

TEST_P(EverySource, KnowsItsFilesByContentWhereverTheyLie) {
  const auto contents = content_of(options_);
  EXPECT_EQ(contents.size() + GetParam().same_key, files_of(GetParam()).size());
  const TempDir elsewhere;
  std::filesystem::copy(dir_.path(), elsewhere / "moved", std::filesystem::copy_options::recursive);
  EXPECT_EQ(content_of(options_of(GetParam(), elsewhere / "moved")), contents);
  make_files(elsewhere / "other", 1000);
  for (const auto& [key, hash] : content_of(options_of(GetParam(), elsewhere / "other"))) {
    EXPECT_NE(hash, contents.at(key)) << key;
  }
}

INSTANTIATE_TEST_SUITE_P(Registered, EverySource, testing::ValuesIn(kRows),
                         [](const auto& row) { return row.param.label; });

}  // namespace
}  // namespace limbeck
