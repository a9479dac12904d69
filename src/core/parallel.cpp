#include "limbeck/core/parallel.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "limbeck/core/interrupt.h"

namespace limbeck {
namespace {

int64_t thread_count(int64_t wanted) {
  return wanted > 0 ? wanted : std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace

void parallel_for(int64_t count, int64_t threads, Progress& progress,
                  const std::function<void(int64_t)>& body, const std::atomic<int64_t>* counter) {
  const int64_t workers = std::min(count, thread_count(threads));
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

struct WorkQueue::State {
  struct Job {
    int64_t weight;
    std::function<void()> run;
  };

  /// What a thread does.
  void work(bool yields) {
    constexpr int kLowestPriority = 19;
    if (yields) ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kLowestPriority);
    std::unique_lock lock(mutex);
    while (true) {
      changed.wait(lock, [&] { return ended || !jobs.empty(); });
      if (ended) return;
      Job job = std::move(jobs.front());
      jobs.pop_front();
      lock.unlock();
      std::exception_ptr own_error;
      try {
        job.run();
        job.run = nullptr;  // and what it holds goes, too
      } catch (...) {
        own_error = std::current_exception();
      }
      lock.lock();
      weight -= job.weight;
      --open;
      if (own_error && !error) {
        error = own_error;
        drop();
      }
      changed.notify_all();
    }
  }

  void drop() {
    for (const Job& job : jobs) {
      weight -= job.weight;
      --open;
    }
    jobs.clear();
  }

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Job> jobs;  // that are not begun
  int64_t open = 0;      // jobs that are not done
  int64_t weight = 0;    // of these
  int64_t most_weight = 0;
  bool ended = false;
  std::exception_ptr error;
  std::vector<std::jthread> threads;
};

WorkQueue::WorkQueue(int64_t threads, bool yields, int64_t most_weight)
    : state_(std::make_unique<State>()) {
  state_->most_weight = most_weight;
  for (int64_t i = 0; i < thread_count(threads); ++i) {
    state_->threads.emplace_back([state = state_.get(), yields] { state->work(yields); });
  }
}

WorkQueue::~WorkQueue() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->ended = true;
    state_->drop();
  }
  state_->changed.notify_all();
  state_->threads.clear();
}

void WorkQueue::add(int64_t weight, std::function<void()> job) {
  std::unique_lock lock(state_->mutex);
  state_->changed.wait(
      lock, [&] { return state_->open == 0 || state_->weight + weight <= state_->most_weight; });
  if (state_->error) return;  // told by wait_for
  state_->weight += weight;
  ++state_->open;
  state_->jobs.push_back({weight, std::move(job)});
  state_->changed.notify_all();
}

bool WorkQueue::wait_for(std::chrono::milliseconds time) {
  std::unique_lock lock(state_->mutex);
  const bool done = state_->changed.wait_for(lock, time, [&] { return state_->open == 0; });
  if (done && state_->error) std::rethrow_exception(state_->error);
  return done;
}

}  // namespace limbeck
