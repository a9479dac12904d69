// A whole training, killed and interrupted at every call by which it changes its folder: the same
// command must then end in the same bits. Trainings are forked, so these tests need a process in
// which LibTorch's autograd was not used before: each one its own, as CTest runs them.

#include <csignal>

#include "limbeck/run/checkpoint.h"
#include "limbeck/run/run_view.h"
#include "train/faults.h"

namespace limbeck::test {
namespace {

namespace fs = std::filesystem;

class KilledTraining : public FaultsOfEach {};

INSTANTIATE_TEST_SUITE_P(Each, KilledTraining, testing::Values(plain_training(), full_training()),
                         name_of);

TEST_P(KilledTraining, AreTriedAtMoreThanAHundredCalls) {
  ASSERT_EQ(reference_.code, 0) << reference_.said;
  EXPECT_GT(reference_.calls.size(), 100U) << join(reference_.calls, "\n");
  EXPECT_EQ(metrics(whole_ / "run").size(), training_.lines);
  EXPECT_THAT(told(whole_), testing::Contains(format("%d audio_2/estimate", training_.steps)));
}

TEST_P(KilledTraining, KilledAnywhereARunGoesOnToTheSameBits) {
  try_each(reference_.calls, {.fault = Fault::kill}, 0, stride(), false, nothing,
           [](const fs::path&, const Outcome& broken) { EXPECT_EQ(broken.code, -SIGKILL); });
}

TEST_F(Faults, KilledWhileItRemovesCheckpointsNoPointerDangles) {
  training_.train += ", save_every: 1, keep: {last: 2, best: 2, every: 3}";
  TempDir dir;
  const Outcome whole = train(dir / "whole", {});
  ASSERT_EQ(whole.code, 0) << whole.said;
  for (size_t at = 0; at < whole.calls.size() && !HasFailure(); at += 13 * kStride) {
    SCOPED_TRACE(whole.calls[at]);
    const fs::path folder = dir / format("case-%d", at);
    const Injection kill = {.fault = Fault::kill, .at = static_cast<int64_t>(at)};
    EXPECT_EQ(train(folder, kill).code, -SIGKILL);
    for (const char* which : {"best", "last"}) {
      const auto pointed = RunView(folder / "run").pointed(which);
      EXPECT_EQ(pointed ? check_checkpoint(*pointed) : "", "") << which;
    }
    EXPECT_EQ(train(folder, {}).code, 0);
    EXPECT_EQ(names_in(folder / "run"), names_in(dir / "whole/run"));
    EXPECT_EQ(metrics(folder / "run"), metrics(whole_ / "run"));
  }
}

TEST_P(KilledTraining, InterruptedAnywhereARunHasSavedWhatItWroteDown) {
  // What is found in the background is written down before the checkpoint of the signal.
  any_order_ = training_.name == "full";
  try_each(reference_.calls, {.fault = Fault::interrupt}, 0, 2 * stride(), false, nothing,
           [](const fs::path& folder, const Outcome& broken) {
             if (broken.code == 0) return;  // it came after the last step
             EXPECT_EQ(broken.code, 130);
             const auto last = RunView(folder / "run").checkpoint("last");
             if (!last) {  // it came before the first step, while files are opened
               EXPECT_THAT(metrics(folder / "run"), testing::IsEmpty());
               EXPECT_THAT(broken.said, Not(testing::HasSubstr("saved")));
               return;
             }
             int64_t steps = 0;
             for (const auto& line : metrics(folder / "run")) steps += line["split"] == "train";
             EXPECT_EQ(last->filename().string(), format("step-%08d", steps));
             EXPECT_THAT(broken.said, testing::HasSubstr(format("saved at step %d,", steps)));
           });
}

TEST_F(Faults, KilledWhileItRestartsARunCanBeRestarted) {
  const fs::path old = shared_ / "old";
  ASSERT_EQ(train(old, {}, false, 2).code, 0);
  const auto prepare = [&](const fs::path& folder) {
    fs::copy(old, folder, fs::copy_options::recursive);
    fs::remove_all(folder / "cache");
  };
  TempDir dir;
  prepare(dir / "case");
  const Outcome restarted = train(dir / "case", {}, true);
  ASSERT_EQ(restarted.code, 0) << restarted.said;
  expect_as_whole(dir / "case");
  try_each(restarted.calls, {.fault = Fault::kill}, 0, 2 * kStride, true, prepare,
           [&](const fs::path& folder, const Outcome&) {
             // Without --restart it is the old run, or none.
             const Outcome other = train(folder, {});
             const bool is_old = other.said.find("another configuration") != std::string::npos;
             EXPECT_EQ(other.code, is_old ? 2 : 0) << other.said;
           });
}

}  // namespace
}  // namespace limbeck::test
