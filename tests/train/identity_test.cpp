#include "limbeck/train/identity.h"

#include <gmock/gmock.h>

#include <set>

#include "data/support.h"
#include "limbeck/config/resolve.h"
#include "limbeck/data/selection.h"
#include "paths.h"

namespace limbeck::test {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

/// Notes every described text that may hold a path: it is free, and results depend on it.
class Texts : public config::Visitor {
 public:
  Texts(std::string prefix, std::set<std::string>& files, std::set<std::string>& others)
      : prefix_(std::move(prefix)), files_(files), others_(others) {}

  void value(std::string_view, bool&, std::string_view, const config::Rule&) override {}
  void value(std::string_view, int64_t&, std::string_view, const config::Rule&) override {}
  void value(std::string_view, double&, std::string_view, const config::Rule&) override {}
  void value(std::string_view, std::vector<int64_t>&, std::string_view,
             const config::Rule&) override {}
  void value(std::string_view, std::vector<double>&, std::string_view,
             const config::Rule&) override {}
  void value(std::string_view key, std::string&, std::string_view,
             const config::Rule& rule) override {
    note(key, rule);
  }
  void value(std::string_view key, std::vector<std::string>&, std::string_view,
             const config::Rule& rule) override {
    note(key, rule);
  }
  void value(std::string_view key, config::Node&, std::string_view,
             const config::Rule& rule) override {
    note(key, rule);
  }
  void named(std::string_view key, std::map<std::string, config::Node>&,
             std::string_view) override {
    note(key, {});
  }
  void require(bool, std::string_view, const std::string&) override {}

 protected:
  bool begin_section(std::string_view key, std::string_view) override {
    outer_.push_back(prefix_);
    prefix_ += std::string(key) + ".";
    return true;
  }
  void end_section() override {
    prefix_ = outer_.back();
    outer_.pop_back();
  }
  void list_of(std::string_view key, const List& list, std::string_view,
               const config::Rule&) override {
    Texts item(prefix_ + std::string(key) + "[].", files_, others_);
    list.describe_default(item);
  }
  void choose(std::string_view, config::Chosen&, const Choice& choice, std::string_view) override {
    for (const std::string& name : choice.names()) choice.make(name)->describe(*this);
  }

 private:
  void note(std::string_view key, const config::Rule& rule) {
    if (rule.is_file) {
      files_.insert(prefix_ + std::string(key));
    } else if (rule.choices.empty() && rule.changes_results) {
      others_.insert(prefix_ + std::string(key));
    }
  }

  std::string prefix_;
  std::vector<std::string> outer_;
  std::set<std::string>& files_;
  std::set<std::string>& others_;
};

TEST(TrainingIdentity, KnowsEveryKeyThatNamesAFile) {
  std::set<std::string> files, others;
  Texts texts("", files, others);
  TrainingConfig().describe(texts);
  // Each of the first is covered by a test below. A new key that holds free text belongs to one of
  // the two: call names_file() if it is a path, and give its content to content_of.
  std::set<std::string> expected = {"teacher.checkpoint", "teacher.which", "train.init"};
  for (const char* source : {"data.source.", "data.valid_sets[].source."}) {
    for (const char* key :
         {"file", "manifest", "speech", "noise", "reverb.responses", "valid_recipes"}) {
      expected.insert(std::string(source) + key);
    }
  }
  EXPECT_EQ(files, expected);
  EXPECT_THAT(others, UnorderedElementsAre("data.valid_sets[].name", "distill.terms[].student",
                                           "distill.terms[].teacher", "train.select"));
}

/// A made data set below a folder, of recordings that need not be there.
class TrainingIdentities : public testing::Test {
 protected:
  TrainingIdentities() { put_data(dir_ / "data"); }

  static std::string row(const std::string& id, const char* split, char hash) {
    return id + "," + id + ".flac,ann," + split + ",16000,16000," + std::string(32, hash) + "\n";
  }
  static void put_data(const fs::path& folder, char of_valid = '2', char of_test = '3') {
    const std::string header = "id,path,speaker,split,samples,rate,hash\n";
    const std::string pairs = "id,clean,noisy,speaker,split,samples,rate,clean_hash,noisy_hash\n";
    put_text(folder / "speech.csv", header + row("a", "train", '1') + row("b", "valid", of_valid) +
                                        row("c", "test", of_test));
    put_text(folder / "noise.csv",
             header + row("m", "train", '4') + row("n", "valid", of_valid == '2' ? '5' : '6'));
    const auto pair = [](const std::string& id, const char* split, char hash) {
      return id + ",c.wav,n.wav,ann," + split + ",16000,16000," + std::string(32, hash) + "," +
             std::string(32, '7') + "\n";
    };
    put_text(folder / "pairs.csv", pairs + pair("x", "train", '8') + pair("y", "valid", of_valid) +
                                       pair("z", "test", of_test));
    put_text(folder / "rooms.csv", header + row("r", "train", 'a') + row("s", "valid", of_valid));
    put_text(folder / "recipes.csv", std::string("id ") + of_valid);
    Protocol protocol;
    protocol.name = "made";
    for (const Split split : {Split::train, Split::valid}) {
      protocol.add(split, Role::pairs, Manifest::read(folder / "pairs.csv"));
    }
    protocol.write(folder / "made.yaml");
  }

  static TrainingConfig config(const std::vector<std::string>& sets) {
    return config::load<TrainingConfig>({test::source_dir() / "configs/distill/cosine.yaml"}, sets);
  }
  static std::vector<std::string> mixtures(const fs::path& folder) {
    return {"data.source.speech=" + (folder / "speech.csv").string(),
            "data.source.noise=" + (folder / "noise.csv").string()};
  }
  static Identity identity(const TrainingConfig& config, const std::string& teacher = "abc") {
    return training_identity(config, content_of(config.data), teacher);
  }
  /// With more settings, on the data of a folder.
  Identity of(const std::vector<std::string>& more = {}, const char* folder = "data") const {
    auto sets = mixtures(dir_ / folder);
    sets.insert(sets.end(), more.begin(), more.end());
    return identity(config(sets));
  }

  TempDir dir_;
};

TEST_F(TrainingIdentities, NameTheOptionThatDiffers) {
  EXPECT_EQ(of(), of());
  const Identity other = of({"train.optimizer.lr=0.5"});
  const auto differences = of().differences(other);
  ASSERT_EQ(differences.size(), 1U);
  EXPECT_TRUE(differences[0].starts_with("train.optimizer.lr: "));
  EXPECT_TRUE(differences[0].ends_with(" → 0.5"));
}

TEST_F(TrainingIdentities, LeaveOutWhatDoesNotChangeResults) {
  EXPECT_EQ(
      of({"run.dir=elsewhere", "run.device=cpu", "run.threads=3", "run.kernels=reference",
          "run.tf32=true", "run.deterministic=true", "train.tensorboard={enabled: false}",
          "data.workers=5", "train.log_every=7", "teacher.checkpoint=moved", "data.epochs_unique=1",
          "train.save_every=7", "train.save_every_minutes=0.5", "train.save_failures=1",
          "train.keep={last: 2, best: 3, every: 4}", "train.init_fit=partial"}),
      of({"data.epochs_unique=1", "distill.cache.dir=kept", "teacher.which=last"}));
}

TEST_F(TrainingIdentities, FollowTheDataNotItsPlace) {
  put_data(dir_ / "moved");
  EXPECT_EQ(of({}, "moved"), of());
  // The test split has no say in training.
  put_data(dir_ / "other test", '2', '9');
  EXPECT_EQ(of({}, "other test"), of());
  put_data(dir_ / "other", 'e');
  const auto differences = of().differences(of({}, "other"));
  ASSERT_EQ(differences.size(), 2U);
  EXPECT_TRUE(differences[0].starts_with("data.source.noise: "));
  EXPECT_TRUE(differences[1].starts_with("data.source.speech: "));
}

TEST_F(TrainingIdentities, SeeTheContentOfEveryFileOfTheData) {
  put_data(dir_ / "moved");
  put_data(dir_ / "other", 'e');
  const auto with = [&](const std::string& key, const std::string& folder,
                        const std::string& file) {
    const std::string path = (dir_ / folder / file).string();
    if (key == "manifest" || key == "file") {
      const std::string type = key == "file" ? "protocol" : "pairs";
      return identity(config({"data.source={type: " + type + ", " + key + ": '" + path + "'}"}));
    }
    return of({"data.source." + key + "=" + path});
  };
  for (const auto& [key, file] :
       {std::pair("manifest", "pairs.csv"), std::pair("file", "made.yaml"),
        std::pair("reverb.responses", "rooms.csv"), std::pair("valid_recipes", "recipes.csv")}) {
    EXPECT_EQ(with(key, "data", file), with(key, "moved", file)) << key;
    const auto differences = with(key, "data", file).differences(with(key, "other", file));
    ASSERT_EQ(differences.size(), 1U) << key;
    EXPECT_TRUE(differences[0].starts_with(std::string("data.source.") + key + ": "))
        << differences[0];
  }
}

TEST_F(TrainingIdentities, KnowSharesWhereThereAreSome) {
  const Identity plain = of();
  const config::Node* source = plain.facts().find("data")->find("source");
  EXPECT_NE(source->find("speech"), nullptr);
  EXPECT_EQ(source->find("speech_shares"), nullptr);  // as before there were any
  put_data(dir_ / "other", 'e');
  const std::string both = "data.source.speech=[" + (dir_ / "data/speech.csv").string() + ", " +
                           (dir_ / "other/speech.csv").string() + "]";
  const auto differences = of({both}).differences(of({both, "data.source.speech_shares=[1, 2]"}));
  ASSERT_EQ(differences.size(), 2U);
  EXPECT_TRUE(differences[0].starts_with("data.source.speech: "));
  EXPECT_TRUE(differences[1].starts_with("data.source.speech_shares: ")) << differences[1];
}

TEST_F(TrainingIdentities, HearAFolderOfResponses) {
  put_audio(dir_ / "rooms/a.wav", white(160, 1));
  put_audio(dir_ / "moved rooms/a.wav", white(160, 1));
  put_audio(dir_ / "other rooms/a.wav", white(160, 2));
  const auto with = [&](const char* folder) {
    return of({"data.source.reverb.responses=" + (dir_ / folder).string()});
  };
  EXPECT_EQ(with("rooms"), with("moved rooms"));
  EXPECT_NE(with("rooms"), with("other rooms"));
}

TEST_F(TrainingIdentities, HoldTheTeacherByItsWeights) {
  const TrainingConfig student = config(mixtures(dir_ / "data"));
  EXPECT_THAT(identity(student, "abc").differences(identity(student, "def")),
              ElementsAre("teacher.model: abc → def"));
  // Without terms no teacher takes part: the same training, whatever is said of teachers.
  const auto alone = [&](std::vector<std::string> more) {
    more.push_back("distill.terms=[]");
    const auto data = mixtures(dir_ / "data");
    more.insert(more.end(), data.begin(), data.end());
    return config(more);
  };
  EXPECT_EQ(identity(alone({}), ""), identity(alone({"distill.balance.mode=warmup"}), "def"));
  EXPECT_THAT(identity(alone({}), "").differences(identity(alone({}), "def")), IsEmpty());
}

TEST_F(TrainingIdentities, HoldWhatTheyBeginWithByItsWeights) {
  auto sets = mixtures(dir_ / "data");
  sets.push_back("train.init=somewhere");
  const TrainingConfig from = config(sets);
  const auto with = [&](const TrainingConfig& other, const std::string& init) {
    return training_identity(other, content_of(other.data), "abc", init);
  };
  EXPECT_THAT(with(from, "abc").differences(with(from, "def")),
              ElementsAre("train.init: abc → def"));
  sets.back() = "train.init=elsewhere";
  EXPECT_EQ(with(from, "abc"), with(config(sets), "abc"));
  sets.push_back("train.init_fit=partial");
  EXPECT_EQ(with(from, "abc").differences(with(config(sets), "abc")).size(), 1U);
  EXPECT_THROW(with(from, ""), std::logic_error);  // it must not pass for one without
}

}  // namespace
}  // namespace limbeck::test
