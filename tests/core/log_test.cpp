#include "limbeck/core/log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <regex>

#include "core/failing_folder.h"
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

TEST(Progress, HoldsWhatIsKnownOfTheTimeLeftWhereItemsAreNotAlike) {
  CaptureStderr();
  {
    Logger logger;
    Progress progress(logger, "study", "", 2);
    progress.update(1, "1 running", "ETA 2 h");
    progress.update(2, "1 failed", "");
  }
  EXPECT_EQ(GetCapturedStderr(), "study 2/2  1 failed\n");
}

TEST(Progress, ShowsTheEndOnceHoweverOftenItIsTold) {
  CaptureStderr();
  {
    Logger logger;
    Progress progress(logger, "denoising", "", 2);
    for (int i = 0; i < 5; ++i) progress.update(2, "", "");
  }
  EXPECT_EQ(GetCapturedStderr(), "denoising 2/2\n");
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

/// What `body` writes to standard error while that is a terminal of so many columns.
template <class Body>
std::string on_terminal(unsigned short columns, const Body& body) {
  const int master = ::posix_openpt(O_RDWR | O_NOCTTY);
  EXPECT_EQ(::grantpt(master), 0);
  EXPECT_EQ(::unlockpt(master), 0);
  const int slave = ::open(::ptsname(master), O_RDWR | O_NOCTTY);
  winsize size{};
  size.ws_col = columns;
  EXPECT_EQ(::ioctl(slave, TIOCSWINSZ, &size), 0);
  const int kept = ::dup(STDERR_FILENO);
  ::dup2(slave, STDERR_FILENO);
  body();
  constexpr char kEnd = '\1';
  std::fputc(kEnd, stderr);
  std::fflush(stderr);
  ::dup2(kept, STDERR_FILENO);
  ::close(kept);
  // What was written arrives in pieces.
  std::string written;
  pollfd ready{master, POLLIN, 0};
  while (!written.ends_with(kEnd) && ::poll(&ready, 1, 5000) > 0) {
    char piece[4096];
    const ssize_t bytes = ::read(master, piece, sizeof piece);
    if (bytes <= 0) break;
    written.append(piece, static_cast<size_t>(bytes));
  }
  ::close(slave);
  ::close(master);
  EXPECT_TRUE(written.ends_with(kEnd));
  return written.substr(0, written.find(kEnd));
}

class ProgressOnTerminal : public testing::Test {
 protected:
  void SetUp() override {
    if (::access("/dev/ptmx", R_OK | W_OK) != 0) GTEST_SKIP() << "no pseudo-terminals here";
  }
};

/// What a terminal shows once `written` has come to it.
std::vector<std::string> lines_shown(const std::string& written) {
  std::vector<std::string> lines = {""};
  size_t column = 0;
  for (size_t i = 0; i < written.size(); ++i) {
    std::string& line = lines.back();
    if (written[i] == '\r') {
      column = 0;
    } else if (written[i] == '\n') {
      lines.emplace_back();
    } else if (written.compare(i, 3, "\x1b[K") == 0) {
      line.resize(column);
      i += 2;
    } else {
      line.resize(std::max(line.size(), column + 1), ' ');
      line[column++] = written[i];
    }
  }
  return lines;
}

TEST_F(ProgressOnTerminal, AMessageHasALineOfItsOwn) {
  const std::string written = on_terminal(100, [] {
    Logger logger;
    logger.info("begun");
    Progress progress(logger, "step", "steps", 4, 3);
    progress.update(4, "loss 0.5 and more than the message is long");
    logger.warn("slow");
    logger.info("validated");
    progress.update(4, "loss 0.4");
  });
  const auto lines = lines_shown(written);
  ASSERT_EQ(lines.size(), 5U) << written;
  EXPECT_EQ(lines[0], "begun");
  EXPECT_EQ(lines[1], "warning: slow");
  EXPECT_EQ(lines[2], "validated");
  EXPECT_THAT(lines[3], StartsWith("step 4/4  loss 0.4  "));
  EXPECT_EQ(lines[4], "");
}

TEST_F(ProgressOnTerminal, ALogFileThatFailsIsToldOnALineOfItsOwn) {
  const Scratch scratch;
  const std::string written = on_terminal(200, [&] {
    Logger logger;
    logger.add_file(scratch / "train.log");
    Progress progress(logger, "step", "steps", 4, 3);
    progress.update(4, "loss 0.5");
    {
      const test::FullDisk full(0);
      logger.debug("is for the file alone");
    }
    progress.update(4, "loss 0.4");
  });
  const auto lines = lines_shown(written);
  ASSERT_EQ(lines.size(), 3U) << written;
  EXPECT_THAT(lines[0], StartsWith("warning: " + (scratch / "train.log").string()));
  EXPECT_THAT(lines[1], StartsWith("step 4/4  loss 0.4  "));
}

TEST_F(ProgressOnTerminal, DetailsAreCutToItsWidth) {
  const auto line_of = [](unsigned short columns) {
    return on_terminal(columns, [] {
      Logger logger;
      Progress progress(logger, "step", "steps", 4, 2);
      progress.update(4, "größe 0.5 (a 0.25 b 0.25)  lr 0.001");
    });
  };
  const std::string rate = R"(  [0-9.e+]+ steps/s  in 0 s)";
  const auto matches = [](const std::string& text, const std::string& pattern) {
    return std::regex_match(text,
                            std::regex("\r" + pattern + "\x1b\\[K\r" + pattern + "\x1b\\[K\r\n"));
  };
  const std::string wide = line_of(200);
  EXPECT_TRUE(matches(wide, R"(step 4/4  größe 0\.5 \(a 0\.25 b 0\.25\)  lr 0\.001)" + rate))
      << wide;
  const std::string narrow = line_of(45);
  EXPECT_TRUE(matches(narrow, R"(step 4/4  größe[^…]*…)" + rate)) << narrow;
  const std::string tiny = line_of(12);
  EXPECT_TRUE(matches(tiny, R"(step 4/4  [0-9.e+ ]+)")) << tiny;
  for (const auto& [text, columns] : {std::pair(narrow, 45), {tiny, 12}}) {
    const std::string line = text.substr(1, text.find('\x1b') - 1);
    const auto follows = [](char c) { return (c & 0xC0) == 0x80; };
    EXPECT_EQ(static_cast<int>(line.size()) - std::count_if(line.begin(), line.end(), follows),
              columns - 1)
        << line;
  }
}

}  // namespace
}  // namespace limbeck
