#include "limbeck/study/fairness.h"

#include <gmock/gmock.h>

namespace limbeck::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

ArmStart arm(const std::string& label, size_t scenario, size_t method, int64_t seed) {
  return {.label = label,
          .arm = {.scenario = scenario, .method = method},
          .seed = seed,
          .start = {.weights = "w" + std::to_string(seed),
                    .batches = "b" + std::to_string(seed),
                    .steps = 100,
                    .batch_size = 8,
                    .accumulate = 1}};
}

std::vector<ArmStart> fair() {
  return {arm("A, none, seed 1", 0, 0, 1), arm("A, none, seed 2", 0, 0, 2),
          arm("A, cosine, seed 1", 0, 1, 1), arm("A, cosine, seed 2", 0, 1, 2),
          arm("A, clskd, seed 2", 0, 2, 2)};
}

TEST(Fairness, OfSeedsScenariosAndSweepPointsNothingIsAsked) {
  EXPECT_THAT(unfair_arms({}), IsEmpty());
  auto arms = fair();
  EXPECT_THAT(unfair_arms(arms), IsEmpty());
  arms.push_back(arm("B, none, seed 1", 1, 0, 1));
  arms.back().start.weights = "of a larger student";
  arms.push_back(arm("A, batch_size=4, none, seed 1", 0, 0, 1));
  arms.back().arm.sweep = 1;
  arms.back().start.batch_size = 4;
  EXPECT_THAT(unfair_arms(arms), IsEmpty());
}

TEST(Fairness, NamesWhatDiffersAndWhoBeganAlike) {
  auto arms = fair();
  arms[3].start.weights = "others";
  EXPECT_THAT(unfair_arms(arms),
              ElementsAre("began with other initial weights: A, none, seed 2 = A, clskd, seed 2 ≠ "
                          "A, cosine, seed 2"));
  arms[4].start.steps = 200;
  arms[0].start.batches = "others";
  arms[2].start.batch_size = 4;
  arms[2].start.accumulate = 2;
  EXPECT_THAT(unfair_arms(arms),
              ElementsAre("began with other batches, train.batch_size, train.accumulate: A, none, "
                          "seed 1 ≠ A, cosine, seed 1",
                          "began with other initial weights, train.steps: A, none, seed 2 ≠ A, "
                          "cosine, seed 2 ≠ A, clskd, seed 2"));
}

TEST(Fairness, AlsoHoldsForTheSameMethodWithAnotherTeacher) {
  auto arms = fair();
  arms.push_back(arm("A, cosine, teacher seed 2, seed 1", 0, 1, 1));
  EXPECT_THAT(unfair_arms(arms), IsEmpty());
  arms.back().start.batches = "others";
  EXPECT_EQ(unfair_arms(arms).size(), 1U);
}

}  // namespace
}  // namespace limbeck::test
