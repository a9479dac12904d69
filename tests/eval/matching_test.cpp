#include "eval/matching.h"

#include "eval/support.h"

namespace limbeck::test {
namespace {

class MatchingTest : public testing::Test {
 protected:
  void put(const std::string& name) { put_audio(folder_ / name, white(160, 1)); }
  std::string at(const std::string& name) { return (folder_ / name).string(); }
  TempDir folder_;
};

TEST_F(MatchingTest, PairsByPathAndListsWhatHasNoPartner) {
  for (const char* name :
       {"clean/a/x.wav", "clean/y.wav", "clean/alone.wav", "est/a/x.flac", "est/y.wav",
        "est/extra.wav", "noisy/a/x.wav", "noisy/y.flac", "noisy/alone.wav"}) {
    put(name);
  }
  const Matched matched = match_folders(at("clean"), at("est"), at("noisy"));
  ASSERT_EQ(matched.items.size(), 2U);
  EXPECT_EQ(matched.items[0].id, "a/x");
  EXPECT_EQ(matched.items[0].estimate.path, folder_ / "est/a/x.flac");
  EXPECT_EQ(matched.items[1].noisy.path, folder_ / "noisy/y.flac");
  ASSERT_EQ(matched.failures.size(), 2U);
  EXPECT_EQ(matched.failures[0].id, "alone");
  EXPECT_NE(matched.failures[0].reason.find("no file of this name in " + at("est")),
            std::string::npos);
  EXPECT_EQ(matched.failures[1].id, "extra");
  EXPECT_NE(matched.failures[1].reason.find("in " + at("est") + " only"), std::string::npos);
}

TEST_F(MatchingTest, SaysWhatItPassesOver) {
  for (const char* name : {"clean/x.wav", "est/x.wav", "noisy/x.wav"}) put(name);
  for (const char* name : {"clean/y.m4a", "est/y.wma", "noisy/x.mp3"}) {
    put_text(folder_ / name, "");
  }
  Logger logger(Verbosity::quiet);
  logger.add_file(folder_ / "log");
  const Matched matched = match_folders(at("clean"), at("est"), at("noisy"), {}, &logger);
  ASSERT_EQ(matched.items.size(), 1U);
  EXPECT_TRUE(matched.failures.empty());
  EXPECT_EQ(matched.items[0].noisy.path, folder_ / "noisy/x.wav");
  const std::string log = read_file(folder_ / "log");
  EXPECT_NE(log.find("clean: passed over 1 .m4a"), std::string::npos) << log;
  EXPECT_NE(log.find("est: passed over 1 .wma"), std::string::npos) << log;
  EXPECT_NE(log.find("noisy: passed over 1 .mp3"), std::string::npos) << log;
}

TEST_F(MatchingTest, ABareNameServesWhereItIsUnique) {
  for (const char* name : {"clean/p1/x.wav", "clean/p2/y.wav", "clean/p3/z.wav", "est/x.wav",
                           "est/deep/y.wav", "est/k/z.wav", "est/l/z.wav"}) {
    put(name);
  }
  const Matched matched = match_folders(at("clean"), at("est"), "");
  ASSERT_EQ(matched.items.size(), 2U);
  EXPECT_EQ(matched.items[0].estimate.path, folder_ / "est/x.wav");
  EXPECT_EQ(matched.items[1].estimate.path, folder_ / "est/deep/y.wav");
  ASSERT_EQ(matched.failures.size(), 1U);
  EXPECT_NE(matched.failures[0].reason.find("2 files of this name"), std::string::npos);
}

TEST_F(MatchingTest, AFileThatTwoClaimByItsNameIsNobodys) {
  for (const char* name : {"clean/p1/x.wav", "clean/p2/x.wav", "clean/y.wav", "est/x.wav",
                           "est/y.wav", "noisy/p1/x.wav", "noisy/p2/x.wav", "noisy/deep/y.wav"}) {
    put(name);
  }
  const auto check = [&](const Matched& matched) {
    ASSERT_EQ(matched.items.size(), 1U);
    EXPECT_EQ(matched.items[0].id, "y");
    ASSERT_EQ(matched.failures.size(), 2U);
    EXPECT_EQ(matched.failures[0].id, "p1/x");
    EXPECT_EQ(matched.failures[0].reason,
              "the only file of this name in " + at("est") + ", x.wav, may be that of p2/x");
    EXPECT_EQ(matched.failures[1].id, "p2/x");
    EXPECT_NE(matched.failures[1].reason.find("may be that of p1/x"), std::string::npos);
  };
  check(match_folders(at("clean"), at("est"), ""));
  check(match_folders(at("clean"), at("est"), at("noisy")));
  check(match_folders(at("clean"), at("noisy"), at("est")));
  Manifest manifest;
  manifest.kind = Manifest::Kind::pairs;
  for (const char* id : {"p1/x", "p2/x", "y"}) manifest.entries.emplace_back().id = id;
  check(match_manifest(manifest, at("est")));
}

TEST_F(MatchingTest, AFileBelongsToItsPathNotToItsName) {
  for (const char* name : {"clean/p1/x.wav", "clean/p2/x.wav", "est/p1/x.wav"}) put(name);
  const Matched matched = match_folders(at("clean"), at("est"), "");
  ASSERT_EQ(matched.items.size(), 1U);
  EXPECT_EQ(matched.items[0].id, "p1/x");
  ASSERT_EQ(matched.failures.size(), 1U);
  EXPECT_EQ(matched.failures[0].id, "p2/x");
  EXPECT_NE(matched.failures[0].reason.find("p1/x.wav, may be that of p1/x"), std::string::npos);
}

TEST_F(MatchingTest, TwoTypesOfOneFileAreAmbiguous) {
  for (const char* name : {"clean/x.wav", "est/x.wav", "est/x.flac"}) put(name);
  const Matched matched = match_folders(at("clean"), at("est"), "");
  EXPECT_TRUE(matched.items.empty());
  ASSERT_EQ(matched.failures.size(), 1U);
}

TEST_F(MatchingTest, TheContentChangesWithAFileAndNotWithItsPlace) {
  for (const char* name : {"clean/x.wav", "est/x.wav"}) put(name);
  const auto content = [&](const std::string& estimate) {
    return content_of(match_folders(at("clean"), at(estimate), "").items,
                      &EvaluationItem::estimate);
  };
  const std::string before = content("est");
  std::filesystem::rename(folder_ / "est", folder_ / "moved");
  EXPECT_EQ(content("moved"), before);
  put_audio(folder_ / "moved/x.wav", white(160, 2));
  EXPECT_NE(content("moved"), before);
}

TEST_F(MatchingTest, AHintNamesWhatEstimatesHaveAroundTheirNames) {
  for (const char* name : {"clean/a/x_1.wav", "clean/x_12.wav", "clean/y.wav",
                           "est/x_1_enhanced.wav", "est/x_12_enhanced.flac", "est/other.wav"}) {
    put(name);
  }
  const Matched none = match_folders(at("clean"), at("est"), "");
  EXPECT_TRUE(none.items.empty());
  EXPECT_EQ(none.hint, "2 of 3 files in " + at("est") +
                           " without a partner have the name of one with the suffix '_enhanced'; "
                           "--strip-suffix=_enhanced takes it away");
  EXPECT_NE(match_folders(at("clean"), at("est"), "", {.suffix = "ced"})
                .hint.find("--strip-suffix=_enhanced takes it away"),
            std::string::npos);
  const Matched matched = match_folders(at("clean"), at("est"), "", {.suffix = "_enhanced"});
  ASSERT_EQ(matched.items.size(), 2U);
  EXPECT_EQ(matched.items[0].id, "a/x_1");
  EXPECT_EQ(matched.items[0].estimate.path, folder_ / "est/x_1_enhanced.wav");
  EXPECT_EQ(matched.hint, "");
  ASSERT_EQ(matched.failures.size(), 1U);  // what is named otherwise is no estimate
  EXPECT_EQ(matched.failures[0].id, "y");

  for (const char* name : {"front/dn-a/dn-x_1.wav", "front/dn-x_12.wav"}) put(name);
  Manifest manifest;
  manifest.kind = Manifest::Kind::pairs;
  for (const char* id : {"a/x_1", "x_12"}) manifest.entries.emplace_back().id = id;
  EXPECT_NE(match_manifest(manifest, at("front")).hint.find("--strip-prefix=dn- takes it away"),
            std::string::npos);
  EXPECT_NE(match_manifest(manifest, at("front"), {.prefix = "d"})
                .hint.find("--strip-prefix=dn- takes it away"),
            std::string::npos);
  EXPECT_EQ(match_manifest(manifest, at("front"), {.prefix = "dn-"}).items.size(), 2U);
  EXPECT_EQ(message_of<DataError>(
                [&] { match_manifest(manifest, at("front"), {.prefix = "x", .suffix = "y"}); }),
            at("front") + ": no file is named x…y");
}

TEST_F(MatchingTest, ThereIsNoHintWhereFewAreNamedSo) {
  for (const char* name :
       {"clean/x.wav", "clean/y.wav", "est/x_e.wav", "est/y.wav", "est/q.wav", "est/r.wav"}) {
    put(name);
  }
  EXPECT_EQ(match_folders(at("clean"), at("est"), "").hint, "");
}

TEST_F(MatchingTest, AFolderThatIsNotThereIsNamed) {
  put("clean/x.wav");
  EXPECT_NE(message_of<DataError>([&] {
              match_folders(at("clean"), at("nowhere"), "");
            }).find("nowhere: does not exist"),
            std::string::npos);
}

}  // namespace
}  // namespace limbeck::test
