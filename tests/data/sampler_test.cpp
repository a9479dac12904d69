#include "data/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <stdexcept>

namespace limbeck {
namespace {

std::vector<int64_t> first(int64_t count, EpochPlan plan, int64_t from = 0) {
  std::vector<int64_t> indices;
  for (int64_t i = 0; i < count; ++i) indices.push_back(plan.index_at(from + i));
  return indices;
}

TEST(EpochPlan, VisitsEveryItemOnceAnEpoch) {
  for (const int64_t size : {1, 2, 7, 100}) {
    std::vector<int64_t> all(static_cast<size_t>(size));
    std::iota(all.begin(), all.end(), 0);
    for (const int64_t epoch : {0, 1, 1000}) {
      auto visited = first(size, EpochPlan(SeedKey(1), size), epoch * size);
      std::sort(visited.begin(), visited.end());
      EXPECT_EQ(visited, all);
    }
  }
}

TEST(EpochPlan, IsAFunctionOfRootEpochAndSize) {
  const EpochPlan plan(SeedKey(1), 50);
  const auto visited = first(200, plan);
  EXPECT_EQ(first(200, plan), visited);
  EpochPlan backwards = plan;
  for (int64_t i = 199; i >= 0; --i) {
    ASSERT_EQ(backwards.index_at(i), visited[static_cast<size_t>(i)]);
  }
  EXPECT_NE(first(50, plan, 50), first(50, plan));
  EXPECT_NE(first(50, EpochPlan(SeedKey(2), 50)), first(50, plan));
  EXPECT_EQ(plan.epoch_of(149), 2);
  EXPECT_EQ(plan.offset_of(149), 49);
}

// Fixed: runs that are resumed, or repeated on another platform, must see the same order.
TEST(EpochPlan, OrderIsThatOfEveryPlatform) {
  EXPECT_EQ(first(12, EpochPlan(SeedKey(1), 6)),
            (std::vector<int64_t>{4, 1, 2, 0, 3, 5, 5, 1, 0, 2, 4, 3}));
}

TEST(EpochPlan, RefusesNoItems) { EXPECT_THROW(EpochPlan(SeedKey(1), 0), std::logic_error); }

}  // namespace
}  // namespace limbeck
