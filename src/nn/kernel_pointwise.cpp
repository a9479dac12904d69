#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <vector>

#include "nn/kernel_support.h"
#include "nn/kernels.h"
#include "nn/levels/block.h"
#include "nn/matrix.h"

namespace limbeck::nn {
namespace {

/// Rows of one pass over [rows, channels].
constexpr int64_t kRows = 256;

/// y [rows, out] = x [rows, in] · matrix [in][out] + start
void multiply_rows(const BlockKernels& kernels, const float* x, const Matrix& matrix,
                   const float* start, int64_t rows, float* y) {
  const int64_t in = matrix.rows, out = matrix.columns, width = padded(out, kernels.lanes);
  const FloatBuffer weights = packed(kernels, matrix, width);
  FloatBuffer from(static_cast<size_t>(width));
  if (start != nullptr) std::copy_n(start, out, from.begin());
  const int64_t tasks = (rows + kRows - 1) / kRows;
  for_tasks(tasks, [&] {
    return [&, scratch = FloatBuffer(static_cast<size_t>(width == out ? 0 : kRows * width))](
               int64_t task) mutable {
      const int64_t first = task * kRows, n = std::min(kRows, rows - first);
      float* to = width == out ? y + first * out : scratch.data();
      kernels.multiply(Activate::none, x + first * in, in, in, weights.data(), from.data(), nullptr,
                       n, width, to);
      if (width != out) kernels.store(to, nullptr, n, out, y + first * out);
    };
  });
}

struct Pointwise : torch::autograd::Function<Pointwise> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            const at::Tensor& weight, const std::optional<at::Tensor>& bias,
                            CpuLevel level) {
    context->save_for_backward({x, weight});
    context->saved_data["level"] = static_cast<int64_t>(level);
    context->saved_data["bias"] = bias.has_value();
    const auto matrix = Matrix::of(weight).transposed();
    auto sizes = x.sizes().vec();
    sizes.back() = matrix.columns;
    auto y = torch::empty(sizes);
    const auto start = bias ? bias->contiguous() : at::Tensor();
    multiply_rows(block_kernels(level), x.const_data_ptr<float>(), matrix,
                  bias ? start.const_data_ptr<float>() : nullptr, x.numel() / matrix.rows,
                  y.data_ptr<float>());
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list grads) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1];
    const auto& kernels =
        block_kernels(static_cast<CpuLevel>(context->saved_data["level"].toInt()));
    const auto dy = grads[0].contiguous();
    const int64_t rows = x.numel() / weight.size(1);
    at::Tensor dx, dweight, dbias;
    if (context->needs_input_grad(0)) {
      dx = torch::empty(x.sizes());
      multiply_rows(kernels, dy.const_data_ptr<float>(), Matrix::of(weight), nullptr, rows,
                    dx.data_ptr<float>());
    }
    const bool of_bias = context->saved_data["bias"].toBool();
    if (context->needs_input_grad(1) || of_bias) {
      const Matrix sums = outer_products(kernels, x, dy, weight.size(1), weight.size(0), rows);
      dweight = tensor_of(sums.head(weight.size(1)).transposed(), weight.sizes());
      if (of_bias) dbias = tensor_of(sums.tail(1), {weight.size(0)});
    }
    return {dx, dweight, dbias, at::Tensor()};
  }

  /// Σ x ⊗ dy [in + 1][out], with the sum of dy as the last row.
  static Matrix outer_products(const BlockKernels& kernels, const at::Tensor& x,
                               const at::Tensor& dy, int64_t in, int64_t out, int64_t rows) {
    const int64_t width = padded(out, kernels.lanes), pieces = piece_count(rows / kRows);
    const float *from = x.const_data_ptr<float>(), *grad = dy.const_data_ptr<float>();
    const float one = 1;
    MatrixSums sums(static_cast<size_t>(pieces), in + 1, width);
    for_tasks(pieces, [&] {
      return [&, scratch = FloatBuffer(static_cast<size_t>(width == out ? 0 : kRows * width))](
                 int64_t piece) mutable {
        const int64_t end = rows * (piece + 1) / pieces;
        float* to = sums.of(static_cast<size_t>(piece));
        for (int64_t first = rows * piece / pieces; first < end; first += kRows) {
          const int64_t n = std::min(kRows, end - first);
          const float* g = grad + first * out;
          if (width != out) {
            kernels.load(g, nullptr, n, out, scratch.data());
            g = scratch.data();
          }
          kernels.add_outer(from + first * in, in, in, g, n, width, to);
          kernels.add_outer(&one, 0, 1, g, n, width, to + in * width);
        }
      };
    });
    return sums.total(out);
  }
};

}  // namespace

at::Tensor pointwise_conv(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                          CpuLevel level) {
  return Pointwise::apply(x.contiguous(), weight.flatten(1), if_defined(bias), level);
}

}  // namespace limbeck::nn
