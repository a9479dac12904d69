#include "nn/kernel_statistics.h"

#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace limbeck::nn {
namespace {

void remember(const at::Tensor& running, const Channels& now, double momentum, double factor) {
  float* values = running.data_ptr<float>();
  for (size_t c = 0; c < now.size(); ++c) {
    values[c] = static_cast<float>((1 - momentum) * values[c] + momentum * factor * now[c]);
  }
}

}  // namespace

Channels channels_of(const at::Tensor& values) {
  const auto all = values.contiguous();
  const float* v = all.const_data_ptr<float>();
  return {v, v + all.numel()};
}

at::Tensor tensor_of(const Channels& values) {
  auto all = torch::empty({static_cast<int64_t>(values.size())});
  std::transform(values.begin(), values.end(), all.data_ptr<float>(),
                 [](double v) { return static_cast<float>(v); });
  return all;
}

Moments moments_from(Channels mean, Channels squares, double count) {
  for (double& v : squares) v = v < 0 ? 0 : v / count;
  return {std::move(mean), std::move(squares)};
}

void update_running(const at::Tensor& mean, const at::Tensor& variance, const Moments& now,
                    double count, double momentum) {
  remember(mean, now.mean, momentum, 1);
  remember(variance, now.variance, momentum, count / std::max(count - 1, 1.0));
}

at::Tensor ChannelAffine::pack() const {
  const auto channels = static_cast<int64_t>(mean.size());
  auto all = torch::empty({4, channels}, torch::kDouble);
  double* to = all.data_ptr<double>();
  for (const Channels* part : {&mean, &deviation, &scale, &shift}) {
    to = std::copy(part->begin(), part->end(), to);
  }
  return all;
}

ChannelAffine ChannelAffine::unpack(const at::Tensor& all) {
  const double* from = all.const_data_ptr<double>();
  const int64_t n = all.size(1);
  return {{from, from + n},
          {from + n, from + 2 * n},
          {from + 2 * n, from + 3 * n},
          {from + 3 * n, from + 4 * n}};
}

ChannelAffine affine_of(Moments moments, const at::Tensor& weight, const at::Tensor& bias,
                        double epsilon) {
  ChannelAffine a{std::move(moments.mean), {}, channels_of(weight), channels_of(bias)};
  for (size_t c = 0; c < a.mean.size(); ++c) {
    a.deviation.push_back(1 / std::sqrt(moments.variance[c] + epsilon));
    a.scale[c] *= a.deviation[c];
    a.shift[c] -= a.mean[c] * a.scale[c];
  }
  return a;
}

InputGradient through_statistics(const ChannelAffine& a, const Channels& grad,
                                 const Channels& dweight, double count) {
  InputGradient to{Channels(grad.size()), Channels(grad.size())};
  for (size_t c = 0; c < grad.size(); ++c) {
    to.factor[c] = -a.scale[c] * a.deviation[c] * dweight[c] / count;
    to.offset[c] = -a.scale[c] * grad[c] / count - a.mean[c] * to.factor[c];
  }
  return to;
}

}  // namespace limbeck::nn
