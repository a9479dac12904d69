#pragma once

#include <torch/nn/module.h>

#include <vector>

namespace limbeck {

/// Exponential moving average of a network's weights over steps, average ← d · average + (1 − d) ·
/// weights with d = min(decay, (1 + step) / (10 + step)): early steps, whose weights are soon out
/// of date, count less (as num_updates of TensorFlow's ExponentialMovingAverage). It is of
/// parameters alone; the averaged network has the running statistics of batch norms as they are
/// now, which are averages themselves. A step that was skipped counts as one in which no weight
/// moved.
class WeightAverage {
 public:
  /// Begins with the weights that the network has, which must outlive it.
  WeightAverage(const torch::nn::Module& network, double decay);

  /// After step `step`, from 0.
  void add(int64_t step);
  /// The average is what the network's weights are now.
  void restart();

 private:
  friend class AveragedWeights;

  double decay_;
  std::vector<at::Tensor> weights_;
  std::vector<at::Tensor> average_;
};

/// While it lives, the network has its averaged weights, and must not be trained.
class AveragedWeights {
 public:
  /// Nothing happens without an `average`.
  explicit AveragedWeights(WeightAverage* average);
  ~AveragedWeights();
  AveragedWeights(const AveragedWeights&) = delete;
  AveragedWeights& operator=(const AveragedWeights&) = delete;

 private:
  WeightAverage* average_;
  std::vector<at::Tensor> trained_;
};

}  // namespace limbeck
