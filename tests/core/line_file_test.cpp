#include "limbeck/core/line_file.h"

#include <gmock/gmock.h>

#include "core/failing_folder.h"
#include "core/scratch.h"
#include "limbeck/core/files.h"
#include "limbeck/core/log.h"

namespace limbeck::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class LineFiles : public testing::Test {
 protected:
  LineFiles() { fs::create_directories(folder_); }

  Scratch scratch_;
  fs::path folder_ = scratch_ / "run";
  fs::path file_ = folder_ / "lines";
  LineFile lines_{file_};
};

TEST_F(LineFiles, GrowByLines) {
  EXPECT_EQ(lines_.append("one"), "");
  EXPECT_EQ(lines_.append("two"), "");
  EXPECT_EQ(read_file(file_), "one\ntwo\n");
  EXPECT_EQ(lines_.kept(), "");
}

TEST_F(LineFiles, OnAFullDiskALineIsCutAndLaterWhole) {
  ASSERT_EQ(lines_.append("one"), "");
  {
    const FullDisk full(7);
    EXPECT_EQ(lines_.append("second"), file_.string() + ": cannot be written: File too large");
    EXPECT_EQ(read_file(file_), "one\nsec");
    EXPECT_EQ(lines_.kept(), "second\n");  // for another place it is not cut
    EXPECT_NE(lines_.append("third"), "");
    EXPECT_EQ(lines_.kept(), "second\nthird\n");
  }
  EXPECT_EQ(lines_.write_kept(), "");
  EXPECT_EQ(lines_.append("fourth"), "");
  EXPECT_EQ(read_file(file_), "one\nsecond\nthird\nfourth\n");
}

TEST_F(LineFiles, WhatSomebodyRemovedIsMadeAgain) {
  ASSERT_EQ(lines_.append("one"), "");
  fs::remove(file_);
  EXPECT_EQ(lines_.append("two"), "");
  EXPECT_EQ(read_file(file_), "two\n");
}

TEST_F(LineFiles, WaitForTheirFolderAndTakeNoOther) {
  ASSERT_EQ(lines_.append("one"), "");
  fs::rename(folder_, scratch_ / "elsewhere");
  EXPECT_THAT(lines_.append("two"), HasSubstr("No such file"));
  EXPECT_FALSE(fs::exists(folder_));
  fs::create_directories(folder_);  // as a mount point is when nothing is mounted
  EXPECT_THAT(lines_.append("three"), HasSubstr("No such file"));
  EXPECT_FALSE(fs::exists(file_));
  fs::remove(folder_);
  fs::rename(scratch_ / "elsewhere", folder_);
  EXPECT_EQ(lines_.append("four"), "");
  EXPECT_EQ(read_file(file_), "one\ntwo\nthree\nfour\n");
}

TEST_F(LineFiles, ALogSaysOnceThatItCannotBeWrittenAndLosesNothing) {
  testing::internal::CaptureStderr();
  {
    Logger logger;
    logger.add_file(file_);
    logger.info("one");
    fs::rename(folder_, scratch_ / "elsewhere");
    logger.info("two");
    logger.info("three");
    fs::rename(scratch_ / "elsewhere", folder_);
    logger.info("four");
  }
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_THAT(said, testing::AllOf(HasSubstr("one\n"), HasSubstr("two\n"), HasSubstr("four\n")));
  const std::string warning = "warning: " + file_.string() + ": cannot be written: No such file";
  EXPECT_THAT(said, HasSubstr(warning));
  EXPECT_EQ(said.find(warning), said.rfind(warning));
  EXPECT_THAT(read_file(file_), testing::MatchesRegex("20.* one\n.* two\n.* three\n.* four\n"));
}

}  // namespace
}  // namespace limbeck::test
