#include "limbeck/enhance/plan.h"

#include <gmock/gmock.h>

#include "core/failing_folder.h"
#include "core/scratch.h"
#include "data/support.h"
#include "limbeck/core/error.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;
using test::error_of;
using test::put_audio;
using test::Scratch;
using testing::ElementsAre;
using testing::HasSubstr;

class EnhancePlanTest : public testing::Test {
 protected:
  fs::path put(const std::string& name, int64_t samples = 160) {
    put_audio(scratch_ / name, test::white(samples, 1));
    return scratch_ / name;
  }
  EnhancePlan plan(const std::vector<std::string>& inputs, PlanOptions options = {}) {
    for (const std::string& input : inputs) options.inputs.push_back(scratch_ / input);
    if (options.out.empty()) options.out = out_;
    return plan_enhancement(options, logger_);
  }
  std::string refusal(const std::vector<std::string>& inputs, const PlanOptions& options = {}) {
    return error_of<ConfigError>([&] { plan(inputs, options); });
  }
  std::vector<std::string> outputs(const EnhancePlan& plan) const {
    std::vector<std::string> names;
    for (const PlannedFile& file : plan.files) {
      names.push_back(file.output.lexically_relative(out_).string());
    }
    return names;
  }

  Scratch scratch_;
  fs::path out_ = scratch_ / "out";
  Logger logger_{Verbosity::quiet};
};

TEST_F(EnhancePlanTest, KnowsWhatIsReadAndWritten) {
  put("in/a.wav", 8000);
  put("in/sub/b.flac");
  const EnhancePlan plan = this->plan({"in"});
  EXPECT_THAT(outputs(plan), ElementsAre("a.wav", "sub/b.flac"));
  EXPECT_EQ(plan.files[0].seconds(), 0.5);
  EXPECT_EQ(plan.files[0].read.channels, 1);
  EXPECT_EQ(plan.files[0].written.encoding, plan.files[0].read.encoding);
  EXPECT_FALSE(fs::exists(out_));
}

TEST_F(EnhancePlanTest, MayChangeTheType) {
  put("in/a.wav");
  put("in/b.c.flac");
  const EnhancePlan plan = this->plan({"in"}, {.format = "flac"});
  EXPECT_THAT(outputs(plan), ElementsAre("a.flac", "b.c.flac"));
  EXPECT_EQ(plan.files[0].written.container, plan.files[1].read.container);
  EXPECT_THAT(refusal({"in"}, {.format = "shn"}), HasSubstr("shn"));
  EXPECT_THAT(refusal({"none"}, {.format = "shn"}), HasSubstr("shn"));
}

TEST_F(EnhancePlanTest, RefusesTwoInputsForOneResult) {
  put("a/x.wav");
  put("b/x.wav");
  put("b/x.flac");
  EXPECT_THAT(refusal({"a", "b"}),
              HasSubstr((out_ / "x.wav").string() + ": from " + (scratch_ / "a/x.wav").string() +
                        " and " + (scratch_ / "b/x.wav").string()));
  EXPECT_THAT(refusal({"b"}, {.format = "wav"}), HasSubstr((scratch_ / "b/x.flac").string()));
  // The same file by two names is one.
  fs::create_symlink(scratch_ / "b", scratch_ / "c");
  EXPECT_THAT(outputs(plan({"b", "b/x.wav", "c/x.wav"})), ElementsAre("x.flac", "x.wav"));
  // Where one needs a folder, the other needs a file.
  put("d/x.wav/sub/y.wav");
  EXPECT_THAT(refusal({"a", "d"}), HasSubstr("a folder for"));
}

TEST_F(EnhancePlanTest, NeverReplacesAnInput) {
  put("in/a.wav");
  put("in/b.wav");
  EXPECT_THAT(refusal({"in/a.wav"}, {.out = scratch_ / "in", .force = true}),
              HasSubstr("in/a.wav: is read"));
  fs::create_directories(out_);
  fs::create_hard_link(scratch_ / "in/b.wav", out_ / "a.wav");
  EXPECT_THAT(refusal({"in"}, {.force = true}), HasSubstr("in/b.wav: is read"));
  fs::remove(out_ / "a.wav");
  fs::create_symlink(scratch_ / "in/a.wav", out_ / "b.wav");
  EXPECT_THAT(refusal({"in"}, {.force = true}), HasSubstr("in/a.wav: is read"));
  fs::remove(out_ / "b.wav");
  fs::create_symlink(put("model.wav"), out_ / "b.wav");
  EXPECT_THAT(refusal({"in"}, {.force = true, .kept = {scratch_ / "model.wav"}}),
              HasSubstr("model.wav: is read"));
}

TEST_F(EnhancePlanTest, LeavesExistingFilesUnlessTold) {
  put("in/a.wav");
  put("in/b.wav");
  put("out/b.wav");
  EXPECT_THAT(refusal({"in"}), HasSubstr("1 of 2 results exist; --skip-existing"));
  EXPECT_THAT(refusal({"in"}), HasSubstr((out_ / "b.wav").string()));
  const EnhancePlan rest = plan({"in"}, {.skip_existing = true});
  EXPECT_THAT(outputs(rest), ElementsAre("a.wav"));
  EXPECT_THAT(rest.existing, ElementsAre(out_ / "b.wav"));
  EXPECT_THAT(outputs(plan({"in"}, {.force = true})), ElementsAre("a.wav", "b.wav"));
  // A link that leads nowhere is something, too; a folder is never replaced.
  fs::create_symlink("nowhere", out_ / "a.wav");
  EXPECT_THAT(refusal({"in"}), HasSubstr("2 of 2 results exist"));
  fs::remove(out_ / "a.wav");
  fs::create_directory(out_ / "a.wav");
  EXPECT_THAT(refusal({"in"}, {.force = true}), HasSubstr("folders stand where results go"));
}

TEST_F(EnhancePlanTest, TakesAFolderForResults) {
  put("a.wav");
  EXPECT_THAT(refusal({"a.wav"}, {.out = scratch_ / "b.wav"}), HasSubstr("is to be a folder"));
  fs::create_directory(scratch_ / "b.wav");
  EXPECT_EQ(plan({"a.wav"}, {.out = scratch_ / "b.wav"}).files.size(), 1U);
}

TEST_F(EnhancePlanTest, ListsWhatIsBad) {
  put("in/good.wav");
  scratch_.put("in/garbage.wav", "garbage");
  scratch_.put("in/empty.flac", "");
  fs::create_symlink("nothing", scratch_ / "in/dangling.wav");
  const EnhancePlan plan = this->plan({"in", "none.wav"});
  EXPECT_THAT(outputs(plan), ElementsAre("good.wav"));
  std::vector<std::string> failures;
  for (const auto& [input, reason] : plan.failures) {
    failures.push_back(input.filename().string() + ": " + reason);
  }
  EXPECT_THAT(failures, ElementsAre("none.wav: does not exist", "dangling.wav: does not exist",
                                    "empty.flac: is an empty file",
                                    testing::StartsWith("garbage.wav: cannot be read as audio")));
}

TEST_F(EnhancePlanTest, SeesBeforehandWhereItCannotWrite) {
  put("in/a.wav");
  fs::permissions(scratch_.path(), fs::perms(0755));
  fs::create_directory(out_);
  const auto failure = [&](const fs::path& out) {
    return error_of<DataError>([&] { plan({"in"}, {.out = out}); });
  };
  {
    const test::ReadOnly locked({out_});
    EXPECT_EQ(failure(out_ / "new/er"), (out_ / "new/er/a.wav").string() + ": cannot be written: " +
                                            fs::canonical(out_).string() + ": Permission denied");
  }
  scratch_.put("file", "x");
  EXPECT_THAT(failure(scratch_ / "file/sub"), HasSubstr("file: Not a directory"));
  EXPECT_EQ(plan({"in"}, {.out = out_ / "new/er"}).files.size(), 1U);
}

}  // namespace
}  // namespace limbeck
