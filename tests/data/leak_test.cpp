#include "limbeck/data/leak.h"

#include <gmock/gmock.h>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/corpus/prepare.h"
#include "limbeck/data/training_record.h"
#include "made_options.h"
#include "support.h"

namespace limbeck {
namespace {

using test::message_of;
using test::TempDir;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

Fingerprint print(const std::string& stem, const std::string& speaker, char hash,
                  double seconds = 2) {
  return {"set/" + stem, stem, speaker, std::string(32, hash), "", seconds, false};
}

std::vector<std::string> found(const std::vector<Fingerprint>& seen,
                               const std::vector<Fingerprint>& items, bool speakers_too = false) {
  LeakIndex index;
  index.add(seen, "train");
  std::vector<std::string> texts;
  for (const Leak& leak : index.find(items, "test", speakers_too)) texts.push_back(leak.text);
  return texts;
}

TEST(LeakIndex, KnowsAFileByItsSamplesWhateverItsName) {
  EXPECT_THAT(found({print("a", "ann", '1')}, {print("b", "bob", '1', 3)}),
              ElementsAre("set/b of test has the samples of set/a of train"));
  EXPECT_THAT(found({print("a", "ann", '1')}, {print("b", "bob", '2')}), IsEmpty());
}

TEST(LeakIndex, LooksAtBothSidesOfAPair) {
  Fingerprint seen = print("a", "ann", '1');
  seen.noisy_hash = std::string(32, '2');
  Fingerprint pair = print("b", "bob", '3');
  pair.noisy_hash = std::string(32, '2');
  EXPECT_EQ(found({seen}, {pair}).size(), 1U);
  EXPECT_EQ(found({seen}, {print("b", "bob", '2')}).size(), 1U);
  pair.noisy_hash = std::string(32, '1');
  EXPECT_EQ(found({seen}, {pair}).size(), 1U);
  pair.noisy_hash = std::string(32, '4');
  EXPECT_THAT(found({seen}, {pair}), IsEmpty());
}

TEST(LeakIndex, KnowsACopyByNameAndSpeaker) {
  // At another rate, and cut: neither samples nor length agree.
  EXPECT_THAT(
      found({print("p232_001", "p232", '1', 2)}, {print("p232_001", "p232", '2', 1.5)}),
      ElementsAre("set/p232_001 of test has the name and speaker of set/p232_001 of train"));
  EXPECT_THAT(found({print("001", "ann", '1')}, {print("001", "bob", '2')}), IsEmpty());
}

TEST(LeakIndex, WantsTheLengthTooWhereASpeakerIsNotKnown) {
  EXPECT_THAT(found({print("001", "", '1', 2)}, {print("001", "ann", '2', 2.0003)}),
              ElementsAre("set/001 of test has the name and length of set/001 of train"));
  EXPECT_EQ(found({print("001", "ann", '1')}, {print("001", "", '2')}).size(), 1U);
  EXPECT_EQ(found({print("001", "", '1')}, {print("001", "", '2')}).size(), 1U);
  EXPECT_THAT(found({print("001", "", '1', 2)}, {print("001", "", '2', 2.1)}), IsEmpty());
}

TEST(LeakIndex, TellsNoiseFromSpeechAndGivesItNoSpeaker) {
  Fingerprint seen = print("ch01", "kitchen", '1');
  Fingerprint item = print("ch01", "kitchen", '2');
  seen.is_noise = true;
  EXPECT_EQ(found({seen}, {item}, true).size(), 0U);  // one is speech
  item.is_noise = true;
  EXPECT_THAT(found({seen}, {item}, true),
              ElementsAre("set/ch01 of test has the name and length of set/ch01 of train"));
  item.speaker = "park";
  EXPECT_THAT(found({seen}, {item}, true), IsEmpty());
  item.speaker = "kitchen";
  item.seconds = 3;
  EXPECT_THAT(found({seen}, {item}, true), IsEmpty());
  item.hash = seen.hash;
  EXPECT_EQ(found({seen}, {item}, true).size(), 1U);
}

TEST(LeakIndex, CountsTheFilesOfASharedSpeakerOnEachSide) {
  LeakIndex index;
  index.add({print("a", "ann", '1'), print("b", "ann", '2'), print("c", "", '3')}, "train");
  index.add({print("d", "ann", '4')}, "valid");
  const std::vector<Fingerprint> items = {print("e", "ann", '5'), print("f", "bob", '6'),
                                          print("g", "", '7')};
  const auto leaks = index.find(items, "test", true);
  ASSERT_EQ(leaks.size(), 2U);
  EXPECT_EQ(leaks[0].text, "speaker ann is in test (1 ×) and in train (2 ×)");
  EXPECT_EQ(leaks[1].text, "speaker ann is in test (1 ×) and in valid (1 ×)");
  EXPECT_EQ(leaks[0].kind, Leak::Kind::speaker);
  EXPECT_THAT(index.find(items, "test", false), IsEmpty());
  EXPECT_EQ(leak_summary(leaks),
            "1 speaker (ann) of test in train; 1 speaker (ann) of test in valid");
}

TEST(RefuseLeaks, ListsTheFirstTenAndCountsTheRest) {
  std::vector<Leak> leaks;
  for (int i = 0; i < 12; ++i) {
    leaks.push_back(
        {Leak::Kind::file, format("f%02d", i), "test in train", format("leak %02d", i)});
  }
  leaks.push_back({Leak::Kind::speaker, "ann", "test in train", "speaker ann"});
  Logger quiet(Verbosity::quiet);
  EXPECT_EQ(refuse_leaks({}, false, "p.yaml", quiet), "");
  const std::string message =
      message_of<DataError>([&] { refuse_leaks(leaks, false, "p.yaml", quiet); });
  EXPECT_TRUE(message.starts_with(
      "p.yaml: 12 files (f00, f01, f02, …) and 1 speaker (ann) of test in train\n  leak 00\n"))
      << message;
  EXPECT_THAT(message, HasSubstr("\n  leak 09\n  and 3 more\n"));
  EXPECT_THAT(message, Not(HasSubstr("leak 10")));
  EXPECT_THAT(message, HasSubstr("--allow-leak"));
}

TEST(RefuseLeaks, AllowsLoudlyAndGivesTheNote) {
  Logger quiet(Verbosity::quiet);
  testing::internal::CaptureStderr();
  const std::string note =
      refuse_leaks({{Leak::Kind::file, "a", "valid in train", "a is b"}}, true, "p.yaml", quiet);
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_EQ(note, "LEAK ALLOWED: 1 file (a) of valid in train");
  EXPECT_THAT(said, HasSubstr("LEAK ALLOWED: p.yaml: 1 file (a) of valid in train\n  a is b"));
}

TEST(AddNote, SaysEachThingOnce) {
  std::vector<std::string> notes;
  add_note(notes, "");
  add_note(notes, "partial set: 1 of 2");
  add_note(notes, "partial set: 1 of 2", "training: ");
  add_note(notes, "LEAK ALLOWED: a", "training: ");
  add_note(notes, "LEAK ALLOWED: a", "training: ");
  EXPECT_THAT(notes, ElementsAre("partial set: 1 of 2", "training: LEAK ALLOWED: a"));
}

TEST(RealRecordings, ShareNothingAndAreKnownAtAnotherRate) {
  LIMBECK_NEED_SHARED_DATA(data);
  Logger quiet(Verbosity::quiet);
  const auto recordings = [&](const char* folder, int64_t rate_hz, SpeakerRule rule) {
    RecordingsOptions options;
    options.folders = {data / folder};
    options.rate_hz = rate_hz;
    options.speaker = rule;
    return fingerprints(prepare_recordings(options, quiet).manifest.entries);
  };
  PairsOptions pairs;
  pairs.clean = data / "vbd_test/clean";
  pairs.noisy = data / "vbd_test/noisy";
  const auto test = fingerprints(prepare_pairs(pairs, quiet).manifest.entries);
  ASSERT_EQ(test.size(), 25U);
  EXPECT_THAT(found(recordings("clean", 16000, SpeakerRule::automatic), test, true), IsEmpty());

  const auto slow = recordings("clean/p234", 16000, SpeakerRule::prefix);
  const auto leaks = found(slow, recordings("clean_48k/p234", 48000, SpeakerRule::prefix), true);
  ASSERT_EQ(leaks.size(), slow.size() + 1);
  EXPECT_THAT(leaks.front(), HasSubstr("has the name and speaker of p234_001 of train"));
  EXPECT_THAT(leaks.back(), HasSubstr("speaker p234 is in test (9 ×) and in train (9 ×)"));
  // Without speakers the length tells.
  const auto unnamed = recordings("clean_48k/p234", 48000, SpeakerRule::none);
  EXPECT_EQ(found(slow, unnamed, true).size(), slow.size());
}

// Random manifests without a leak, in which one is planted.

class RandomSet {
 public:
  explicit RandomSet(SeedKey key) : random_(key) {
    uses_pairs_ = chance();
    for (const Split split : {Split::train, Split::valid, Split::test}) {
      const int64_t count = 1 + below(12);
      const std::string name = split_name(split);
      for (int64_t i = 0; i < count; ++i) {
        add(uses_pairs_ || split == Split::test ? pairs_ : speech_, name + format("%d", int(i)),
            split, chance() ? name + format("-speaker%d", int(below(3))) : "");
        if (!uses_pairs_) add(noise_, name + format("-noise%d", int(i)), split, "kind");
      }
    }
  }

  bool chance() { return random_.below(2) == 0; }
  int64_t below(int64_t count) {
    return static_cast<int64_t>(random_.below(static_cast<uint64_t>(count)));
  }
  std::string hash() { return format("%016x%016x", random_.bits(), random_.bits()); }

  /// A random entry of the split that is no noise.
  ManifestEntry& pick(Split split) {
    auto& entries = uses_pairs_ || split == Split::test ? pairs_ : speech_;
    std::vector<ManifestEntry*> of_split;
    for (ManifestEntry& entry : entries) {
      if (entry.split == split) of_split.push_back(&entry);
    }
    return *of_split[static_cast<size_t>(below(static_cast<int64_t>(of_split.size())))];
  }
  ManifestEntry* pick_noise(Split split) {
    for (ManifestEntry& entry : noise_) {
      if (entry.split == split && (chance() || &entry == &noise_.back())) return &entry;
    }
    return nullptr;
  }

  /// Writes the manifests into `dir` and returns options that name them.
  DataOptions write(const std::filesystem::path& dir) {
    const auto put = [&](const char* name, Manifest::Kind kind,
                         std::vector<ManifestEntry>& entries) -> std::string {
      if (entries.empty()) return "";
      Manifest manifest;
      manifest.kind = kind;
      const auto order = permutation(static_cast<int64_t>(entries.size()), SeedKey(random_.bits()));
      for (const int64_t i : order) manifest.entries.push_back(entries[static_cast<size_t>(i)]);
      for (ManifestEntry& entry : manifest.entries) {
        entry.audio.path = dir / entry.audio.path;
        entry.noisy.path = dir / entry.noisy.path;
      }
      manifest.write(dir / name);
      return (dir / name).string();
    };
    const std::string pairs = put("pairs.csv", Manifest::Kind::pairs, pairs_);
    Protocol protocol;
    protocol.name = "random";
    const auto add_if = [&](Role role, const std::string& path) {
      if (path.empty()) return;
      const Manifest manifest = Manifest::read(path);
      for (const Split split : {Split::train, Split::valid, Split::test}) {
        if (split == Split::test && role != Role::pairs) continue;
        if (!manifest.filter(split).entries.empty()) protocol.add(split, role, manifest);
      }
    };
    add_if(Role::pairs, pairs);
    add_if(Role::speech, put("speech.csv", Manifest::Kind::recordings, speech_));
    add_if(Role::noise, put("noise.csv", Manifest::Kind::recordings, noise_));
    protocol.write(dir / "protocol.yaml");
    return test::data_options("source: {type: protocol, file: " + (dir / "protocol.yaml").string() +
                              "}");
  }

 private:
  void add(std::vector<ManifestEntry>& entries, const std::string& id, Split split,
           const std::string& speaker) {
    ManifestEntry entry;
    entry.id = id;
    entry.audio = {"audio/" + id + ".flac", hash()};
    if (&entries == &pairs_) entry.noisy = {"noisy/" + id + ".flac", hash()};
    entry.speaker = speaker;
    entry.split = split;
    entry.samples = 16000 + below(16000);
    entry.rate_hz = 16000;
    entries.push_back(entry);
  }

  Random random_;
  bool uses_pairs_ = false;
  std::vector<ManifestEntry> pairs_, speech_, noise_;
};

/// Goes the way of training.
void check(const DataOptions& options) {
  const DataSelection data = select_data(options);
  Logger quiet(Verbosity::quiet);
  refuse_leaks(TrainingRecord(data).leaks(data), false, data.source, quiet);
}

/// Plants one leak; returns what the refusal has to say.
std::string plant(RandomSet& set, int kind, std::string& label) {
  const bool in_test = set.chance();
  const Split to = in_test ? Split::test : Split::valid;
  const Split from = in_test && set.chance() ? Split::valid : Split::train;
  ManifestEntry& seen = set.pick(from);
  ManifestEntry& leaked = set.pick(to);
  const std::string of = " of " + std::string(split_name(to)) + " has the ";
  const std::string in = " of " + seen.id + " of " + split_name(from);
  switch (kind) {
    case 0: {
      label = "samples";
      AudioFile& target = leaked.noisy.hash.empty() || set.chance() ? leaked.audio : leaked.noisy;
      target.hash = seen.noisy.hash.empty() || set.chance() ? seen.audio.hash : seen.noisy.hash;
      return leaked.id + of + "samples" + in;
    }
    case 1: {  // a resampled copy
      label = "name and speaker";
      seen.speaker = leaked.speaker = "someone";
      leaked.audio.path = "elsewhere/" + seen.audio.path.stem().string() + ".wav";
      return leaked.id + of + "name and speaker" + in;
    }
    case 2: {
      label = "name and length";
      (set.chance() ? seen : leaked).speaker = "";
      leaked.audio.path = "elsewhere/" + seen.audio.path.stem().string() + ".wav";
      leaked.samples = seen.samples * 3;
      leaked.rate_hz = 48000;
      return leaked.id + of + "name and length" + in;
    }
    case 3: {
      label = "speaker";
      ManifestEntry& test = set.pick(Split::test);
      seen.speaker = test.speaker = "someone";
      return format("speaker someone is in test (1 ×) and in %s (1 ×)", split_name(from));
    }
    default: {
      label = "noise";
      ManifestEntry* a = set.pick_noise(Split::train);
      ManifestEntry* b = set.pick_noise(Split::valid);
      if (a == nullptr || b == nullptr) return "";
      b->audio.hash = a->audio.hash;
      return b->id + " of valid has the samples of " + a->id + " of train";
    }
  }
}

TEST(LeakProperty, APlantedLeakIsRefusedAndNamedAndNothingElseIs) {
  const int rounds = 120;
  std::map<std::string, int> planted;
  for (int round = 0; round < rounds; ++round) {
    const TempDir dir;
    RandomSet set(SeedKey(7).with(static_cast<uint64_t>(round)));
    const DataOptions options = set.write(dir.path());
    ASSERT_NO_THROW(check(options)) << "round " << round;
    std::string label;
    const std::string expected = plant(set, round % 5, label);
    if (expected.empty()) continue;
    ++planted[label];
    // The protocol was locked before the manifest changed.
    const std::string locked = read_file(dir / "protocol.yaml");
    const DataOptions with_leak = set.write(dir.path());
    const std::string message = message_of<DataError>([&] { check(with_leak); });
    EXPECT_THAT(message, HasSubstr("\n  " + expected + "\n")) << "round " << round;
    EXPECT_EQ(message.find("more\nTake"), std::string::npos) << message;
    test::put_text(dir / "protocol.yaml", locked);
    EXPECT_THAT(message_of<DataError>([&] { check(with_leak); }), HasSubstr("changed since"));
  }
  for (const char* label : {"samples", "name and speaker", "name and length", "speaker", "noise"}) {
    EXPECT_GE(planted[label], 6) << label;
  }
}

}  // namespace
}  // namespace limbeck
