#include "limbeck/corpus/voicebank_demand.h"

#include <gmock/gmock.h>

#include "corpus/voicebank_fixture.h"
#include "limbeck/audio/resample.h"
#include "limbeck/core/csv.h"
#include "limbeck/corpus/doctor.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;
using test::MadeVoiceBank;
using test::message_of;
using test::put_text;
using test::VoiceBank;
using test::wav_bytes;
using test::white;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const ManifestEntry& entry_of(const Manifest& manifest, const std::string& id) {
  for (const ManifestEntry& entry : manifest.entries) {
    if (entry.id == id) return entry;
  }
  throw std::runtime_error("no entry " + id);
}

TEST_F(VoiceBank, PreparesZipsAndFoldersAlike) {
  corpus_.write_zips(source());
  const VoiceBankReport report = prepare();
  EXPECT_THAT(report.problems, IsEmpty());
  EXPECT_EQ(report.converted, 12);
  EXPECT_EQ(report.kept, 0);
  EXPECT_TRUE(report.locked);
  EXPECT_EQ(report.partial, "train 4 of 10802, valid 4 of 770, test 4 of 824");
  ASSERT_EQ(report.manifests.size(), 3U);
  EXPECT_FALSE(fs::exists(out() / "failures.csv"));
  const std::vector<std::string> lists = {text("train.csv"), text("valid.csv"), text("test.csv"),
                                          text("protocol.yaml")};

  const Manifest test = Manifest::read(out() / "test.csv");
  EXPECT_THAT(test.extra_columns, ElementsAre("noise", "snr_db", "clean_clipped", "noisy_clipped"));
  ASSERT_EQ(test.entries.size(), 4U);
  const ManifestEntry entry = entry_of(test, "p257_023");
  EXPECT_EQ(entry.audio.path, out() / "test/clean/p257_023.flac");
  EXPECT_EQ(entry.noisy.path, out() / "test/noisy/p257_023.flac");
  EXPECT_EQ(entry.speaker, "p257");
  EXPECT_EQ(entry.split, Split::test);
  EXPECT_EQ(entry.rate_hz, 16000);
  EXPECT_EQ(entry.samples, (9000 + 301 * 12 + 2) / 3);
  EXPECT_THAT(entry.extra, ElementsAre("bus", "7.5", "0", "0"));
  EXPECT_EQ(Manifest::read(out() / "valid.csv").entries[0].id, "p226_001");
  EXPECT_THAT(Manifest::read(out() / "train.csv").entries[0].extra,
              ElementsAre("babble", "10", "0", "0"));

  const Protocol protocol = Protocol::read(out() / "protocol.yaml");
  EXPECT_EQ(protocol.name, "voicebank-demand");
  EXPECT_TRUE(protocol.partial);
  EXPECT_EQ(protocol.note, report.partial);
  EXPECT_EQ(protocol.test.pairs.at(0).hash, test.content_hash());

  for (const std::string base : {"", "/data"}) {  // in the folder, or one folder down
    fs::remove_all(source());
    fs::remove_all(out());
    corpus_.write_folders(source().string() + base);
    prepare();
    EXPECT_EQ(lists, (std::vector<std::string>{text("train.csv"), text("valid.csv"),
                                               text("test.csv"), text("protocol.yaml")}));
  }
}

TEST_F(VoiceBank, WritesTheToneThatTheOriginalHolds) {
  corpus_.write_zips(source());
  prepare();
  const Waveform made = read_audio(out() / "train/clean/p227_001.flac");
  EXPECT_EQ(made.rate_hz, 16000);
  const auto wanted = test::sine(made.size(), MadeVoiceBank::tone_hz(3), 0.2, 16000);
  // Half a step of 16 bits at each rounding, before and after, and what the filter does.
  for (size_t i = 300; i + 300 < wanted.size(); ++i) {
    ASSERT_NEAR(made.samples[i], wanted[i], 1.2 / 32768) << i;
  }
}

TEST_F(VoiceBank, TakesCopiesThatAreAt16Khz) {
  uint64_t seed = 0;
  for (auto& [folder, files] : corpus_.folders) {
    for (auto& [name, bytes] : files) bytes = wav_bytes(white(3001, ++seed), 16000);
  }
  corpus_.clean("p286_001") = wav_bytes(white(9003, 5));
  corpus_.write_folders(source());
  const VoiceBankReport report = prepare();
  EXPECT_EQ(report.source_hz, 16000);
  EXPECT_EQ(report.converted, 11);
  EXPECT_THAT(problems(report),
              ElementsAre("clean_trainset_28spk_wav/p286_001.wav: has 48000 Hz where the others "
                          "have 16000 Hz"));
  EXPECT_EQ(read_audio(out() / "test/noisy/p257_023.flac").samples,
            read_audio(source() / "noisy_testset_wav/p257_023.wav").samples);
  const std::string note = Protocol::read(out() / "protocol.yaml").note;
  EXPECT_EQ(note, report.partial +
                      "; made from copies at 16 kHz, whose conversion is not known, not "
                      "from the originals at 48 kHz");
  EXPECT_TRUE(check_data(out(), 1, logger_).faults.empty());
}

TEST_F(VoiceBank, OneStrayFileDoesNotDecideTheRateOfAll) {
  corpus_.clean("p227_001") = wav_bytes(white(3001, 5), 16000);  // the first of the plan
  corpus_.write_folders(source());
  const VoiceBankReport report = prepare();
  EXPECT_EQ(report.source_hz, 48000);
  EXPECT_EQ(report.converted, 11);
  EXPECT_THAT(problems(report),
              ElementsAre("clean_trainset_28spk_wav/p227_001.wav: has 16000 Hz where the originals "
                          "have 48000 Hz"));
}

TEST_F(VoiceBank, NamesEachBrokenFileAndPreparesTheRest) {
  std::string& cut = corpus_.clean("p226_001");
  cut.resize(cut.size() - 1000);
  corpus_.noisy("p227_001") = wav_bytes(white(9134, 5));  // its partner has 9903
  corpus_.noisy("p227_023") = wav_bytes(white(9000, 5), 16000);
  corpus_.clean("p286_001") = "no audio at all, whatever its name says";
  corpus_.write_folders(source());
  const VoiceBankReport report = prepare();
  EXPECT_THAT(
      problems(report),
      ElementsAre("clean_trainset_28spk_wav/p227_001.wav: has 9903 samples and " +
                      (source() / "noisy_trainset_28spk_wav/p227_001.wav").string() +
                      " has 9134, more than 768 (16 ms) apart",
                  "noisy_trainset_28spk_wav/p227_023.wav: has 16000 Hz where the originals "
                  "have 48000 Hz",
                  HasSubstr("clean_trainset_28spk_wav/p286_001.wav: cannot be read as audio"),
                  "clean_trainset_28spk_wav/p226_001.wav: is cut short: its header "
                  "promises 9301 samples, and there are 8801"));
  EXPECT_EQ(report.partial, "train 1 of 10802, valid 3 of 770, test 4 of 824");
  EXPECT_TRUE(report.locked);
  EXPECT_FALSE(fs::exists(out() / "train/clean/p227_001.flac"));
  const Csv failures = read_csv(out() / "failures.csv");
  EXPECT_THAT(failures.header, ElementsAre("file", "reason"));
  ASSERT_EQ(failures.rows.size(), 4U);
  EXPECT_EQ(failures.rows[1][0], (source() / "noisy_trainset_28spk_wav/p227_023.wav").string());

  // Mended, only these are made.
  MadeVoiceBank().write_folders(dir_ / "whole");
  for (const char* file :
       {"clean_trainset_28spk_wav/p226_001.wav", "noisy_trainset_28spk_wav/p227_001.wav",
        "noisy_trainset_28spk_wav/p227_023.wav", "clean_trainset_28spk_wav/p286_001.wav"}) {
    fs::copy_file(dir_ / "whole" / file, source() / file, fs::copy_options::overwrite_existing);
  }
  const VoiceBankReport mended = prepare();
  EXPECT_THAT(mended.problems, IsEmpty());
  EXPECT_EQ(mended.converted, 4);
  EXPECT_EQ(mended.kept, 8);
  EXPECT_FALSE(fs::exists(out() / "failures.csv"));
}

TEST_F(VoiceBank, NamesABrokenZipAndPreparesTheRest) {
  corpus_.write_zips(source());
  const fs::path zip = source() / "clean_trainset_28spk_wav.zip";
  const std::string whole = read_file(zip);
  put_text(zip, whole.substr(0, whole.size() - 100));
  const VoiceBankReport report = prepare();
  EXPECT_THAT(
      problems(report),
      ElementsAre(HasSubstr("clean_trainset_28spk_wav.zip: cannot be read as a zip file: ")));
  EXPECT_EQ(report.partial, "train 0 of 10802, valid 0 of 770, test 4 of 824");

  std::string flipped = whole;
  const size_t at = whole.find("p226_001.wav") + 2000;
  flipped[at] = static_cast<char>(flipped[at] ^ 1);
  put_text(zip, flipped);
  const VoiceBankReport second = prepare();
  EXPECT_THAT(problems(second),
              ElementsAre(HasSubstr("clean_trainset_28spk_wav.zip/clean_trainset_28spk_wav/"
                                    "p226_001.wav: cannot be unpacked: ")));
  EXPECT_EQ(second.kept, 4);
  EXPECT_EQ(second.converted, 7);

  // What is there from before does not vanish from the lists because its source is broken now.
  put_text(zip, whole.substr(0, whole.size() - 100));
  const std::string text = message_of<DataError>([&] { prepare(); });
  EXPECT_THAT(text, HasSubstr("out: holds 7 pairs that "));
  EXPECT_THAT(text, HasSubstr("clean_trainset_28spk_wav.zip: cannot be read as a zip file"));
  EXPECT_TRUE(fs::exists(out() / "train.csv"));
}

// As `prepare pairs`, training and scoring do.
TEST_F(VoiceBank, CutsTheLongerSideOfAPair) {
  corpus_.noisy("p227_001") = wav_bytes(white(9903 + 768, 5));
  corpus_.clean("p232_001") = wav_bytes(white(12009 + 1, 6));
  corpus_.noisy("p232_001") = wav_bytes(white(12009, 7));
  corpus_.write_folders(source());
  logger_.add_file(dir_ / "log");
  for (const int64_t converted : {12, 0}) {  // known of what is there already, too
    const VoiceBankReport report = prepare();
    EXPECT_THAT(report.problems, IsEmpty());
    EXPECT_EQ(report.converted, converted);
    EXPECT_EQ(Protocol::read(out() / "protocol.yaml").note,
              report.partial + "; 2 pairs of unequal lengths, of which the longer side is cut");
    const ManifestEntry train = entry_of(Manifest::read(out() / "train.csv"), "p227_001");
    EXPECT_EQ(train.samples, 3301);
    EXPECT_EQ(train.audio.cut, 0);
    EXPECT_EQ(train.noisy.cut, 256);
    EXPECT_EQ(read_audio(train.noisy.path).size(), 3301 + 256);
    const ManifestEntry test = entry_of(Manifest::read(out() / "test.csv"), "p232_001");
    EXPECT_EQ(test.samples, 4003);
    EXPECT_EQ(test.audio.cut, 1);
    EXPECT_EQ(Manifest::read(out() / "valid.csv").extra_columns.size(), 4U);
    EXPECT_TRUE(check_data(out(), 1, logger_).faults.empty());
  }
  EXPECT_THAT(read_file(dir_ / "log"), HasSubstr("of 2 of 12 pairs, one side is longer by 16 ms"));
}

// As `zip -r set.zip ../folder` names what it packs.
TEST_F(VoiceBank, TakesArchivesWhoseNamesLeadUpwards) {
  corpus_.write_zips(source());
  test::Members members;
  for (const auto& [name, bytes] : corpus_.folders[MadeVoiceBank::kCleanTest]) {
    members.emplace_back("../clean/" + name, bytes);
  }
  test::put_zip(source() / "clean_testset_wav.zip", members);
  EXPECT_EQ(prepare().partial, "train 4 of 10802, valid 4 of 770, test 4 of 824");
}

TEST_F(VoiceBank, TakesTheLosslessOfTwoFilesOfOneName) {
  corpus_.folders[MadeVoiceBank::kCleanTest]["p232_001.mp3"] = "a preview, which is passed over";
  corpus_.folders[MadeVoiceBank::kCleanTest]["p232_001.m4a"] = "another one";
  for (const bool zipped : {true, false}) {
    fs::remove_all(source());
    if (zipped) {
      corpus_.write_zips(source());
    } else {
      corpus_.write_folders(source());
    }
    const fs::path log = dir_ / (zipped ? "zips.log" : "folders.log");
    logger_.add_file(log);
    const VoiceBankReport report = prepare();
    EXPECT_EQ(report.partial, "train 4 of 10802, valid 4 of 770, test 4 of 824");
    EXPECT_THAT(read_file(log), HasSubstr(": passed over 1 .mp3, beside which files"));
    EXPECT_THAT(read_file(log), HasSubstr(": passed over 1 .m4a, which cannot be read"));
  }
}

// A few megabytes of zeros that would become gigabytes, in a set that is sound but for it.
TEST_F(VoiceBank, LeavesOutWhatWouldUnpackToMoreThanRecordingsHold) {
  corpus_.clean("p286_001").append(150 << 20, '\0');
  corpus_.write_zips(source());
  const VoiceBankReport report = prepare();
  EXPECT_THAT(problems(report),
              ElementsAre(HasSubstr("clean_trainset_28spk_wav.zip/clean_trainset_28spk_wav/"
                                    "p286_001.wav: would unpack ")));
  EXPECT_EQ(report.converted, 11);
}

TEST_F(VoiceBank, MakesOnlyWhatIsNotThereWhole) {
  corpus_.write_folders(source());
  prepare();
  const std::string train = text("train.csv");
  const std::string protocol = text("protocol.yaml");
  const auto again = [&](int64_t converted) {
    const VoiceBankReport report = prepare();
    EXPECT_EQ(report.converted, converted);
    EXPECT_EQ(report.kept, 12 - converted);
    EXPECT_EQ(text("protocol.yaml"), protocol);
    EXPECT_EQ(text("train.csv"), train);
  };
  const fs::path file = out() / "train/noisy/p227_001.flac";
  const std::string bytes = read_file(file);
  const auto written = fs::last_write_time(file);
  again(0);
  EXPECT_EQ(fs::last_write_time(file), written);
  fs::remove(file);
  again(1);
  EXPECT_EQ(read_file(file), bytes);
  put_text(file, bytes.substr(0, bytes.size() / 2));
  again(1);
  EXPECT_EQ(read_file(file), bytes);
  const fs::path left = out() / "train/noisy/.p227_001.flac.00000000-1-00000000.tmp";
  put_text(left, "half of");
  fs::last_write_time(left, fs::file_time_type::clock::now() - std::chrono::hours(25));
  put_text(source() / "noisy_trainset_28spk_wav/p227_001.wav",
           read_file(source() / "noisy_trainset_28spk_wav/p227_001.wav"));  // as if replaced
  again(1);
  EXPECT_FALSE(fs::exists(left));
  const std::string journal = text("journal.csv");
  put_text(out() / "journal.csv", journal.substr(0, journal.size() - 20));
  again(1);
  fs::remove(out() / "journal.csv");
  again(12);

  for (const char* side : {"clean", "noisy"}) {
    fs::remove(source() / (std::string(side) + "_trainset_28spk_wav") / "p227_001.wav");
  }
  EXPECT_THAT(message_of<DataError>([&] { prepare(); }),
              HasSubstr("out: holds 1 pairs that " + source().string() +
                        " does not have (any more):\n  p227_001\nMend"));
}

TEST_F(VoiceBank, CountsAndListsWhatWasClipped) {
  // A square wave at full scale overshoots once its harmonics are gone (Gibbs).
  std::vector<float> square(9000);
  for (size_t i = 0; i < square.size(); ++i) square[i] = i / 240 % 2 == 0 ? 0.9999F : -0.9999F;
  corpus_.put("p286_001", wav_bytes(test::sine(9000, 400, 0.5, 48000)), wav_bytes(square));
  corpus_.write_zips(source());
  const auto low = resample({square, 48000}, 16000).samples;
  int64_t over = 0;
  for (const float x : low) over += x * 32768 > 32767.5F || x * 32768 < -32768.5F;
  ASSERT_GT(over, 100);
  for (int call = 0; call < 2;
       ++call) {  // the second call keeps the files, and what is known of them
    const VoiceBankReport report = prepare();
    ASSERT_EQ(report.clipped.size(), 1U);
    EXPECT_EQ(report.clipped[0].file, out() / "train/noisy/p286_001.flac");
    EXPECT_NEAR(static_cast<double>(report.clipped[0].samples), static_cast<double>(over), 2);
    EXPECT_THAT(entry_of(Manifest::read(out() / "train.csv"), "p286_001").extra,
                ElementsAre("babble", "10", "0", std::to_string(report.clipped[0].samples)));
  }
}

TEST_F(VoiceBank, DoesNotLockASetThatLeaks) {
  corpus_.put("p232_001", corpus_.clean("p227_001"), corpus_.noisy("p227_001"));
  corpus_.write_zips(source());
  EXPECT_THAT(message_of<DataError>([&] { prepare(); }),
              HasSubstr("p232_001 of test has the samples of p227_001 of train"));
  EXPECT_FALSE(fs::exists(out() / "protocol.yaml"));
}

TEST_F(VoiceBank, OneProcessAtATime) {
  corpus_.write_zips(source());
  fs::create_directories(out());
  const DirectoryLock lock(out());
  EXPECT_THROW(prepare(), ConfigError);
}

// Genuine recordings at 48 kHz, in the shape of the set; a genuine test file of it is also there as
// somebody else converted it.
TEST_F(VoiceBank, RealRecordings) {
  LIMBECK_NEED_SHARED_DATA(data);
  corpus_.folders.clear();
  corpus_.logs.clear();
  for (int i = 1; i <= 9; ++i) {
    const Waveform clean =
        read_audio(data / "clean_48k/p234" / ("p234_00" + std::to_string(i) + ".flac"));
    auto noisy = white(clean.size(), static_cast<uint64_t>(i), 0.01);
    for (size_t k = 0; k < noisy.size(); ++k) noisy[k] += clean.samples[k];
    const std::string speaker = i < 4 ? "p226_00" : "p227_00";
    corpus_.put(speaker + std::to_string(i), wav_bytes(clean.samples), wav_bytes(noisy));
  }
  const Waveform noisy = read_audio(data / "vbd_test_48k/noisy/p232_007.flac");
  corpus_.put("p232_007", wav_bytes(std::vector<float>(noisy.samples.size(), 0.25F)),
              wav_bytes(noisy.samples));
  corpus_.write_zips(source());
  const VoiceBankReport report = prepare();
  EXPECT_THAT(report.problems, IsEmpty());
  EXPECT_EQ(report.converted, 10);

  for (const auto& [made, twin] :
       {std::pair("test/noisy/p232_007.flac", "vbd_test/noisy/p232_007.flac"),
        std::pair("train/clean/p227_009.flac", "clean/p234/p234_009.flac")}) {
    const auto ours = read_audio(out() / made).samples;
    const auto theirs = read_audio(data / twin).samples;
    ASSERT_EQ(ours.size(), theirs.size());
    double signal = 0;
    double difference = 0;
    for (size_t i = 0; i < ours.size(); ++i) {
      signal += theirs[i] * static_cast<double>(theirs[i]);
      difference += std::pow(static_cast<double>(ours[i]) - theirs[i], 2);
    }
    EXPECT_GT(10 * std::log10(signal / difference), 60) << made;
  }
}

}  // namespace
}  // namespace limbeck
