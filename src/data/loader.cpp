#include "limbeck/data/loader.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "limbeck/data/sampler.h"

namespace limbeck {
namespace {

Batch make_batch(const Dataset& dataset, SeedKey root, EpochPlan& plan, int64_t first,
                 int64_t count) {
  Batch batch;
  batch.size = count;
  batch.samples = dataset.segment_samples();
  batch.noisy.reserve(static_cast<size_t>(count * batch.samples));
  batch.clean.reserve(static_cast<size_t>(count * batch.samples));
  for (int64_t position = first; position < first + count; ++position) {
    const SeedKey key = root.with("example")
                            .with(static_cast<uint64_t>(plan.epoch_of(position)))
                            .with(static_cast<uint64_t>(plan.offset_of(position)));
    Example example = dataset.get(plan.index_at(position), key);
    if (static_cast<int64_t>(example.noisy.size()) != batch.samples ||
        static_cast<int64_t>(example.clean.size()) != batch.samples) {
      throw std::logic_error("example '" + example.id +
                             "' has another length than its data set says");
    }
    batch.noisy.insert(batch.noisy.end(), example.noisy.begin(), example.noisy.end());
    batch.clean.insert(batch.clean.end(), example.clean.begin(), example.clean.end());
    batch.valid_samples.push_back(example.valid_samples);
    batch.ids.push_back(std::move(example.id));
  }
  return batch;
}

}  // namespace

/// Workers take batch numbers in order, as long as these are less than `prefetch` ahead of the
/// consumer, and put what they made (or what went wrong) where the consumer looks for that number.
class Loader::State {
 public:
  State(const Dataset& dataset, const LoaderOptions& options, SeedKey root, int64_t first_batch)
      : dataset_(dataset),
        options_(options),
        root_(root),
        plan_(root, dataset.size()),
        next_wanted_(first_batch),
        next_taken_(first_batch) {
    if (options.batch_size < 1 || options.workers < 0 || options.prefetch < 1 || first_batch < 0) {
      throw std::logic_error("Loader: option out of range");
    }
    try {
      for (int64_t i = 0; i < options.workers; ++i) threads_.emplace_back([this] { work(); });
    } catch (...) {  // the system is out of threads: those that run must still be joined
      stop();
      throw;
    }
  }

  ~State() { stop(); }

  Batch next() {
    const auto start = std::chrono::steady_clock::now();
    Result result = options_.workers == 0 ? make(plan_, next_wanted_) : take();
    waited_ += std::chrono::steady_clock::now() - start;
    if (result.error) std::rethrow_exception(result.error);
    return std::move(result.batch);
  }

  double wait_seconds() const { return waited_.count(); }

 private:
  struct Result {
    Batch batch;
    std::exception_ptr error;
  };

  Result make(EpochPlan& plan, int64_t number) {
    Result result;
    try {
      result.batch =
          make_batch(dataset_, root_, plan, number * options_.batch_size, options_.batch_size);
      if (options_.workers == 0) ++next_wanted_;
    } catch (...) {
      result.error = std::current_exception();
    }
    return result;
  }

  Result take() {
    std::unique_lock lock(mutex_);
    made_.wait(lock, [&] { return results_.count(next_wanted_) > 0; });
    const auto found = results_.find(next_wanted_);
    if (found->second.error) return {{}, found->second.error};
    Result result = std::move(found->second);
    results_.erase(found);
    ++next_wanted_;
    wanted_.notify_one();
    return result;
  }

  void work() {
    EpochPlan plan(root_, dataset_.size());
    std::unique_lock lock(mutex_);
    for (;;) {
      wanted_.wait(lock,
                   [&] { return stopped_ || next_taken_ < next_wanted_ + options_.prefetch; });
      if (stopped_) return;
      const int64_t number = next_taken_++;
      lock.unlock();
      Result result = make(plan, number);
      lock.lock();
      results_[number] = std::move(result);
      made_.notify_one();
    }
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    wanted_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  const Dataset& dataset_;
  const LoaderOptions options_;
  const SeedKey root_;
  EpochPlan plan_;  // of the consumer's thread; each worker has its own
  std::chrono::duration<double> waited_{0};

  std::mutex mutex_;
  std::condition_variable wanted_;
  std::condition_variable made_;
  int64_t next_wanted_;
  int64_t next_taken_;
  std::map<int64_t, Result> results_;
  bool stopped_ = false;
  std::vector<std::thread> threads_;
};

Loader::Loader(const Dataset& dataset, const LoaderOptions& options, SeedKey root,
               int64_t first_batch)
    : state_(std::make_unique<State>(dataset, options, root, first_batch)) {}

Loader::~Loader() = default;

Batch Loader::next() { return state_->next(); }

double Loader::wait_seconds() const { return state_->wait_seconds(); }

Batch fixed_batch(const Dataset& dataset, int64_t first, int64_t count, uint64_t seed) {
  const SeedKey root = SeedKey(seed).with("fixed");
  EpochPlan plan(root, dataset.size());
  return make_batch(dataset, root, plan, first, count);
}

}  // namespace limbeck
