#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

// Numbers of each channel that batch norms work with, in double precision.

namespace limbeck::nn {

using Channels = std::vector<double>;  // a number of each

Channels channels_of(const at::Tensor& values);
at::Tensor tensor_of(const Channels& values);

/// Mean and biased variance of each channel.
struct Moments {
  Channels mean, variance;
};

/// Of `count` numbers of each channel; `squares` are sums around the mean. What rounding leaves of
/// nothing may be below, and becomes zero; what is no number stays none.
Moments moments_from(Channels mean, Channels squares, double count);

/// What a batch norm remembers of a batch of `count` numbers of each channel.
void update_running(const at::Tensor& mean, const at::Tensor& variance, const Moments& now,
                    double count, double momentum);

/// A norm of each channel: z = x · scale + shift.
struct ChannelAffine {
  Channels mean, deviation, scale, shift;  // `deviation` is its inverse

  at::Tensor pack() const;
  static ChannelAffine unpack(const at::Tensor& all);
};

ChannelAffine affine_of(Moments moments, const at::Tensor& weight, const at::Tensor& bias,
                        double epsilon);

/// The gradient of x is g · scale + x · factor + offset, g being that of z.
struct InputGradient {
  Channels factor, offset;
};

/// Where the statistics are the batch's: scale · (g − Σg/n − x̂ · Σ(g·x̂)/n) with
/// x̂ = (x − mean) · deviation. `grad` is Σg and `dweight` is Σ(g·x̂), of `count` numbers each.
InputGradient through_statistics(const ChannelAffine& a, const Channels& grad,
                                 const Channels& dweight, double count);

}  // namespace limbeck::nn
