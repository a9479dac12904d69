#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <vector>

#include "nn/depthwise_taps.h"
#include "nn/kernel_support.h"
#include "nn/kernels.h"
#include "nn/levels/depthwise.h"

namespace limbeck::nn {
namespace {

/// Sizes of one convolution; rows are [T, F, C] of one item.
struct Shape {
  int64_t channels, frames_in, bins_in, frames_out, bins_out, kernel_time, kernel_freq;
  DepthwiseOptions o;

  /// Input frame under tap `k` of output frame `t`; may lie outside.
  int64_t frame(int64_t t, int64_t k) const { return t - o.before + k * o.dilation_time; }
  bool has_frame(int64_t t, int64_t k) const { return frame(t, k) >= 0 && frame(t, k) < frames_in; }
};

const DepthwiseKernels& kernels_at(CpuLevel level) { return LIMBECK_AT_LEVEL(depthwise, level); }

at::Tensor forward_rows(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                        const Shape& s) {
  auto y = empty_rows({x.size(0), s.channels, s.frames_out, s.bins_out});
  const Taps taps = all_taps(weight, s.channels);
  const auto& kernels = kernels_at(s.o.level);
  const auto biases = bias.defined() ? bias.contiguous() : bias;
  const float* start = bias.defined() ? biases.const_data_ptr<float>() : nullptr;
  const float* in = rows_of(x);
  float* out = y.data_ptr<float>();
  const int64_t row_in = s.bins_in * s.channels, row_out = s.bins_out * s.channels;
  for_pieces(x.size(0) * s.frames_out, [&](int64_t, int64_t begin, int64_t end) {
    std::vector<const float*> rows, weights;
    for (int64_t row = begin; row < end; ++row) {
      const int64_t item = row / s.frames_out, t = row % s.frames_out;
      rows.clear(), weights.clear();
      for (int64_t kt = 0; kt < s.kernel_time; ++kt) {
        if (!s.has_frame(t, kt)) continue;
        rows.push_back(in + (item * s.frames_in + s.frame(t, kt)) * row_in);
        weights.push_back(taps.of(kt, s.channels));
      }
      kernels.convolve({rows.data(), weights.data(), static_cast<int64_t>(rows.size()), taps.count,
                        s.channels, s.bins_in, s.o.stride_freq, taps.first, s.bins_out},
                       start, out + row * row_out, 1);
    }
  });
  return y;
}

at::Tensor backward_input(const at::Tensor& dy, const at::Tensor& weight, const Shape& s) {
  auto dx = empty_rows({dy.size(0), s.channels, s.frames_in, s.bins_in});
  const auto phases = taps_of_phases(weight, s.o.stride_freq, s.channels);
  const auto& kernels = kernels_at(s.o.level);
  const float* grad = rows_of(dy);
  float* out = dx.data_ptr<float>();
  const int64_t row_in = s.bins_in * s.channels, row_out = s.bins_out * s.channels;
  for_pieces(dy.size(0) * s.frames_in, [&](int64_t, int64_t begin, int64_t end) {
    std::vector<const float*> rows;
    std::vector<int64_t> times;
    for (int64_t row = begin; row < end; ++row) {
      const int64_t item = row / s.frames_in, t = row % s.frames_in;
      rows.clear(), times.clear();
      for (int64_t kt = s.kernel_time - 1; kt >= 0; --kt) {
        const int64_t from = t + s.o.before - kt * s.o.dilation_time;
        if (from < 0 || from >= s.frames_out) continue;
        rows.push_back(grad + (item * s.frames_out + from) * row_out);
        times.push_back(kt);
      }
      convolve_back(kernels, phases, rows, times, s.channels, s.bins_out, s.bins_in,
                    out + row * row_in);
    }
  });
  return dx;
}

at::Tensor backward_weight(const at::Tensor& x, const at::Tensor& dy, const Shape& s) {
  const int64_t rows_in = x.size(0) * s.frames_in, taps = s.kernel_time * s.kernel_freq;
  auto pieces = torch::zeros({piece_count(rows_in), taps * s.channels});
  const auto& kernels = kernels_at(s.o.level);
  const float* in = rows_of(x);
  const float* grad = rows_of(dy);
  float* all = pieces.data_ptr<float>();
  const int64_t row_in = s.bins_in * s.channels, row_out = s.bins_out * s.channels;
  for_pieces(rows_in, [&](int64_t piece, int64_t begin, int64_t end) {
    std::vector<const float*> grads;
    std::vector<float*> sums;
    for (int64_t row = begin; row < end; ++row) {
      const int64_t item = row / s.frames_in, t = row % s.frames_in;
      grads.clear(), sums.clear();
      for (int64_t kt = 0; kt < s.kernel_time; ++kt) {
        const int64_t to = t + s.o.before - kt * s.o.dilation_time;
        if (to < 0 || to >= s.frames_out) continue;
        grads.push_back(grad + (item * s.frames_out + to) * row_out);
        sums.push_back(all + (piece * taps + kt * s.kernel_freq) * s.channels);
      }
      const float* heard = in + row * row_in;
      kernels.add_weight_gradient(
          {&heard, nullptr, static_cast<int64_t>(grads.size()), s.kernel_freq, s.channels,
           s.bins_in, s.o.stride_freq, -s.kernel_freq / 2, s.bins_out},
          grads.data(), sums.data());
    }
  });
  return pieces.sum(0)
      .view({taps, s.channels})
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
    context->saved_data["level"] = static_cast<int64_t>(o.level);
    context->saved_data["bias"] = bias.has_value();
    return forward_rows(x, weight, bias.value_or(at::Tensor()), shape(x, weight, o));
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list grads) {
    const auto saved = context->get_saved_variables();
    const auto value = [&](const char* name) { return context->saved_data[name].toInt(); };
    const DepthwiseOptions o{value("stride_freq"), value("dilation_time"), value("before"),
                             value("after"), static_cast<CpuLevel>(value("level"))};
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
