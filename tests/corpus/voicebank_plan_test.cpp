#include "corpus/voicebank/voicebank_plan.h"

#include <gmock/gmock.h>

#include <set>

#include "corpus/voicebank_fixture.h"
#include "limbeck/corpus/doctor.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;
using test::MadeVoiceBank;
using test::message_of;
using test::VoiceBank;
using test::wav_bytes;
using test::white;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

TEST(VoiceBankSplits, AreThoseOfThePapers) {
  std::map<Split, int> speakers;
  for (int i = 200; i < 400; ++i) {
    Split split{};
    if (voicebank_split("p" + std::to_string(i), split)) ++speakers[split];
  }
  EXPECT_EQ(speakers,
            (std::map<Split, int>{{Split::train, 26}, {Split::valid, 2}, {Split::test, 2}}));
  const auto of = [](const std::string& speaker) {
    Split split{};
    EXPECT_TRUE(voicebank_split(speaker, split)) << speaker;
    return split;
  };
  EXPECT_EQ(of("p232"), Split::test);
  EXPECT_EQ(of("p257"), Split::test);
  EXPECT_EQ(of("p226"), Split::valid);
  EXPECT_EQ(of("p287"), Split::valid);
  EXPECT_EQ(of("p286"), Split::train);
  Split split{};
  EXPECT_FALSE(voicebank_split("p234", split));  // of the corpus, but not of this set
  EXPECT_FALSE(voicebank_split("", split));
  EXPECT_EQ(voicebank_count(Split::train) + voicebank_count(Split::valid), 11572);
  EXPECT_EQ(voicebank_count(Split::test), 824);
  EXPECT_EQ(partial_note({{Split::train, 10802}, {Split::valid, 770}, {Split::test, 824}}), "");
  EXPECT_EQ(partial_note({{Split::train, 10802}, {Split::test, 823}}),
            "train 10802 of 10802, valid 0 of 770, test 823 of 824");
}

TEST(VoiceBankLog, IsReadInAnyOfItsForms) {
  Logger logger(Verbosity::quiet);
  const TextFile log{"log.txt",
                     "p226_001 babble 10\r\n\nclean/p226_002.wav, cafeteria, 2.5\np226_003 -5 ssn\n"
                     "p226_004\tpublic square\t17.5dB\nname noise snr\np226_005 bus\n"
                     "p226_001 bus 3\np226_001 babble 10"};
  const auto mixtures = parse_mixture_log(log, logger);
  EXPECT_THAT(mixtures,
              UnorderedElementsAre(std::pair("p226_001", LoggedMixture{"babble", "10"}),
                                   std::pair("p226_002", LoggedMixture{"cafeteria", "2.5"}),
                                   std::pair("p226_003", LoggedMixture{"ssn", "-5"}),
                                   std::pair("p226_004", LoggedMixture{"public square", "17.5"})));
}

TEST_F(VoiceBank, RefusesAPartUnlessItIsAllowed) {
  corpus_.write_zips(source());
  EXPECT_EQ(
      refusal(),
      source().string() + ": is not the whole VoiceBank-DEMAND set of 28 speakers:\n  " +
          (source() / "clean_trainset_28spk_wav.zip").string() +
          " and noisy_trainset_28spk_wav.zip: have 8 pairs of this set, where 11572 are "
          "published\n  " +
          (source() / "clean_testset_wav.zip").string() +
          " and noisy_testset_wav.zip: have 4 pairs of this set, where 824 are published\n"
          "Mend this, or take what is there with --allow-partial, which every table will then "
          "say.");
  EXPECT_FALSE(fs::exists(out()));
}

TEST_F(VoiceBank, NamesWhatIsMissingAndWhatIsTooMuch) {
  corpus_.folders[MadeVoiceBank::kCleanTrain].erase("p226_023.wav");
  corpus_.folders[MadeVoiceBank::kNoisyTrain].erase("p227_001.wav");
  corpus_.folders[MadeVoiceBank::kCleanTest].erase("p232_001.wav");
  corpus_.folders[MadeVoiceBank::kNoisyTest].erase("p232_001.wav");
  const std::string wav = wav_bytes(white(3000, 99));
  corpus_.put("p234_001", wav, wav);                                  // no speaker of this set
  corpus_.put("p286_002", wav, wav);                                  // not in the log
  corpus_.folders[MadeVoiceBank::kCleanTrain]["p232_009.wav"] = wav;  // of test
  corpus_.folders[MadeVoiceBank::kNoisyTrain]["p232_009.wav"] = wav;
  corpus_.folders[MadeVoiceBank::kCleanTrain]["p287_001.flac"] = wav;
  corpus_.write_folders(source());
  const std::string text = refusal();
  const auto path = [&](const char* folder, const char* file) {
    return (source() / folder / file).string();
  };
  const auto& clean = MadeVoiceBank::kCleanTrain;
  const auto& noisy = MadeVoiceBank::kNoisyTrain;
  EXPECT_THAT(text, HasSubstr(path(noisy, "p226_023.wav") + ": has no partner in " +
                              path(clean, "").substr(0, path(clean, "").size() - 1)));
  EXPECT_THAT(text, HasSubstr(path(clean, "p227_001.wav") + ": has no partner in "));
  EXPECT_THAT(text, HasSubstr("p232_001: is missing; " + (source() / "log_testset.txt").string()));
  EXPECT_THAT(text, HasSubstr(path(clean, "p234_001.wav") +
                              ": is too much: the set has no speaker 'p234' here"));
  EXPECT_THAT(text, HasSubstr(path(clean, "p232_009.wav") +
                              ": is too much: the set has no speaker 'p232' here"));
  EXPECT_THAT(text, HasSubstr(path(clean, "p286_002.wav") + ": is too much; "));
  EXPECT_THAT(text, HasSubstr("p287_001.wav: has the same name as "));

  const VoiceBankReport report = prepare();
  EXPECT_EQ(report.partial, "train 3 of 10802, valid 2 of 770, test 3 of 824");
  EXPECT_THAT(report.problems, IsEmpty());
  std::set<std::string> ids;
  for (const Manifest& manifest : report.manifests) {
    for (const ManifestEntry& entry : manifest.entries) ids.insert(entry.id);
  }
  EXPECT_THAT(ids, ElementsAre("p226_001", "p227_023", "p232_023", "p257_001", "p257_023",
                               "p286_001", "p286_023", "p287_023"));
}

TEST_F(VoiceBank, TakesTheTestSetAlone) {
  corpus_.folders.erase(MadeVoiceBank::kCleanTrain);
  corpus_.folders.erase(MadeVoiceBank::kNoisyTrain);
  corpus_.logs.clear();
  corpus_.write_zips(source());
  EXPECT_THAT(refusal(), HasSubstr("clean_trainset_28spk_wav: is not in " + source().string() +
                                   ", neither as a zip file nor as a folder"));
  const VoiceBankReport report = prepare();
  ASSERT_EQ(report.manifests.size(), 1U);
  EXPECT_THAT(report.manifests[0].entries[0].extra, ElementsAre("", "", "0", "0"));
  EXPECT_FALSE(fs::exists(out() / "train.csv"));
  EXPECT_TRUE(Protocol::read(out() / "protocol.yaml").train.empty());
}

TEST_F(VoiceBank, SaysWhyNothingCouldBeTaken) {
  fs::create_directories(source());
  EXPECT_THAT(
      message_of<DataError>([&] { prepare(); }),
      HasSubstr("holds no pair that can be taken:\n  clean_trainset_28spk_wav: is not in "));
  EXPECT_EQ(message_of<DataError>(
                [&] { prepare_voicebank_demand({dir_ / "nowhere", out(), true, 1}, logger_); }),
            (dir_ / "nowhere").string() + ": does not exist");
  EXPECT_FALSE(fs::exists(out()));
}

// All 12,396 pairs, of a few samples each: the whole set is recognised as such, and one pair less
// as a part.
TEST_F(VoiceBank, KnowsTheWholeSet) {
  corpus_.folders.clear();
  corpus_.logs.clear();
  std::map<Split, std::vector<std::string>> speakers;
  for (int i = 200; i < 400; ++i) {
    const std::string speaker = "p" + std::to_string(i);
    if (Split split{}; voicebank_split(speaker, split)) speakers[split].push_back(speaker);
  }
  constexpr size_t kSamples = 30;
  const std::string header = wav_bytes(white(kSamples, 1)).substr(0, 44);
  Random random{SeedKey(1)};
  for (const auto& [split, names] : speakers) {
    for (int64_t i = 0; i < voicebank_count(split); ++i) {
      const std::string& speaker = names[static_cast<size_t>(i) % names.size()];
      std::string wav = header;
      while (wav.size() < 44 + 2 * kSamples) wav += static_cast<char>(random.below(64));
      std::string noisy = wav;
      noisy.back() ^= 1;
      corpus_.put(speaker + "_" + std::to_string(1000 + i), wav, noisy);
    }
  }
  corpus_.write_zips(source());
  const VoiceBankPlan plan = plan_voicebank(source(), logger_);
  EXPECT_THAT(plan.faults, IsEmpty());
  EXPECT_EQ(plan.pairs.size(), 12396U);
  const VoiceBankReport report = prepare(false);
  EXPECT_EQ(report.converted, 12396);
  EXPECT_TRUE(report.locked);
  EXPECT_EQ(report.partial, "");
  EXPECT_FALSE(Protocol::read(out() / "protocol.yaml").partial);
  EXPECT_THAT(check_data(out(), 2, logger_).faults, IsEmpty());

  corpus_.folders[MadeVoiceBank::kCleanTest].erase(
      corpus_.folders[MadeVoiceBank::kCleanTest].begin());
  fs::remove_all(source());
  corpus_.write_zips(source());
  EXPECT_THAT(plan_voicebank(source(), logger_).faults,
              ElementsAre(HasSubstr("has no partner in "),
                          HasSubstr("have 823 pairs of this set, where 824 are published")));
}

TEST(VoiceBankCheck, HoldsEntriesAgainstTheSet) {
  Protocol protocol;
  std::vector<ManifestEntry> entries(1);
  entries[0].speaker = "p232";
  entries[0].split = Split::train;
  entries[0].rate_hz = 48000;
  EXPECT_THAT(check_voicebank(protocol, entries),
              ElementsAre("speaker 'p232' does not belong to split train of this set",
                          "1 pairs have another rate than 16000 Hz",
                          "the set is not whole, and the protocol does not say so: train 1 of "
                          "10802, valid 0 of 770, test 0 of 824"));
  entries[0].split = Split::test;
  entries[0].rate_hz = 16000;
  protocol.partial = true;
  EXPECT_THAT(check_voicebank(protocol, entries), IsEmpty());
}

}  // namespace
}  // namespace limbeck
