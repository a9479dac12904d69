#include "limbeck/core/log.h"

#include <gmock/gmock.h>

#include <regex>

#include "core/scratch.h"
#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/progress.h"

namespace limbeck {
namespace {

using test::error_of;
using test::Scratch;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using ::testing::internal::CaptureStderr;
using ::testing::internal::GetCapturedStderr;

std::string terminal_output(Verbosity verbosity) {
  CaptureStderr();
  Logger logger(verbosity);
  logger.debug("one");
  logger.info("two {} %s");
  logger.warn("three");
  logger.error("four");
  return GetCapturedStderr();
}

TEST(Logger, ShowsWhatItsVerbosityAsksFor) {
  EXPECT_EQ(terminal_output(Verbosity::normal), "two {} %s\nwarning: three\nerror: four\n");
  EXPECT_EQ(terminal_output(Verbosity::verbose), "one\ntwo {} %s\nwarning: three\nerror: four\n");
  EXPECT_EQ(terminal_output(Verbosity::quiet), "warning: three\nerror: four\n");
}

TEST(Logger, FileGetsEveryLevelWithTime) {
  const Scratch scratch;
  CaptureStderr();
  {
    Logger logger(Verbosity::quiet);
    logger.info("before the file");
    logger.add_file(scratch / "train.log");
    logger.debug("detail");
    logger.info("step 1");
    logger.warn("slow");
    // Flushed at once: what was said before a crash is what explains it.
    EXPECT_THAT(read_file(scratch / "train.log"), HasSubstr("warning: slow\n"));
  }
  GetCapturedStderr();
  const std::string time = R"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} )";
  EXPECT_TRUE(std::regex_match(
      read_file(scratch / "train.log"),
      std::regex(time + "detail\n" + time + "step 1\n" + time + "warning: slow\n")))
      << read_file(scratch / "train.log");
}

TEST(Logger, AppendsToAFile) {
  const Scratch scratch;
  scratch.put("train.log", "first run\n");
  {
    Logger logger(Verbosity::quiet);
    logger.add_file(scratch / "train.log");
    logger.info("second run");
  }
  EXPECT_THAT(read_file(scratch / "train.log"), StartsWith("first run\n"));
  EXPECT_THAT(read_file(scratch / "train.log"), HasSubstr("second run\n"));
}

TEST(Logger, NamesAFileThatCannotBeWritten) {
  const Scratch scratch;
  Logger logger(Verbosity::quiet);
  EXPECT_THAT(error_of<DataError>([&] { logger.add_file(scratch.path()); }),
              StartsWith(scratch.path().string() + ": cannot be written: "));
}

// Standard error is a file in the tests below, so that progress comes as log lines.
TEST(Progress, LastLineHoldsCountDetailsRateAndTime) {
  CaptureStderr();
  {
    Logger logger;
    Progress progress(logger, "training", "steps", 4, 2);
    progress.update(3, "loss 0.5");
    progress.update(4, "loss 0.4");
  }
  const std::string output = GetCapturedStderr();
  EXPECT_TRUE(std::regex_match(
      output, std::regex(R"(training 4/4  loss 0\.4  [0-9.e+]+ steps/s  in 0 s\n)")))
      << output;
}

TEST(Progress, IsSilentBetweenLinesAndWhenQuiet) {
  CaptureStderr();
  {
    Logger quiet(Verbosity::quiet);
    Progress progress(quiet, "training", "steps", 1);
    progress.update(1);
    Logger logger;
    Progress unfinished(logger, "training", "steps", 1000);
    for (int i = 1; i < 1000; ++i) unfinished.update(i);
  }
  EXPECT_EQ(GetCapturedStderr(), "");
}

}  // namespace
}  // namespace limbeck
