#include "limbeck/data/loader.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>

#include "data/sampler.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/core/interrupt.h"
#include "limbeck/data/manifest.h"
#include "limbeck/data/unique_batches.h"

namespace limbeck {
namespace {

constexpr int kAttempts = 10;
constexpr auto kPatience = std::chrono::seconds(1);
constexpr int64_t kTolerated = 100;  // one of so many examples of an epoch may be unreadable

/// An example that could not be read.
struct Unreadable {
  int64_t epoch;
  std::string reason;
};

struct Made {
  Batch batch;
  std::vector<Unreadable> unreadable;
  std::vector<std::string> silent;
  std::exception_ptr error;
};

/// The batch that comes as number `number`: another number only where batches come again.
int64_t original_of(int64_t number, const LoaderOptions& options, int64_t items) {
  return options.epochs_unique == 0 ? number : number % unique_batches(options, items);
}

/// The example, or another in its place.
Example get_readable(const Dataset& dataset, int64_t index, SeedKey key, int64_t epoch,
                     std::vector<Unreadable>& unreadable) {
  for (int attempt = 1;; ++attempt) {
    try {
      return dataset.get(index, key);
    } catch (const ChangedFile&) {
      throw;  // seen only where a file is decoded whole, so what comes next would hang on the cache
    } catch (const DataError& e) {
      unreadable.push_back({epoch, e.what()});
      if (attempt == kAttempts) throw;
    }
    key = key.with("replacement");
    index =
        static_cast<int64_t>(Random(key.with("item")).below(static_cast<uint64_t>(dataset.size())));
  }
}

Made make_batch(const Dataset& dataset, const LoaderOptions& options, SeedKey root, EpochPlan& plan,
                int64_t number) {
  Made made;
  try {
    std::vector<Example> examples;
    std::vector<Draw> draws;
    const int64_t original = original_of(number, options, dataset.size());
    for (int64_t i = 0; i < options.batch_size; ++i) {
      const int64_t position = original * options.batch_size + i;
      draws.push_back(
          {plan.epoch_of(position), plan.index_at(position), plan.key_at(position).value()});
      examples.push_back(get_readable(dataset, draws.back().index, plan.key_at(position),
                                      plan.epoch_of(number * options.batch_size + i),
                                      made.unreadable));
      if (!examples.back().silent.empty()) made.silent.push_back(examples.back().silent);
    }
    made.batch = collate(std::move(examples), dataset.segment_samples());
    made.batch.draws = std::move(draws);
    augment(made.batch, options.augment, dataset.rate_hz(),
            root.with("augment").with(static_cast<uint64_t>(original)));
  } catch (...) {
    made.error = std::current_exception();
  }
  return made;
}

}  // namespace

int64_t unique_batches(const LoaderOptions& options, int64_t items) {
  return (options.epochs_unique * items + options.batch_size - 1) / options.batch_size;
}

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
    if (options.batch_size < 1 || options.workers < 0 || options.prefetch < 1 || first_batch < 0 ||
        options.epochs_unique < 0) {
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
    if (!failed_) {
      Made made = options_.workers == 0 ? make_batch(dataset_, options_, root_, plan_, next_wanted_)
                                        : take();
      waited_ += std::chrono::steady_clock::now() - start;
      count(made);
      count_silent(made);
      if (!failed_) {
        advance();
        return std::move(made.batch);
      }
    }
    std::rethrow_exception(failed_);
  }

  double wait_seconds() const { return waited_.count(); }
  int64_t unreadable() const { return unreadable_; }

 private:
  /// Names what could not be read, and decides whether that was too much. Done in the order of
  /// batches, so that the work of threads does not show.
  void count(const Made& made) {
    failed_ = made.error;
    for (const Unreadable& one : made.unreadable) {
      ++unreadable_;
      if (named_.insert(one.reason).second && options_.logger != nullptr) {
        options_.logger->warn(one.reason + "; another example takes its place");
      }
      if (one.epoch != epoch_) of_epoch_ = 0;
      epoch_ = one.epoch;
      ++of_epoch_;
      if (failed_ || of_epoch_ * kTolerated <= dataset_.size()) continue;
      failed_ = std::make_exception_ptr(
          DataError(format("more than 1 %% of epoch %d could not be read: %d of %d examples "
                           "so far, the last: %s",
                           epoch_, of_epoch_, dataset_.size(), one.reason)));
    }
  }

  /// A few are normal, as segments are drawn; told again whenever their number has doubled.
  void count_silent(const Made& made) {
    examples_ += made.batch.size;
    for (const std::string& what : made.silent) {
      if (!std::has_single_bit(++silent_) || options_.logger == nullptr) continue;
      options_.logger->warn(
          format("%d of %d examples so far without speech or noise to be heard; the last: %s",
                 silent_, examples_, what));
    }
  }

  Made take() {
    std::unique_lock lock(mutex_);
    const auto is_made = [&] { return results_.contains(next_wanted_); };
    // A disk that hangs must not keep a signal from ending the training.
    while (!made_.wait_for(lock, kPatience, is_made)) throw_if_interrupted();
    return std::move(results_.extract(next_wanted_).mapped());
  }

  void advance() {
    {
      const std::lock_guard lock(mutex_);
      ++next_wanted_;
    }
    wanted_.notify_one();
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
      Made made = make_batch(dataset_, options_, root_, plan, number);
      lock.lock();
      results_[number] = std::move(made);
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

  // Unreadable examples, as far as batches were taken.
  std::exception_ptr failed_;
  std::set<std::string> named_;
  int64_t unreadable_ = 0;
  int64_t epoch_ = -1;
  int64_t of_epoch_ = 0;
  int64_t examples_ = 0;
  uint64_t silent_ = 0;  // of these

  std::mutex mutex_;
  std::condition_variable wanted_;
  std::condition_variable made_;
  int64_t next_wanted_;
  int64_t next_taken_;
  std::map<int64_t, Made> results_;
  bool stopped_ = false;
  std::vector<std::thread> threads_;
};

Loader::Loader(const Dataset& dataset, const LoaderOptions& options, SeedKey root,
               int64_t first_batch)
    : state_(std::make_unique<State>(dataset, options, root, first_batch)) {}

Loader::~Loader() = default;

Batch Loader::next() { return state_->next(); }

std::vector<Batch> Loader::next(int64_t count) {
  std::vector<Batch> batches;
  for (int64_t i = 0; i < count; ++i) batches.push_back(state_->next());
  return batches;
}

double Loader::wait_seconds() const { return state_->wait_seconds(); }

int64_t Loader::unreadable() const { return state_->unreadable(); }

}  // namespace limbeck
