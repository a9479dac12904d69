#include "limbeck/core/parallel.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "limbeck/core/interrupt.h"

namespace limbeck {

void parallel_for(int64_t count, int64_t threads, Progress& progress,
                  const std::function<void(int64_t)>& body, const std::atomic<int64_t>* counter) {
  const int64_t cores = std::max(1U, std::thread::hardware_concurrency());
  const int64_t workers = std::min(count, threads > 0 ? threads : cores);
  std::atomic<int64_t> next{0};
  std::atomic<int64_t> calls{0};
  const std::atomic<int64_t>& done = counter != nullptr ? *counter : calls;
  std::exception_ptr error;
  int64_t running = workers;
  std::mutex mutex;
  std::condition_variable ended;

  const auto work = [&] {
    std::exception_ptr own_error;
    try {
      for (int64_t i = next++; i < count; i = next++) {
        body(i);
        ++calls;
      }
    } catch (...) {
      own_error = std::current_exception();
      next = count;
    }
    const std::lock_guard lock(mutex);
    if (own_error && !error) error = own_error;
    --running;
    ended.notify_one();
  };
  {
    std::vector<std::jthread> pool;
    for (int64_t i = 0; i < workers; ++i) pool.emplace_back(work);
    std::unique_lock lock(mutex);
    while (!ended.wait_for(lock, std::chrono::milliseconds(100), [&] { return running == 0; })) {
      progress.update(done);
      if (interrupt_signal() != 0) next = count;  // those that are in work are finished
    }
  }
  if (error) std::rethrow_exception(error);
  throw_if_interrupted();
  progress.update(done);
  progress.finish();
}

}  // namespace limbeck
