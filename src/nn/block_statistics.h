#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <vector>

#include "limbeck/audio/aligned_buffer.h"
#include "nn/kernel_statistics.h"
#include "nn/levels/block.h"
#include "nn/matrix.h"

// What the norms of an inverted bottleneck are computed from.

namespace limbeck::nn {

/// A row of `width`: the values, over and over until `count` are there, then zeros.
FloatBuffer row_of(const Channels& values, int64_t count, int64_t width);

/// A norm and the activation behind it, as rows.
struct RowNorm {
  FloatBuffer mean, scale, shift, slope;

  RowNorm(const ChannelAffine& a, const at::Tensor& slopes, int64_t count, int64_t width)
      : mean(row_of(a.mean, count, width)),
        scale(row_of(a.scale, count, width)),
        shift(row_of(a.shift, count, width)),
        slope(row_of(slopes.defined() ? channels_of(slopes) : a.scale, count, width)) {}
  RowAffine affine() const { return {scale.data(), shift.data(), slope.data()}; }
};

/// Of each row of `a` the product with that of `b`.
Channels row_products(const Matrix& a, const Matrix& b);

/// Mean of each number of a row, and the sum of squares around it.
struct RowMoments {
  double count = 0;
  Channels mean, square;

  explicit RowMoments(int64_t width)
      : mean(static_cast<size_t>(width)), square(static_cast<size_t>(width)) {}
  /// Of `rows` rows, as the kernel gives them.
  void add(int64_t rows, const float* about, const float* rest, const float* squares) {
    const auto n = static_cast<double>(rows);
    for (size_t c = 0; c < mean.size(); ++c) {
      const double shift = rest[c] / n;
      join(c, n, about[c] + shift, squares[c] - shift * rest[c]);
    }
    count += n;
  }
  void add(const RowMoments& other) {
    for (size_t c = 0; c < mean.size(); ++c) join(c, other.count, other.mean[c], other.square[c]);
    count += other.count;
  }
  /// Of channels that repeat in the row.
  RowMoments folded(int64_t channels) const {
    RowMoments all(channels);
    for (size_t first = 0; first + static_cast<size_t>(channels) <= mean.size();
         first += static_cast<size_t>(channels)) {
      for (size_t c = 0; c < all.mean.size(); ++c) {
        all.join(c, count, mean[first + c], square[first + c]);
      }
      all.count += count;
    }
    return all;
  }
  Moments moments() const { return moments_from(mean, square, count); }

 private:
  void join(size_t c, double n, double other_mean, double other_square) {
    if (n == 0) return;
    const double away = other_mean - mean[c], all = count + n;
    mean[c] += away * n / all;
    square[c] += other_square + away * away * count * n / all;
  }
};

/// Mean of x, and the sum of the products around it.
struct Covariance {
  double count = 0;
  Channels mean;    // [C]
  Matrix products;  // [C][C]

  explicit Covariance(int64_t channels)
      : mean(static_cast<size_t>(channels)), products(channels, channels) {}
  void add(double n, const Channels& other_mean, const Matrix& other) {
    if (n == 0) return;
    const double share = count * n / (count + n);
    for (size_t i = 0; i < mean.size(); ++i) {
      const double away = share * (other_mean[i] - mean[i]);
      double* row = products.row(static_cast<int64_t>(i));
      const double* other_row = other.row(static_cast<int64_t>(i));
      for (size_t j = 0; j < mean.size(); ++j) {
        row[j] += other_row[j] + away * (other_mean[j] - mean[j]);
      }
    }
    for (size_t i = 0; i < mean.size(); ++i) mean[i] += (other_mean[i] - mean[i]) * n / (count + n);
    count += n;
  }
};

/// Of each unit.
struct Statistics {
  std::array<ChannelAffine, 3> affine;
  Covariance input{0};  // in training

  std::vector<at::Tensor> pack() const;
  static Statistics unpack(at::TensorList all);
  static constexpr size_t kTensors = 6;
};

}  // namespace limbeck::nn
