#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>
#include <vector>

#include "nn/kernel_statistics.h"
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
  std::vector<float> repeat(const Channels& values) const {
    std::vector<float> tile;
    tile.reserve(static_cast<size_t>(length_));
    for (int64_t i = 0; i < length_; i += channels_) {
      for (const double value : values) tile.push_back(static_cast<float>(value));
    }
    return tile;
  }
  /// Adds a tile of sums to channels' sums.
  void fold(const std::vector<float>& tile, double* sums) const {
    const float* all = tile.data();
    for (int64_t i = 0; i < length_; i += channels_) {
      for (int64_t c = 0; c < channels_; ++c) sums[c] += all[i + c];
    }
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

/// Sums of each channel over the pieces of work, which are the same for any number of threads.
class PieceSums {
 public:
  PieceSums(const Spans& spans, int64_t kinds, int64_t channels)
      : kinds_(kinds),
        channels_(channels),
        pieces_(piece_count(spans.stretches())),
        sums_(static_cast<size_t>(pieces_ * kinds * channels)) {}

  double* of(int64_t piece, int64_t kind) {
    return sums_.data() + (piece * kinds_ + kind) * channels_;
  }
  Channels total(int64_t kind) {
    Channels sum(static_cast<size_t>(channels_));
    for (int64_t piece = 0; piece < pieces_; ++piece) {
      const double* of_piece = of(piece, kind);
      for (size_t c = 0; c < sum.size(); ++c) sum[c] += of_piece[c];
    }
    return sum;
  }

 private:
  int64_t kinds_, channels_, pieces_;
  std::vector<double> sums_;
};

/// By sums of differences from `centre`, which float32 holds.
Moments moments_about(const Channels& centre, const at::Tensor& x, const Spans& spans,
                      const Tiles& tiles, const NormKernels& kernels) {
  const float* in = rows_of(x);
  const auto centres = tiles.repeat(centre);
  PieceSums pieces(spans, 2, x.size(1));
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
        tiles.fold(local.sum, pieces.of(piece, 0));
        tiles.fold(local.square, pieces.of(piece, 1));
      });
  Moments moments{pieces.total(0), pieces.total(1)};
  const auto count = static_cast<double>(spans.numbers() / x.size(1));
  for (size_t c = 0; c < centre.size(); ++c) {
    const double shift = moments.mean[c] / count;
    moments.mean[c] = centre[c] + shift;
    moments.variance[c] = moments.variance[c] / count - shift * shift;
  }
  return moments;
}

Moments moments_of(const at::Tensor& x, const Spans& spans, const Tiles& tiles,
                   const NormKernels& kernels) {
  // About the first place, so that a mean far from zero costs no digits; about the mean where the
  // first place is so far from it that it costs them.
  constexpr double kFar = 100;
  const float* first = rows_of(x) + spans[0].start;
  Channels centre(first, first + x.size(1));
  Moments moments = moments_about(centre, x, spans, tiles, kernels);
  bool far = false;
  for (size_t c = 0; c < centre.size(); ++c) {
    const double away = moments.mean[c] - centre[c];
    far = far || away * away > kFar * moments.variance[c];
  }
  if (far) {
    for (size_t c = 0; c < centre.size(); ++c) centre[c] = static_cast<float>(moments.mean[c]);
    moments = moments_about(centre, x, spans, tiles, kernels);
  }
  // What rounding leaves of nothing may be below; what is no number stays none.
  for (double& v : moments.variance) v = v < 0 ? 0 : v;
  return moments;
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
    Moments moments = o.training ? moments_of(x, spans, tiles, kernels)
                                 : Moments{channels_of(running_mean), channels_of(running_var)};
    if (o.training) {
      const auto count = static_cast<double>(spans.numbers() / x.size(1));
      update_running(running_mean, running_var, moments, count, o.momentum);
    }
    const ChannelAffine affine = affine_of(std::move(moments), weight, bias, o.epsilon);

    auto y = rows_like(x, o.valid_frames);
    const auto scales = tiles.repeat(affine.scale), shifts = tiles.repeat(affine.shift),
               slopes = tiles.repeat(slope.defined() ? channels_of(slope) : affine.scale);
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
    context->save_for_backward({x, slope, affine.pack()});
    context->saved_data["training"] = o.training;
    context->saved_data["valid_frames"] = o.valid_frames;
    context->saved_data["level"] = static_cast<int64_t>(o.level);
    context->saved_data["activate"] = static_cast<int64_t>(o.activate);
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list grads) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &slope = saved[1];
    const ChannelAffine affine = ChannelAffine::unpack(saved[2]);
    const auto activate = static_cast<Activate>(context->saved_data["activate"].toInt());
    const NormKernels& kernels =
        kernels_at(static_cast<CpuLevel>(context->saved_data["level"].toInt()));
    const auto dy = grads[0].contiguous(at::MemoryFormat::ChannelsLast);
    const int64_t channels = x.size(1);
    const Tiles tiles(channels);
    const auto valid_frames = context->saved_data["valid_frames"].toIntVector();
    const Spans spans(x, valid_frames, tiles);
    const auto means = tiles.repeat(affine.mean), scales = tiles.repeat(affine.scale),
               shifts = tiles.repeat(affine.shift),
               slopes = tiles.repeat(slope.defined() ? channels_of(slope) : affine.scale);
    NormTiles tile{};
    tile.mean = means.data(), tile.scale = scales.data(), tile.shift = shifts.data();
    tile.slope = slopes.data();
    const float* in = rows_of(x);
    const float* grad = rows_of(dy);

    PieceSums pieces(spans, 3, channels);
    over_spans(
        spans, [&] { return Sums(tiles.length()); },
        [&](Sums& sums, int64_t at, int64_t n) {
          kernels.add_gradients(activate, grad + at, in + at, tile, sums.grad.data(),
                                sums.grad_x.data(), sums.slope.data(), n);
        },
        [&](int64_t piece, const Sums& sums) {
          tiles.fold(sums.grad, pieces.of(piece, 0));
          tiles.fold(sums.grad_x, pieces.of(piece, 1));
          if (activate == Activate::prelu) tiles.fold(sums.slope, pieces.of(piece, 2));
        });
    const Channels dbias = pieces.total(0);
    Channels dweight = pieces.total(1);
    for (size_t c = 0; c < dweight.size(); ++c) dweight[c] *= affine.deviation[c];

    at::Tensor dx;
    if (context->needs_input_grad(0)) {
      const auto count = static_cast<double>(spans.numbers() / channels);
      const Channels none(dbias.size());
      const InputGradient to = context->saved_data["training"].toBool()
                                   ? through_statistics(affine, dbias, dweight, count)
                                   : InputGradient{none, none};
      const auto factors = tiles.repeat(to.factor), offsets = tiles.repeat(to.offset);
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
    const auto dslope = slope.defined() ? tensor_of(pieces.total(2)) : at::Tensor();
    return {dx,           tensor_of(dweight), tensor_of(dbias), dslope,
            at::Tensor(), at::Tensor(),       at::Tensor()};
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
