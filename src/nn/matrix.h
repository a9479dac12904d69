#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "limbeck/audio/aligned_buffer.h"
#include "nn/kernel_statistics.h"
#include "nn/levels/block.h"

// Small matrices of weights around the kernels: a handful of LibTorch's operators on them would
// take longer than the kernels do.

namespace limbeck::nn {

const BlockKernels& block_kernels(CpuLevel level);

inline int64_t padded(int64_t n, int64_t lanes) { return (n + lanes - 1) / lanes * lanes; }

/// [rows][columns] in double precision.
struct Matrix {
  int64_t rows = 0, columns = 0;
  Channels values = {};

  Matrix(int64_t rows_, int64_t columns_)
      : rows(rows_), columns(columns_), values(static_cast<size_t>(rows * columns)) {}
  /// Of a float32 tensor, of which what follows the first dimension is joined.
  static Matrix of(const at::Tensor& tensor);
  double* row(int64_t r) { return values.data() + r * columns; }
  const double* row(int64_t r) const { return values.data() + r * columns; }
  Matrix transposed() const;
  /// The first or the last rows.
  Matrix head(int64_t count) const;
  Matrix tail(int64_t count) const;
  /// With row r times factors[r].
  Matrix scaled(const Channels& factors) const;
  Channels times(const Channels& vector) const;
};

/// a · b
Matrix product(const Matrix& a, const Matrix& b);
/// In float32; as many numbers.
at::Tensor tensor_of(const Matrix& matrix, at::IntArrayRef sizes);
/// As the kernels take it, with zeros behind its columns.
FloatBuffer packed(const BlockKernels& kernels, const Matrix& matrix, int64_t width);

/// Sums of matrices in float32, one for each piece of work.
class MatrixSums {
 public:
  MatrixSums(size_t pieces, int64_t rows, int64_t width)
      : rows_(rows), width_(width), sums_(pieces * static_cast<size_t>(rows * width)) {}
  float* of(size_t piece) { return sums_.data() + piece * static_cast<size_t>(rows_ * width_); }
  /// Over all pieces, of the first columns.
  Matrix total(int64_t columns) const;

 private:
  int64_t rows_, width_;
  FloatBuffer sums_;
};

}  // namespace limbeck::nn
