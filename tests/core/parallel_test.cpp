#include "limbeck/core/parallel.h"

#include <gtest/gtest.h>

#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

namespace limbeck {
namespace {

using std::chrono::milliseconds;

void wait(WorkQueue& queue) {
  while (!queue.wait_for(milliseconds(10))) {
  }
}

TEST(WorkQueue, DoesAllThatItIsGiven) {
  for (const bool yields : {false, true}) {
    std::atomic<int64_t> sum{0};
    WorkQueue queue(3, yields, 10);
    EXPECT_TRUE(queue.wait_for(milliseconds(0)));
    for (int64_t i = 1; i <= 100; ++i) queue.add(1, [&sum, i] { sum += i; });
    wait(queue);
    EXPECT_EQ(sum, 5050);
    queue.add(1, [&sum] { sum = 0; });
    wait(queue);
    EXPECT_EQ(sum, 0);
  }
}

TEST(WorkQueue, HoldsNoMoreThanItMay) {
  std::mutex gate;
  gate.lock();
  std::atomic<int> begun{0};
  WorkQueue queue(1, false, 10);
  const auto job = [&] {
    ++begun;
    const std::lock_guard wait_for_gate(gate);
  };
  queue.add(50, job);  // alone, it may be as heavy as it likes
  std::atomic<bool> added{false};
  std::jthread giver([&] {
    queue.add(4, job);
    added = true;
  });
  std::this_thread::sleep_for(milliseconds(50));
  EXPECT_FALSE(added);
  EXPECT_FALSE(queue.wait_for(milliseconds(1)));
  gate.unlock();
  giver.join();
  wait(queue);
  EXPECT_EQ(begun, 2);
}

TEST(WorkQueue, ThrowsTheFirstExceptionAndBeginsNoMore) {
  std::atomic<int> done{0};
  WorkQueue queue(1, false, 1000);
  queue.add(1, [] { throw std::runtime_error("first"); });
  for (int i = 0; i < 20; ++i) queue.add(1, [&] { ++done; });
  try {
    wait(queue);
    FAIL() << "no exception";
  } catch (const std::runtime_error& e) {
    EXPECT_STREQ(e.what(), "first");
  }
  EXPECT_EQ(done, 0);
}

TEST(WorkQueue, DropsWhatIsNotBegunWhenItEnds) {
  std::atomic<int> done{0};
  std::mutex gate;
  gate.lock();
  std::atomic<bool> begun{false};
  auto queue = std::make_unique<WorkQueue>(1, false, 1000);
  queue->add(1, [&] {
    begun = true;
    const std::lock_guard wait_for_gate(gate);
    ++done;
  });
  for (int i = 0; i < 20; ++i) queue->add(1, [&] { ++done; });
  while (!begun) std::this_thread::yield();
  std::jthread ender([&] { queue.reset(); });
  std::this_thread::sleep_for(milliseconds(50));
  gate.unlock();
  ender.join();
  EXPECT_EQ(done, 1);
}

}  // namespace
}  // namespace limbeck
