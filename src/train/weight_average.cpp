#include "train/weight_average.h"

#include <torch/types.h>

#include <algorithm>

namespace limbeck {
namespace {

std::vector<at::Tensor> copies(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> all;
  for (const at::Tensor& tensor : tensors) all.push_back(tensor.detach().clone());
  return all;
}

void copy(const std::vector<at::Tensor>& to, const std::vector<at::Tensor>& from) {
  at::NoGradGuard no_grad;
  at::_foreach_copy_(to, from);
}

}  // namespace

WeightAverage::WeightAverage(const torch::nn::Module& network, double decay)
    : decay_(decay), weights_(network.parameters()), average_(copies(weights_)) {}

void WeightAverage::add(int64_t step) {
  at::NoGradGuard no_grad;
  const auto done = static_cast<double>(step);
  const double decay = std::min(decay_, (1 + done) / (10 + done));
  at::_foreach_lerp_(average_, weights_, 1 - decay);
}

void WeightAverage::restart() { copy(average_, weights_); }

AveragedWeights::AveragedWeights(WeightAverage* average) : average_(average) {
  if (!average_) return;
  trained_ = copies(average_->weights_);
  copy(average_->weights_, average_->average_);
}

AveragedWeights::~AveragedWeights() {
  if (average_) copy(average_->weights_, trained_);
}

}  // namespace limbeck
