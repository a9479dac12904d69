#pragma once

#include <cstdint>
#include <memory>

#include "limbeck/core/log.h"
#include "limbeck/core/random.h"
#include "limbeck/data/augment.h"
#include "limbeck/data/batch.h"
#include "limbeck/data/dataset.h"

namespace limbeck {

struct LoaderOptions {
  int64_t batch_size = 1;
  int64_t workers = 0;   ///< threads; 0 makes batches in the thread that asks
  int64_t prefetch = 2;  ///< batches made ahead, at least 1
  AugmentOptions augment;
  Logger* logger = nullptr;   ///< told each unreadable file once, and how many examples are silent
  int64_t epochs_unique = 0;  ///< batches come again after so many epochs; 0: never
};

/// The batches of a training run, in order. Batch n holds positions n · batch_size … of the
/// EpochPlan of `root`, and the example at a position has the key root/"example"/epoch/offset:
/// batches depend on nothing but data set, root, batch size, augmentation and n, so neither
/// `workers` nor `prefetch` can change them, and resuming means passing the number of the next
/// batch. With `epochs_unique`, the batches that begin in the first so many epochs come again and
/// again, as they were. Threads only read files and do arithmetic: no tensors.
///
/// An example that cannot be read (DataError) is replaced by another whose item and key are drawn
/// from its own key, so that is the same for any number of workers and after a resume, too.
class Loader {
 public:
  /// `dataset` must outlive the loader.
  Loader(const Dataset& dataset, const LoaderOptions& options, SeedKey root,
         int64_t first_batch = 0);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// The next batch. Throws, at this batch and every time that it is asked for again: what a worker
  /// threw while making it; DataError where more than 1 % of an epoch could not be read (counted
  /// from where this loader began), and ChangedFile. Throws Interrupted where a signal was caught
  /// and worker threads are not done with it.
  Batch next();

  /// Time that calls of next() took so far, which is time without training.
  double wait_seconds() const;

  /// Examples that could not be read so far.
  int64_t unreadable() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace limbeck
