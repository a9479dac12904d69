#include "study/pace.h"

#include <gtest/gtest.h>

namespace limbeck {
namespace {

TEST(StudyPace, TellsTheTimeLeftFromTheSpeedOfEachKind) {
  StudyPace pace(2);
  pace.set_left(0, 100, 1);
  pace.set_left(1, 300, 3);
  EXPECT_EQ(pace.time_left(), "");
  pace.add(0, 10, 5);
  EXPECT_EQ(pace.time_left(), "ETA over 50 s");  // 100 steps at 2 a second
  pace.add(1, 5, 5);
  pace.add(1, 15, 5);
  EXPECT_EQ(pace.time_left(), "ETA 1 min 40 s");  // and 300 at 2 a second in three processes
  pace.set_left(0, 0, 1);
  pace.set_left(1, 30, 3);
  EXPECT_EQ(pace.time_left(), "ETA 5 s");
}

}  // namespace
}  // namespace limbeck
