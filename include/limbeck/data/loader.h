#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "limbeck/core/random.h"
#include "limbeck/data/dataset.h"

namespace limbeck {

/// Examples of one length, one after the other.
struct Batch {
  int64_t size = 0;                    ///< B
  int64_t samples = 0;                 ///< L
  std::vector<float> noisy;            ///< [B, L], row-major
  std::vector<float> clean;            ///< [B, L], row-major
  std::vector<int64_t> valid_samples;  ///< [B]
  std::vector<std::string> ids;        ///< [B]
};

struct LoaderOptions {
  int64_t batch_size = 1;
  int64_t workers = 0;   ///< threads; 0 makes batches in the thread that asks
  int64_t prefetch = 2;  ///< batches made ahead, at least 1
};

/// The batches of a training run, in order. Batch n holds positions n · batch_size … of the
/// EpochPlan of `root`, and the example at a position has the key root/"example"/epoch/offset:
/// batches depend on nothing but data set, root, batch size and n, so neither `workers` nor
/// `prefetch` can change them, and resuming means passing the number of the next batch.
class Loader {
 public:
  /// `dataset` must outlive the loader.
  Loader(const Dataset& dataset, const LoaderOptions& options, SeedKey root,
         int64_t first_batch = 0);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// The next batch. What a worker threw while making it is thrown here, at this batch and every
  /// time that it is asked for again.
  Batch next();

  /// Time that calls of next() took so far, which is time without training.
  double wait_seconds() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

/// Examples `first` … `first + count − 1` of the fixed set that `seed` names, in one batch. The
/// keys have nothing in common with those of training, whatever its seed: validation sees the same
/// in every run.
Batch fixed_batch(const Dataset& dataset, int64_t first, int64_t count, uint64_t seed);

}  // namespace limbeck
