// A whole training of which any call for files fails: it says so, and the same command ends in the
// same bits. Trainings are forked, as in killed_test.cpp.

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "limbeck/run/run_view.h"
#include "train/faults.h"

namespace limbeck::test {
namespace {

namespace fs = std::filesystem;

class FailingTraining : public FaultsOfEach {};

INSTANTIATE_TEST_SUITE_P(Each, FailingTraining, testing::Values(plain_training(), full_training()),
                         name_of);

TEST_P(FailingTraining, FailingAnywhereARunGoesOnToTheSameBits) {
  for (const int error : {EIO, ENOSPC}) {
    // Every call once, with one of the two.
    try_each(reference_.calls, {.fault = Fault::fail, .error = error}, error == EIO ? 0 : stride(),
             2 * stride(), false, nothing,
             [&](const fs::path&, const Outcome& broken) { expect_told(broken, error); });
  }
}

TEST_P(FailingTraining, AFolderThatMendsCostsNothing) {
  // While it is written first, and between checkpoints: what fails there is made good.
  TempDir tmp;
  ::setenv("TMPDIR", tmp.path().c_str(), 1);
  const size_t first = first_call_of(2);
  for (const int error : {ENOSPC, EROFS}) {
    try_each(reference_.calls,
             {.fault = Fault::fail, .error = error, .count = 25, .writes_only = true},
             first + (error == EROFS ? 3 : 0), 7 * stride(), false, nothing,
             [&](const fs::path& folder, const Outcome& broken) {
               if (broken.code == 0) {  // bar what cannot be removed before it is opened again
                 EXPECT_EQ(metrics(folder / "run"), metrics(whole_ / "run"));
                 for (const char* file : {"run/best.json", "run/last.json"}) {
                   EXPECT_EQ(read_file(folder / file), read_file(whole_ / file));
                 }
                 return;
               }
               expect_told(broken, error);
               EXPECT_THAT(broken.said,
                           testing::HasSubstr(format("training ends at step %d", training_.steps)));
             });
  }
  ::unsetenv("TMPDIR");
}

TEST_F(Faults, AFolderThatStaysAsItIsCostsNoStep) {
  TempDir dir;
  const fs::path tmp = dir / "tmp";
  fs::create_directories(tmp);
  ::setenv("TMPDIR", tmp.c_str(), 1);
  const size_t first = first_call_of(2);
  const Outcome broken = train(dir / "case", {.fault = Fault::fail,
                                              .at = static_cast<int64_t>(first),
                                              .error = EDQUOT,
                                              .count = 100000,
                                              .writes_only = true});
  ::unsetenv("TMPDIR");
  EXPECT_EQ(broken.code, 3) << broken.said;
  EXPECT_THAT(broken.said, testing::HasSubstr(std::strerror(EDQUOT)));
  EXPECT_FALSE(RunView(dir / "case/run").checkpoint("last"));
  // As the message says: what is elsewhere is copied, and the same command goes on.
  ASSERT_FALSE(fs::is_empty(tmp));
  const fs::path saved = fs::directory_iterator(tmp)->path();
  EXPECT_THAT(broken.said, testing::HasSubstr(saved.string()));
  fs::copy(saved / "checkpoints", dir / "case/run/checkpoints", fs::copy_options::recursive);
  const Outcome mended = train(dir / "case", {});
  ASSERT_EQ(mended.code, 0) << mended.said;
  EXPECT_TRUE(fs::remove(dir / "case/run/checkpoints/step-00000004/kept_lines.jsonl"));
  expect_as_whole(dir / "case");
}

TEST_P(FailingTraining, FailingWhileItResumesARunLosesNothing) {
  const fs::path before = stopped("stopped");
  const auto prepare = [&](const fs::path& folder) {
    fs::copy(before, folder, fs::copy_options::recursive);
  };
  TempDir dir;
  prepare(dir / "case");
  const Outcome resumed = train(dir / "case", {});
  ASSERT_EQ(resumed.code, 0) << resumed.said;
  for (const int error : {EMFILE, EIO}) {
    try_each(resumed.calls, {.fault = Fault::fail, .error = error}, error == EIO ? 0 : stride(),
             2 * stride(), false, prepare,
             [&](const fs::path&, const Outcome& broken) { expect_told(broken, error); });
  }
  try_each(resumed.calls, {.fault = Fault::kill}, 0, 3 * stride(), false, prepare,
           [](const fs::path&, const Outcome&) {});
}

TEST_F(Faults, AMissingValidationFileIsNamedBeforeAnythingIsTrained) {
  TempDir dir;
  const fs::path file = shared_ / "data" / "4-noisy.wav";
  fs::rename(file, dir / "kept");
  const Outcome refused = train(dir / "case", {});
  fs::rename(dir / "kept", file);
  EXPECT_EQ(refused.code, 3);
  EXPECT_THAT(refused.said, testing::HasSubstr(file.string()));
  EXPECT_FALSE(fs::exists(dir / "case" / "run"));
}

TEST_F(Faults, ATeacherThatTrainsOnIsAnotherOneOnResume) {
  const fs::path young = stopped("young");
  TempDir dir;
  const Outcome begun = train(dir / "case", {}, false, 1, young / "run");
  EXPECT_EQ(begun.code, 0);
  EXPECT_THAT(begun.said, testing::HasSubstr("is still in training (step 4)"));
  ASSERT_EQ(train(young, {}).code, 0);
  const Outcome resumed = train(dir / "case", {}, false, 1, young / "run");
  EXPECT_EQ(resumed.code, 2);
  EXPECT_THAT(resumed.said, testing::HasSubstr("teacher.model: "));
  EXPECT_THAT(resumed.said, Not(testing::HasSubstr("still in training")));
}

}  // namespace
}  // namespace limbeck::test
