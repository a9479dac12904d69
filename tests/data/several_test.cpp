#include "limbeck/data/several.h"

#include <gmock/gmock.h>

#include <map>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/data/selection.h"
#include "limbeck/data/training_record.h"
#include "made_corpus.h"
#include "made_options.h"

namespace limbeck {
namespace {

using test::message_of;
using test::TempDir;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::map<int64_t, int> counts_of(const Turns& turns) {
  std::map<int64_t, int> counts;
  for (int64_t i = 0; i < turns.items(); ++i) ++counts[turns.entry_of(i)];
  return counts;
}

TEST(Turns, GoThroughTheEntriesWithoutShares) {
  EXPECT_EQ(counts_of(Turns(3)), (std::map<int64_t, int>{{0, 1}, {1, 1}, {2, 1}}));
  EXPECT_EQ(Turns(3).entry_of(2), 2);
}

TEST(Turns, AreTheFewestThatMeetTheShares) {
  EXPECT_EQ(counts_of(Turns(5, {{4, 1}, {1, 1}})),
            (std::map<int64_t, int>{{0, 1}, {1, 1}, {2, 1}, {3, 1}, {4, 4}}));
  // 6 of 8 from the first three, of which none comes less than another by more than one.
  EXPECT_EQ(counts_of(Turns(5, {{3, 3}, {2, 1}})),
            (std::map<int64_t, int>{{0, 2}, {1, 2}, {2, 2}, {3, 1}, {4, 1}}));
  EXPECT_EQ(counts_of(Turns(5, {{3, 2}, {2, 1}})),
            (std::map<int64_t, int>{{0, 2}, {1, 1}, {2, 1}, {3, 1}, {4, 1}}));
}

TEST(Turns, AreDrawnAsTheSharesSay) {
  const Turns turns(110, {{100, 0.2}, {10, 0.6}});
  Random random{SeedKey(1)};
  std::map<int64_t, int> counts;
  int of_second = 0;
  for (int i = 0; i < 20000; ++i) {
    const int64_t entry = turns.draw(random);
    ++counts[entry];
    of_second += entry >= 100 ? 1 : 0;
  }
  EXPECT_NEAR(of_second, 15000, 250);
  EXPECT_EQ(counts.size(), 110U);
}

TEST(Turns, RefuseSharesThatNothingOrTooMuchMeets) {
  EXPECT_THAT(message_of<DataError>([] { Turns(1000001, {{1000000, 0.001}, {1, 1000}}); }),
              HasSubstr("need an epoch of 1000001000000 items"));
  EXPECT_THAT(message_of<DataError>([] { Turns(1, {{1, 1}, {0, 1}}); }), HasSubstr("nothing has"));
}

/// Two corpora whose recordings are called alike.
class SeveralManifests : public testing::Test {
 protected:
  SeveralManifests() {
    put("one", {Split::train, Split::train, Split::train, Split::valid, Split::test}, 200);
    put("two", {Split::train, Split::valid, Split::valid, Split::test}, 1500);
    put("noise", {Split::train, Split::valid}, 0);
    put("hum", {Split::train, Split::valid}, 90);
  }
  void put(const std::string& name, const std::vector<Split>& splits, double hz) {
    Manifest manifest;
    for (size_t i = 0; i < splits.size(); ++i) {
      const std::string id = format("r%d", i);
      const auto n = static_cast<int64_t>(i);
      manifest.entries.push_back(test::put_entry(
          dir_ / name / (id + ".wav"), hz > 0 ? test::bursts(8000 + n, hz + 10 * double(n))
                                              : test::white(8000, static_cast<uint64_t>(n), 0.1)));
      manifest.entries.back().split = splits[i];
      manifest.entries.back().speaker = name + (splits[i] == Split::test ? "-t" : "");
    }
    manifest.write(dir_ / (name + ".csv"));
  }
  std::string file(const std::string& name) const { return (dir_ / (name + ".csv")).string(); }
  DataOptions options(const std::string& speech, const std::string& more = "") const {
    return test::data_options("source: {type: mixtures, speech: " + speech +
                              ", noise: " + file("noise") + more + "}, segment_seconds: 0.25");
  }
  std::string both() const { return "[" + file("one") + ", " + file("two") + "]"; }

  TempDir dir_;
};

TEST_F(SeveralManifests, AreTakenAsOneAndToldApartByTheirNumber) {
  const DataSelection data = select_data(options(both()));
  std::vector<std::string> ids, valid;
  for (const auto& entry : data.train.speech) ids.push_back(entry.id);
  for (const auto& entry : data.valid.speech) valid.push_back(entry.id);
  EXPECT_THAT(ids, ElementsAre("r0", "r1", "r2", "r0#2"));
  EXPECT_THAT(valid, ElementsAre("r3", "r1", "r2"));
  EXPECT_EQ(data.source, file("one") + ", " + file("two") + ", " + file("noise"));
  // What an item is made of is read from its own file, not from that of the same name.
  const auto dataset = make_train_dataset(options(both()), data);
  ASSERT_EQ(dataset->size(), 4);
  const Example first = dataset->get(0, SeedKey(3));
  const Example last = dataset->get(3, SeedKey(3));
  EXPECT_EQ(last.recipe.speech.at(0).id, "r0#2");
  EXPECT_NE(test::hash_of(first.clean), test::hash_of(last.clean));
  // All of it is held against what is tested on.
  const TrainingRecord record(data);
  EXPECT_EQ(record.train.size(), 4U + 1U);
  EXPECT_EQ(record.valid.size(), 3U + 1U);
  EXPECT_TRUE(record.leaks(data).empty());
  Manifest trained = Manifest::read(file("two"));
  trained.entries.at(3).speaker = "one";
  trained.write(file("two"));
  const DataSelection leaky = select_data(options(both()));
  EXPECT_EQ(leak_summary(TrainingRecord(leaky).leaks(leaky)),
            "1 speaker (one) of test in train; 1 file (r3) and 1 speaker (one) of test in valid");
}

TEST_F(SeveralManifests, OneIsWhatItWasWithoutAList) {
  const auto alone = content_of(options(file("one")));
  EXPECT_EQ(content_of(options("[" + file("one") + "]")), alone);
  EXPECT_EQ(config::to_node(options("[" + file("one") + "]").source).find("speech")->scalar,
            file("one"));
}

TEST_F(SeveralManifests, AreKnownByContentAndOrder) {
  const auto content = [&](const std::string& speech, const std::string& more = "") {
    return content_of(options(speech, more)).at("source.speech");
  };
  const std::string before = content(both());
  EXPECT_NE(before, content(file("one")));
  EXPECT_NE(before, content("[" + file("two") + ", " + file("one") + "]"));
  std::filesystem::copy(dir_ / "two.csv", dir_ / "moved.csv");
  EXPECT_EQ(before, content("[" + file("one") + ", " + file("moved") + "]"));
  // With shares it matters what comes from where.
  EXPECT_NE(before, content(both(), ", speech_shares: [1, 1]"));
}

TEST_F(SeveralManifests, HaveTheirSharesInTraining) {
  const DataOptions shared = options(both(), ", speech_shares: [1, 2]");
  const auto dataset = make_train_dataset(shared);
  std::map<std::string, int> counts;
  for (int64_t i = 0; i < dataset->size(); ++i) ++counts[dataset->get(i, SeedKey(1)).recipe.id];
  EXPECT_EQ(counts, (std::map<std::string, int>{{"r0", 1}, {"r1", 1}, {"r2", 1}, {"r0#2", 6}}));
  // Validation goes by entry.
  EXPECT_EQ(make_fixed_dataset(shared, select_data(shared), Split::valid)->size(), 3);

  const DataOptions noises =
      test::data_options("source: {type: mixtures, speech: " + file("one") + ", noise: [" +
                         file("noise") + ", " + file("hum") + "], noise_shares: [1, 9]}");
  const auto mixed = make_train_dataset(noises);
  int hums = 0;
  for (uint64_t i = 0; i < 100; ++i) {
    hums += mixed->get(0, SeedKey(i)).recipe.noise.at(0).id == "r0#2" ? 1 : 0;
  }
  EXPECT_NEAR(hums, 90, 9);
}

TEST_F(SeveralManifests, AreRefusedWhereTheyDoNotFitTogether) {
  const auto message = [&](const std::string& speech, const std::string& more = "") {
    try {
      select_data(options(speech, more));
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  EXPECT_EQ(message("[" + file("one") + ", " + file("one") + "]"),
            file("one") + ": lists what " + file("one") + " lists; name one of them");
  EXPECT_THAT(message(both(), ", speech_shares: [1]"),
              HasSubstr("source.speech_shares: gives 1 shares for 2 manifests"));
  EXPECT_THAT(message(both(), ", speech_shares: [1, 0]"), HasSubstr("out of range"));
  EXPECT_THAT(message("[]"), HasSubstr("source.speech: names no manifest"));
  EXPECT_THAT(message("[" + file("one") + ", '']"), HasSubstr("names no manifest"));
  put("tested", {Split::test}, 300);
  EXPECT_EQ(message("[" + file("one") + ", " + file("tested") + "]", ", speech_shares: [1, 1]"),
            file("tested") + ": has a share of training, and no entry of split train");
}

}  // namespace
}  // namespace limbeck
