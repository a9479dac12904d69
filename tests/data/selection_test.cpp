#include "limbeck/data/selection.h"

#include <gmock/gmock.h>

#include "limbeck/data/training_record.h"
#include "made_options.h"
#include "support.h"

namespace limbeck {
namespace {

using test::put_text;
using test::TempDir;
using ::testing::IsEmpty;

std::string recording(const std::string& id, const char* speaker, const char* split, char hash) {
  return id + "," + id + ".flac," + speaker + "," + split + ",16000,16000," +
         std::string(32, hash) + "\n";
}

/// Bare manifests whose test entries are known in training, too.
class BareManifests : public ::testing::Test {
 protected:
  BareManifests() {
    put("speech", recording("a", "ann", "train", '1') + recording("b", "ann", "valid", '2') +
                      recording("c", "tom", "test", '3'));
    put("noise", recording("k", "bus", "train", '4') + recording("l", "bus", "valid", '5') +
                     recording("m", "bus", "test", '6'));
  }
  void put(const std::string& name, const std::string& rows) {
    put_text(dir_ / (name + ".csv"), "id,path,speaker,split,samples,rate,hash\n" + rows);
  }
  DataSelection select() const { return select_data(test::mixtures_of(dir_.path())); }
  std::vector<std::string> leaks() const {
    const DataSelection data = select();
    std::vector<std::string> texts;
    for (const Leak& leak : TrainingRecord(data).leaks(data)) texts.push_back(leak.text);
    return texts;
  }

  TempDir dir_;
};

TEST_F(BareManifests, AreTakenApartBySplitAndRole) {
  const DataSelection data = select();
  EXPECT_EQ(data.source, (dir_ / "speech.csv").string() + ", " + (dir_ / "noise.csv").string());
  EXPECT_EQ(data.train.speech.at(0).id, "a");
  EXPECT_EQ(data.valid.noise.at(0).id, "l");
  EXPECT_EQ(data.of(Split::test).speech.at(0).id, "c");
  EXPECT_THAT(data.train.pairs, IsEmpty());
  EXPECT_EQ(data.protocol, "");
}

TEST_F(BareManifests, MayShareKindsOfNoiseAndSpeakersOfValidation) {
  EXPECT_THAT(leaks(), IsEmpty());
}

TEST_F(BareManifests, MayNotShareSpeakersOrFilesWithTest) {
  put("speech", recording("a", "ann", "train", '1') + recording("b", "ann", "valid", '2') +
                    recording("c", "ann", "test", '3'));
  put("noise", recording("k", "bus", "train", '4') + recording("l", "bus", "valid", '5') +
                   recording("m", "car", "test", '4'));
  EXPECT_THAT(leaks(), testing::ElementsAre("m of test has the samples of k of train",
                                            "speaker ann is in test (1 ×) and in train (1 ×)",
                                            "speaker ann is in test (1 ×) and in valid (1 ×)"));
}

TEST_F(BareManifests, OfAProtocolMayMoveWithIt) {
  Protocol protocol;
  protocol.name = "made";
  for (const Split split : {Split::train, Split::valid}) {
    protocol.add(split, Role::speech, Manifest::read(dir_ / "speech.csv"));
    protocol.add(split, Role::noise, Manifest::read(dir_ / "noise.csv"));
  }
  protocol.write(dir_ / "made.yaml");
  std::filesystem::create_directories(dir_ / "moved");
  for (const char* name : {"speech.csv", "noise.csv", "made.yaml"}) {
    std::filesystem::rename(dir_ / name, dir_ / "moved" / name);
  }
  const std::string file = (dir_ / "moved/made.yaml").string();
  const DataOptions options = test::data_options("source: {type: protocol, file: " + file + "}");
  EXPECT_EQ(options.protocol_file(), file);
  const DataSelection data = select_data(options);
  EXPECT_EQ(data.train.speech.at(0).audio.path, dir_ / "moved/a.flac");
  EXPECT_EQ(data.valid.noise.at(0).id, "l");
  EXPECT_THAT(data.test.speech, IsEmpty());  // not named in the protocol
  EXPECT_EQ(data.protocol, "made");
  EXPECT_EQ(data.protocol_hash, protocol.content_hash());
  EXPECT_EQ(data.source, file);
}

}  // namespace
}  // namespace limbeck
