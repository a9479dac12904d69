#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>
#include <vector>

#include "nn/kernel_support.h"
#include "nn/kernels.h"
#include "nn/levels/norm.h"

namespace limbeck::nn {
namespace {

/// Per-channel numbers, repeated until a row of them is long enough for wide registers.
class Tiles {
 public:
  explicit Tiles(int64_t channels) : channels_(channels), length_(channels) {
    // Whole registers of every level, where that needs not too many numbers.
    constexpr int64_t kLanes = 16, kLeast = 256, kMost = 1024;
    if (const int64_t whole = std::lcm(channels, kLanes); whole <= kMost) length_ = whole;
    length_ *= std::max<int64_t>(1, kLeast / length_);
  }

  int64_t length() const { return length_; }
  std::vector<float> repeat(const at::Tensor& values) const {
    const auto source = values.to(torch::kFloat).contiguous();
    const float* v = source.const_data_ptr<float>();
    std::vector<float> tile(static_cast<size_t>(length_));
    for (int64_t i = 0; i < length_; ++i) tile[static_cast<size_t>(i)] = v[i % channels_];
    return tile;
  }
  /// Adds a tile of sums to channels' sums.
  void fold(const std::vector<float>& tile, double* sums) const {
    for (int64_t i = 0; i < length_; ++i) sums[i % channels_] += tile[static_cast<size_t>(i)];
  }

 private:
  int64_t channels_;
  int64_t length_;
};

/// The numbers of `x` that take part, in stretches of at most a tile: those of all frames, or of
/// each item's valid ones.
class Spans {
 public:
  Spans(const at::Tensor& x, const std::vector<int64_t>& valid_frames, const Tiles& tiles)
      : tile_(tiles.length()) {
    const int64_t frame = x.size(1) * x.size(3), item = x.size(2) * frame;
    if (valid_frames.empty()) add(0, x.numel());
    for (size_t b = 0; b < valid_frames.size(); ++b) {
      add(static_cast<int64_t>(b) * item, valid_frames[b] * frame);
    }
    TORCH_CHECK(numbers_ > 0, "batch norm: no frames");
  }

  struct Stretch {
    int64_t start, count;
  };
  int64_t stretches() const { return stretches_; }
  Stretch operator[](int64_t index) const {
    const auto span =
        std::prev(std::upper_bound(spans_.begin(), spans_.end(), index,
                                   [](int64_t i, const Span& s) { return i < s.first_stretch; }));
    const int64_t at = (index - span->first_stretch) * tile_;
    return {span->start + at, std::min(tile_, span->count - at)};
  }
  int64_t numbers() const { return numbers_; }

 private:
  struct Span {
    int64_t start, count, first_stretch;
  };
  void add(int64_t start, int64_t count) {
    if (count == 0) return;
    spans_.push_back({start, count, stretches_});
    stretches_ += (count + tile_ - 1) / tile_;
    numbers_ += count;
  }

  int64_t tile_, stretches_ = 0, numbers_ = 0;
  std::vector<Span> spans_;
};

/// Tiles that one float sum runs over, before it goes into a double.
constexpr int64_t kTilesASum = 32;

const NormKernels& kernels_at(CpuLevel level) { return LIMBECK_AT_LEVEL(norm, level); }

struct Sums {
  std::vector<float> grad, grad_x, slope;  // Σ g, Σ g·(x − mean), Σ dy·z where z ≤ 0
  explicit Sums(int64_t n)
      : grad(static_cast<size_t>(n)), grad_x(grad.size()), slope(grad.size()) {}
};

/// Calls body(local, first number, count) over all stretches.
template <class Start, class Body, class End>
void over_spans(const Spans& spans, const Start& start, const Body& body, const End& end_sum) {
  for_pieces(spans.stretches(), [&](int64_t piece, int64_t begin, int64_t end) {
    for (int64_t first = begin; first < end; first += kTilesASum) {
      auto local = start();
      for (int64_t i = first; i < std::min(end, first + kTilesASum); ++i) {
        const auto [at, count] = spans[i];
        body(local, at, count);
      }
      end_sum(piece, local);
    }
  });
}

/// Zeros where padding is, unset elsewhere.
at::Tensor rows_like(const at::Tensor& x, const std::vector<int64_t>& valid_frames) {
  auto rows = empty_rows(x.sizes());
  for (size_t b = 0; b < valid_frames.size(); ++b) {
    rows[static_cast<int64_t>(b)].narrow(1, valid_frames[b], x.size(2) - valid_frames[b]).zero_();
  }
  return rows;
}

/// Mean and biased variance of each channel, [2, C] in double, by sums of differences from `centre`
/// [C].
at::Tensor moments_about(const at::Tensor& centre, const at::Tensor& x, const Spans& spans,
                         const Tiles& tiles, const NormKernels& kernels) {
  const int64_t channels = x.size(1);
  const float* in = rows_of(x);
  const auto centres = tiles.repeat(centre);
  auto pieces = torch::zeros({piece_count(spans.stretches()), 2, channels}, torch::kDouble);
  double* all = pieces.data_ptr<double>();
  struct Local {
    std::vector<float> sum, square;
  };
  const auto length = static_cast<size_t>(tiles.length());
  over_spans(
      spans, [&] { return Local{std::vector<float>(length), std::vector<float>(length)}; },
      [&](Local& local, int64_t at, int64_t n) {
        kernels.add_moments(in + at, centres.data(), local.sum.data(), local.square.data(), n);
      },
      [&](int64_t piece, const Local& local) {
        tiles.fold(local.sum, all + 2 * piece * channels);
        tiles.fold(local.square, all + (2 * piece + 1) * channels);
      });
  const auto sums = pieces.sum(0) / static_cast<double>(spans.numbers() / channels);
  return at::stack({sums[0] + centre.to(torch::kDouble), sums[1] - sums[0].square()});
}

/// Mean and biased variance of each channel, [2, C] in double.
at::Tensor moments(const at::Tensor& x, const Spans& spans, const Tiles& tiles,
                   const NormKernels& kernels) {
  // About the first place, so that a mean far from zero costs no digits; about the mean where the
  // first place is so far from it that it costs them.
  constexpr double kFar = 100;
  float* first = const_cast<float*>(rows_of(x)) + spans[0].start;
  const auto place = at::from_blob(first, {x.size(1)}, torch::kFloat).to(torch::kDouble);
  auto all = moments_about(place, x, spans, tiles, kernels);
  if (((all[0] - place).square() > kFar * all[1]).any().item<bool>()) {
    all = moments_about(all[0].to(torch::kFloat), x, spans, tiles, kernels);
  }
  all[1].clamp_min_(0);  // what rounding leaves of nothing may be below
  return all;
}

struct BatchNormActivate : torch::autograd::Function<BatchNormActivate> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            const at::Tensor& weight, const at::Tensor& bias,
                            const std::optional<at::Tensor>& slope_if_any,
                            const at::Tensor& running_mean, const at::Tensor& running_var,
                            const NormOptions& o) {
    const auto slope = slope_if_any.value_or(at::Tensor());
    const Tiles tiles(x.size(1));
    const Spans spans(x, o.valid_frames, tiles);
    const NormKernels& kernels = kernels_at(o.level);
    const auto statistics = o.training ? moments(x, spans, tiles, kernels)
                                       : at::stack({running_mean, running_var}).to(torch::kDouble);
    if (o.training) {
      const auto count = static_cast<double>(spans.numbers() / x.size(1));
      running_mean.mul_(1 - o.momentum).add_(statistics[0], o.momentum);
      running_var.mul_(1 - o.momentum)
          .add_(statistics[1], o.momentum * count / std::max(count - 1, 1.0));
    }
    const auto deviation = (statistics[1] + o.epsilon).rsqrt();
    const auto scale = weight.to(torch::kDouble) * deviation;
    const auto shift = bias.to(torch::kDouble) - statistics[0] * scale;

    auto y = rows_like(x, o.valid_frames);
    const auto scales = tiles.repeat(scale), shifts = tiles.repeat(shift),
               slopes = tiles.repeat(slope.defined() ? slope : scale);
    NormTiles tile{};
    tile.scale = scales.data(), tile.shift = shifts.data(), tile.slope = slopes.data();
    const float* in = rows_of(x);
    float* out = y.data_ptr<float>();
    over_spans(
        spans, [] { return 0; },
        [&](int, int64_t at, int64_t n) {
          kernels.forward(o.activate, in + at, tile, out + at, n);
        },
        [](int64_t, int) {});
    context->save_for_backward({x, slope, statistics[0], deviation, scale, shift});
    context->saved_data["training"] = o.training;
    context->saved_data["valid_frames"] = o.valid_frames;
    context->saved_data["level"] = static_cast<int64_t>(o.level);
    context->saved_data["activate"] = static_cast<int64_t>(o.activate);
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list grads) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &slope = saved[1], &mean = saved[2], &deviation = saved[3],
                     &scale = saved[4], &shift = saved[5];
    const auto activate = static_cast<Activate>(context->saved_data["activate"].toInt());
    const NormKernels& kernels =
        kernels_at(static_cast<CpuLevel>(context->saved_data["level"].toInt()));
    const auto dy = grads[0].contiguous(at::MemoryFormat::ChannelsLast);
    const int64_t channels = x.size(1);
    const Tiles tiles(channels);
    const auto valid_frames = context->saved_data["valid_frames"].toIntVector();
    const Spans spans(x, valid_frames, tiles);
    const auto means = tiles.repeat(mean), scales = tiles.repeat(scale),
               shifts = tiles.repeat(shift), slopes = tiles.repeat(slope.defined() ? slope : scale);
    NormTiles tile{};
    tile.mean = means.data(), tile.scale = scales.data(), tile.shift = shifts.data();
    tile.slope = slopes.data();
    const float* in = rows_of(x);
    const float* grad = rows_of(dy);

    auto pieces = torch::zeros({piece_count(spans.stretches()), 3, channels}, torch::kDouble);
    double* all = pieces.data_ptr<double>();
    over_spans(
        spans, [&] { return Sums(tiles.length()); },
        [&](Sums& sums, int64_t at, int64_t n) {
          kernels.add_gradients(activate, grad + at, in + at, tile, sums.grad.data(),
                                sums.grad_x.data(), sums.slope.data(), n);
        },
        [&](int64_t piece, const Sums& sums) {
          tiles.fold(sums.grad, all + 3 * piece * channels);
          tiles.fold(sums.grad_x, all + (3 * piece + 1) * channels);
          tiles.fold(sums.slope, all + (3 * piece + 2) * channels);
        });
    const auto sums = pieces.sum(0);  // [3, C]
    const auto dweight = sums[1] * deviation;

    at::Tensor dx;
    if (context->needs_input_grad(0)) {
      const auto count = static_cast<double>(spans.numbers() / channels);
      const bool training = context->saved_data["training"].toBool();
      // scale · (g − Σg/n − x̂ · Σ(g·x̂)/n) with x̂ = (x − mean) · deviation
      const auto factor = training ? -scale * deviation * dweight / count : at::zeros_like(scale);
      const auto offset =
          training ? -scale * sums[0] / count - mean * factor : at::zeros_like(scale);
      const auto factors = tiles.repeat(factor), offsets = tiles.repeat(offset);
      tile.factor = factors.data(), tile.offset = offsets.data();
      dx = rows_like(x, valid_frames);
      float* out = dx.data_ptr<float>();
      over_spans(
          spans, [] { return 0; },
          [&](int, int64_t at, int64_t n) {
            kernels.backward(activate, grad + at, in + at, tile, out + at, n);
          },
          [](int64_t, int) {});
    }
    at::Tensor dslope;
    if (slope.defined()) dslope = sums[2].to(torch::kFloat);
    return {dx,
            dweight.to(torch::kFloat),
            sums[0].to(torch::kFloat),
            dslope,
            at::Tensor(),
            at::Tensor(),
            at::Tensor()};
  }
};

}  // namespace

at::Tensor batch_norm_activate(const at::Tensor& x, const at::Tensor& weight,
                               const at::Tensor& bias, const at::Tensor& slope,
                               const at::Tensor& running_mean, const at::Tensor& running_var,
                               const NormOptions& options) {
  return BatchNormActivate::apply(x, weight, bias, if_defined(slope), running_mean, running_var,
                                  options);
}

}  // namespace limbeck::nn
