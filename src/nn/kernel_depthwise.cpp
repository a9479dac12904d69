#include <torch/csrc/autograd/custom_function.h>

#include <vector>

#include "nn/kernel_support.h"
#include "nn/kernels.h"

namespace limbeck::nn {
namespace {

/// Sizes of one convolution; rows are [T, F, C] of one item.
struct Shape {
  int64_t channels, frames_in, bins_in, frames_out, bins_out, kernel_time, kernel_freq;
  DepthwiseOptions o;

  int64_t taps() const { return kernel_time * kernel_freq; }
  /// Input frame under tap `k` of output frame `t`; may lie outside.
  int64_t frame(int64_t t, int64_t k) const { return t - o.before + k * o.dilation_time; }
  int64_t bin(int64_t f, int64_t k) const { return f * o.stride_freq - kernel_freq / 2 + k; }
};

constexpr int64_t kLanes = 16;  // channels that are summed in registers

/// out[c] = start[c] + Σ_i a[i][c] · b[i][c] for `count` pairs of rows.
template <int64_t lanes>
inline __attribute__((always_inline)) void sum_products(float* out, const float* start,
                                                        const float* const* a,
                                                        const float* const* b, int64_t count,
                                                        int64_t offset) {
  float sum[lanes];
  for (int64_t c = 0; c < lanes; ++c) sum[c] = start != nullptr ? start[offset + c] : 0.0F;
  for (int64_t i = 0; i < count; ++i) {
    const float* x = a[i] + offset;
    const float* y = b[i] + offset;
    for (int64_t c = 0; c < lanes; ++c) sum[c] += x[c] * y[c];
  }
  for (int64_t c = 0; c < lanes; ++c) out[offset + c] = sum[c];
}

LIMBECK_WIDE void sum_products_of_rows(float* out, const float* start, const float* const* a,
                                       const float* const* b, int64_t count, int64_t channels) {
  int64_t c = 0;
  for (; c + kLanes <= channels; c += kLanes) sum_products<kLanes>(out, start, a, b, count, c);
  for (; c + 4 <= channels; c += 4) sum_products<4>(out, start, a, b, count, c);
  for (; c < channels; ++c) sum_products<1>(out, start, a, b, count, c);
}

/// y [B, C, T', F'] of x [B, C, T, F]: each place of y is `bias` (if any) plus the sum over taps
/// (k_T, k_F) of weight · x at frame(t, k_T) and bin(f, k_F), where these lie within x.
template <class Frame, class Bin>
at::Tensor gather(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                  int64_t frames_out, int64_t bins_out, const Frame& frame, const Bin& bin) {
  const int64_t batch = x.size(0), channels = x.size(1), frames_in = x.size(2), bins_in = x.size(3);
  const int64_t kernel_time = weight.size(2), kernel_freq = weight.size(3);
  auto y = empty_rows({batch, channels, frames_out, bins_out});
  const auto taps = weight.flatten(1).t().contiguous();  // [tap, C]
  const float* w = taps.const_data_ptr<float>();
  const float* in = rows_of(x);
  const float* start = bias.defined() ? bias.const_data_ptr<float>() : nullptr;
  float* out = y.data_ptr<float>();
  for_pieces(batch * frames_out, [&](int64_t, int64_t begin, int64_t end) {
    std::vector<const float*> a(static_cast<size_t>(taps.size(0))), b(a.size());
    for (int64_t row = begin; row < end; ++row) {
      const int64_t item = row / frames_out, t = row % frames_out;
      for (int64_t f = 0; f < bins_out; ++f) {
        size_t count = 0;
        for (int64_t kt = 0; kt < kernel_time; ++kt) {
          const int64_t from_t = frame(t, kt);
          if (from_t < 0 || from_t >= frames_in) continue;
          for (int64_t kf = 0; kf < kernel_freq; ++kf) {
            const int64_t from_f = bin(f, kf);
            if (from_f < 0 || from_f >= bins_in) continue;
            a[count] = in + ((item * frames_in + from_t) * bins_in + from_f) * channels;
            b[count++] = w + (kt * kernel_freq + kf) * channels;
          }
        }
        sum_products_of_rows(out + (row * bins_out + f) * channels, start, a.data(), b.data(),
                             static_cast<int64_t>(count), channels);
      }
    }
  });
  return y;
}

at::Tensor forward_rows(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                        const Shape& s) {
  return gather(
      x, weight, bias, s.frames_out, s.bins_out,
      [&](int64_t t, int64_t k) { return s.frame(t, k); },
      [&](int64_t f, int64_t k) { return s.bin(f, k); });
}

at::Tensor backward_input(const at::Tensor& dy, const at::Tensor& weight, const Shape& s) {
  return gather(
      dy, weight, at::Tensor(), s.frames_in, s.bins_in,
      [&](int64_t t, int64_t k) { return t + s.o.before - k * s.o.dilation_time; },
      [&](int64_t f, int64_t k) -> int64_t {
        const int64_t reached = f + s.kernel_freq / 2 - k;
        return reached % s.o.stride_freq == 0 ? reached / s.o.stride_freq : -1;
      });
}

at::Tensor backward_weight(const at::Tensor& x, const at::Tensor& dy, const Shape& s) {
  const int64_t batch = x.size(0), rows = batch * s.frames_out, size = s.taps() * s.channels;
  auto pieces = torch::zeros({piece_count(rows), size});
  const float* in = rows_of(x);
  const float* grad = rows_of(dy);
  float* all = pieces.data_ptr<float>();
  for_pieces(rows, [&](int64_t piece, int64_t begin, int64_t end) {
    std::vector<const float*> a(static_cast<size_t>(s.bins_out)), b(a.size());
    for (int64_t row = begin; row < end; ++row) {
      const int64_t item = row / s.frames_out, t = row % s.frames_out;
      for (int64_t kt = 0; kt < s.kernel_time; ++kt) {
        const int64_t ti = s.frame(t, kt);
        if (ti < 0 || ti >= s.frames_in) continue;
        for (int64_t kf = 0; kf < s.kernel_freq; ++kf) {
          size_t count = 0;
          for (int64_t f = 0; f < s.bins_out; ++f) {
            const int64_t fi = s.bin(f, kf);
            if (fi < 0 || fi >= s.bins_in) continue;
            a[count] = in + ((item * s.frames_in + ti) * s.bins_in + fi) * s.channels;
            b[count++] = grad + (row * s.bins_out + f) * s.channels;
          }
          float* sum = all + piece * size + (kt * s.kernel_freq + kf) * s.channels;
          sum_products_of_rows(sum, sum, a.data(), b.data(), static_cast<int64_t>(count),
                               s.channels);
        }
      }
    }
  });
  return pieces.sum(0)
      .view({s.taps(), s.channels})
      .t()
      .reshape({s.channels, 1, s.kernel_time, s.kernel_freq});
}

struct DepthwiseConv : torch::autograd::Function<DepthwiseConv> {
  static Shape shape(const at::Tensor& x, const at::Tensor& weight, const DepthwiseOptions& o) {
    Shape s{x.size(1), x.size(2), x.size(3), 0, 0, weight.size(2), weight.size(3), o};
    s.frames_out = s.frames_in + o.before + o.after - (s.kernel_time - 1) * o.dilation_time;
    s.bins_out = (s.bins_in - 1) / o.stride_freq + 1;
    TORCH_CHECK(s.frames_out > 0 && s.kernel_freq % 2 == 1, "depthwise_conv: kernel ",
                weight.sizes(), " on ", x.sizes());
    return s;
  }

  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            const at::Tensor& weight, const std::optional<at::Tensor>& bias,
                            const DepthwiseOptions& o) {
    context->save_for_backward({x, weight});
    context->saved_data["stride_freq"] = o.stride_freq;
    context->saved_data["dilation_time"] = o.dilation_time;
    context->saved_data["before"] = o.before;
    context->saved_data["after"] = o.after;
    context->saved_data["bias"] = bias.has_value();
    return forward_rows(x, weight, bias.value_or(at::Tensor()), shape(x, weight, o));
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list grads) {
    const auto saved = context->get_saved_variables();
    const auto value = [&](const char* name) { return context->saved_data[name].toInt(); };
    const DepthwiseOptions o{value("stride_freq"), value("dilation_time"), value("before"),
                             value("after")};
    const Shape s = shape(saved[0], saved[1], o);
    const auto dy = grads[0].contiguous(at::MemoryFormat::ChannelsLast);
    at::Tensor dx, dweight, dbias;
    if (context->needs_input_grad(0)) dx = backward_input(dy, saved[1], s);
    if (context->needs_input_grad(1)) dweight = backward_weight(saved[0], dy, s);
    if (context->saved_data["bias"].toBool()) dbias = dy.sum({0, 2, 3});
    return {dx, dweight, dbias, at::Tensor()};
  }
};

}  // namespace

bool has_kernel(const at::Tensor& x) {
  return x.is_cpu() && x.scalar_type() == torch::kFloat && x.dim() == 4 &&
         x.is_contiguous(at::MemoryFormat::ChannelsLast);
}

at::Tensor depthwise_conv(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                          const DepthwiseOptions& options) {
  return DepthwiseConv::apply(x, weight, if_defined(bias), options);
}

}  // namespace limbeck::nn
