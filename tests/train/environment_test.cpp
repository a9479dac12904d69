#include "train/environment.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <regex>

#include "data/support.h"
#include "limbeck/core/cpu.h"
#include "limbeck/core/version.h"

namespace limbeck::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Environment : public testing::Test {
 protected:
  Environment()
      : identity_("training", 1),
        run_(dir_ / "run", identity_, config::Node::make_map({}), false),
        now_(environment_now(at::kCPU, 3, nn::Kernels::fused)) {}

  /// Writes it and returns what was warned about.
  std::string write() {
    testing::internal::CaptureStderr();
    Logger logger;
    write_environment(run_, now_, identity_, TrainingRecord(), {"limbeck-pretrain", "my run.yaml"},
                      logger);
    return testing::internal::GetCapturedStderr();
  }
  nlohmann::json written() {
    return nlohmann::json::parse(read_file(dir_ / "run" / "environment.json"));
  }

  TempDir dir_;
  Identity identity_;
  RunDir run_;
  nlohmann::json now_;
};

TEST_F(Environment, SaysByWhatAndOnWhatIsTrained) {
  EXPECT_THAT(write(), IsEmpty());
  const auto all = written();
  EXPECT_EQ(all.at("limbeck"), version_text());
  EXPECT_EQ(all.at("git"), git_revision());
  EXPECT_THAT(all.at("compiler").get<std::string>(), testing::ContainsRegex("^(GCC|Clang) [0-9]+"));
  EXPECT_THAT(all.at("libtorch").get<std::string>(), testing::StartsWith("2."));
  EXPECT_THAT(read_file("/proc/cpuinfo"), HasSubstr(": " + all.at("processor").get<std::string>()));
  EXPECT_EQ(all.at("cpu_level"), to_string(cpu_level()));
  EXPECT_EQ(all.at("threads"), 3);
  EXPECT_EQ(all.at("device"), "cpu");
  EXPECT_FALSE(all.contains("device_model"));
  EXPECT_EQ(all.at("identity"), identity_.hash());
  EXPECT_EQ(all.at("command"), (nlohmann::json{"limbeck-pretrain", "my run.yaml"}));
  EXPECT_TRUE(std::regex_match(all.at("started").get<std::string>(),
                               std::regex(R"(20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ)")));
}

TEST_F(Environment, WarnsOfASittingThatRoundsOtherwise) {
  write();
  EXPECT_THAT(write(), IsEmpty());
  now_["threads"] = 4;
  now_["compiler"] = "GCC 99";
  const std::string said = write();
  EXPECT_THAT(said, HasSubstr("begun with another threads"));
  EXPECT_THAT(said, HasSubstr("begun with another compiler"));
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 2) << said;
  EXPECT_EQ(written().at("threads"), 4);
  now_["processor"] = "another one, of the same instruction set";
  EXPECT_THAT(write(), IsEmpty());
  put_text(dir_ / "run" / "environment.json", "torn");
  EXPECT_THAT(write(), HasSubstr("begun with another libtorch"));
}

}  // namespace
}  // namespace limbeck::test
