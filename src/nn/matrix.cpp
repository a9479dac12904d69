#include "nn/matrix.h"

#include <torch/types.h>

#include <algorithm>

namespace limbeck::nn {

const BlockKernels& block_kernels(CpuLevel level) { return LIMBECK_AT_LEVEL(block, level); }

Matrix Matrix::of(const at::Tensor& tensor) {
  const auto all = tensor.contiguous();
  Matrix matrix(tensor.size(0), tensor.numel() / tensor.size(0));
  std::copy_n(all.const_data_ptr<float>(), all.numel(), matrix.values.begin());
  return matrix;
}

Matrix Matrix::transposed() const {
  Matrix other(columns, rows);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) other.row(c)[r] = row(r)[c];
  }
  return other;
}

Matrix Matrix::head(int64_t count) const {
  Matrix part(count, columns);
  std::copy_n(row(0), count * columns, part.row(0));
  return part;
}

Matrix Matrix::tail(int64_t count) const {
  Matrix part(count, columns);
  std::copy_n(row(rows - count), count * columns, part.row(0));
  return part;
}

Matrix Matrix::scaled(const Channels& factors) const {
  Matrix other = *this;
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) other.row(r)[c] *= factors[static_cast<size_t>(r)];
  }
  return other;
}

Channels Matrix::times(const Channels& vector) const {
  Channels sums(static_cast<size_t>(rows));
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) {
      sums[static_cast<size_t>(r)] += row(r)[c] * vector[static_cast<size_t>(c)];
    }
  }
  return sums;
}

Matrix product(const Matrix& a, const Matrix& b) {
  const auto view = [](const Matrix& m) {
    return torch::from_blob(const_cast<double*>(m.row(0)), {m.rows, m.columns}, torch::kDouble);
  };
  Matrix result(a.rows, b.columns);
  auto to = view(result);
  at::mm_out(to, view(a), view(b));
  return result;
}

at::Tensor tensor_of(const Matrix& matrix, at::IntArrayRef sizes) {
  return tensor_of(matrix.values).view(sizes);
}

FloatBuffer packed(const BlockKernels& kernels, const Matrix& matrix, int64_t width) {
  FloatBuffer whole(static_cast<size_t>(matrix.rows * width)), all(whole.size());
  for (int64_t r = 0; r < matrix.rows; ++r) {
    std::copy_n(matrix.row(r), matrix.columns, whole.data() + r * width);
  }
  kernels.pack(whole.data(), matrix.rows, width, all.data());
  return all;
}

Matrix MatrixSums::total(int64_t columns) const {
  Matrix all(rows_, columns);
  for (const float* piece = sums_.data(); piece < sums_.data() + sums_.size();
       piece += rows_ * width_) {
    for (int64_t r = 0; r < rows_; ++r) {
      double* to = all.row(r);
      for (int64_t c = 0; c < columns; ++c) to[c] += piece[r * width_ + c];
    }
  }
  return all;
}

}  // namespace limbeck::nn
