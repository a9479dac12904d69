#include "limbeck/run/start_record.h"

#include <gmock/gmock.h>

#include "data/support.h"
#include "limbeck/core/error.h"
#include "limbeck/run/run_view.h"

namespace limbeck::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

TEST(StartRecord, IsReadAsItWasWritten) {
  const TempDir run;
  EXPECT_FALSE(RunView(run.path()).start());
  const StartRecord start = {
      .weights = "w", .batches = "b", .steps = 20, .batch_size = 4, .accumulate = 2};
  put_text(run / "start.json", start.text());
  EXPECT_EQ(RunView(run.path()).start(), start);
  for (const char* wrong : {"", "[]", R"({"weights": "w"})"}) {
    put_text(run / "start.json", wrong);
    EXPECT_THAT(message_of<DataError>([&] { RunView(run.path()).start(); }),
                HasSubstr("start.json: is no record of how a run began"));
  }
}

TEST(RunEnvironment, HoldsWhatMayChangeDigits) {
  const TempDir run;
  EXPECT_THAT(RunView(run.path()).environment(), IsEmpty());
  put_text(run / "environment.json",
           R"({"libtorch": "2.15.0", "threads": 2, "tf32": false, "cpu_level": "avx2",
               "started": "2026-01-01T00:00:00Z", "processor": "fast", "git": "abc"})");
  EXPECT_THAT(RunView(run.path()).environment(),
              UnorderedElementsAre(Pair("libtorch", "2.15.0"), Pair("threads", "2"),
                                   Pair("tf32", "false"), Pair("cpu_level", "avx2")));
  put_text(run / "environment.json", "torn");
  EXPECT_THAT(RunView(run.path()).environment(), IsEmpty());
}

}  // namespace
}  // namespace limbeck::test
