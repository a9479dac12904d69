#include "nn/kernel_block.h"

#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "nn/depthwise_taps.h"
#include "nn/kernel_statistics.h"
#include "nn/kernel_support.h"
#include "nn/levels/depthwise.h"
#include "nn/matrix.h"

// Legend: B item, T frame, F bin, C channels of x, W of the wide maps, P of the projection's rows
// (all that are interleaved). A width is a number of channels in whole registers.
//
// Names: x → expand: e, z1 (norm), a1 (activation) → depthwise: d, z2, a2 → project: p → norm: y.
// e is W_e·x, so its mean and variance are W_e·mean(x) and diag(W_e·Cov(x)·W_eᵀ), and the part of
// its gradient that goes through them is an affine map of x.

namespace limbeck::nn {
namespace {

using Units = std::array<BlockUnit, 3>;  // expand, depthwise, project
enum { kExpand, kDepthwise, kProject };

const DepthwiseKernels& depthwise_kernels(CpuLevel level) {
  return LIMBECK_AT_LEVEL(depthwise, level);
}

/// Memory of one thread, which the pieces of work that it does use in turn.
class Scratch {
 public:
  /// Of unknown numbers, until start_over().
  float* take(int64_t count) {
    if (taken_ == buffers_.size()) buffers_.emplace_back();
    FloatBuffer& buffer = buffers_[taken_++];
    if (buffer.size() < static_cast<size_t>(count)) buffer.resize(static_cast<size_t>(count));
    return buffer.data();
  }
  float* zeros(int64_t count) {
    float* all = take(count);
    std::fill_n(all, count, 0.0F);
    return all;
  }
  void start_over() { taken_ = 0; }

 private:
  std::deque<FloatBuffer> buffers_;
  size_t taken_ = 0;
};

/// Some frames of an item.
struct Piece {
  int64_t item, begin, end;
};

/// Calls body(number of the piece, piece, scratch) for all, on LibTorch's threads.
template <class Body>
void over(const std::vector<Piece>& pieces, const Body& body) {
  for_tasks(static_cast<int64_t>(pieces.size()), [&] {
    return [&, scratch = Scratch()](int64_t task) mutable {
      scratch.start_over();
      body(static_cast<size_t>(task), pieces[static_cast<size_t>(task)], scratch);
    };
  });
}

struct Shape {
  int64_t batch, frames, bins, bins_out, in, wide, out;  // channels: C, W, P
  int64_t in_width, wide_width, out_width;
  int64_t kernel_time, kernel_freq;

  Shape(at::IntArrayRef x, const Units& units, const BlockOptions& o, int64_t lanes)
      : batch(x[0]),
        frames(x[2]),
        bins(x[3]),
        bins_out((x[3] - 1) / o.stride_freq + 1),
        in(x[1]),
        wide(units[kExpand].weight.size(0)),
        out(units[kProject].weight.size(0)),
        in_width(padded(in, lanes)),
        wide_width(padded(wide, lanes)),
        out_width(padded(out, lanes)),
        kernel_time(units[kDepthwise].weight.size(2)),
        kernel_freq(units[kDepthwise].weight.size(3)) {
    TORCH_CHECK(kernel_freq % 2 == 1 && o.before + o.after == (kernel_time - 1) * o.dilation_time,
                "inverted_bottleneck: kernel ", units[kDepthwise].weight.sizes());
  }
  int64_t in_frame() const { return bins * in; }
  int64_t out_frame() const { return bins_out * out; }
  int64_t wide_in_frame() const { return bins * wide_width; }
  int64_t wide_frame() const { return bins_out * wide_width; }
  int64_t out_rows_frame() const { return bins_out * out_width; }
};

/// A row of `width`: the values, over and over until `count` are there, then zeros.
FloatBuffer row_of(const Channels& values, int64_t count, int64_t width) {
  FloatBuffer row(static_cast<size_t>(width));
  for (int64_t i = 0; i < count; ++i) {
    row[static_cast<size_t>(i)] =
        static_cast<float>(values[static_cast<size_t>(i) % values.size()]);
  }
  return row;
}

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
Channels row_products(const Matrix& a, const Matrix& b) {
  Channels sums(static_cast<size_t>(a.rows));
  for (int64_t r = 0; r < a.rows; ++r) {
    for (int64_t c = 0; c < a.columns; ++c) {
      sums[static_cast<size_t>(r)] += a.row(r)[c] * b.row(r)[c];
    }
  }
  return sums;
}

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
  Moments moments() const {
    Moments m{mean, square};
    // What rounding leaves of nothing may be below; what is no number stays none.
    for (double& v : m.variance) v = v < 0 ? 0 : v / count;
    return m;
  }

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

/// Rows of sums, each added to a piece's in double precision after a frame.
class GradientSums {
 public:
  GradientSums(size_t pieces, int64_t width)
      : width_(static_cast<size_t>(width)), sums_(pieces, Channels(3 * width_)) {}

  /// Zeros for a frame.
  RowSums frame(Scratch& scratch) const {
    float* all = scratch.zeros(static_cast<int64_t>(3 * width_));
    return {all, all + width_, all + 2 * width_};
  }
  void add(size_t piece, const RowSums& frame) {
    for (size_t i = 0; i < 3 * width_; ++i) {
      sums_[piece][i] += frame.grad[i];
      frame.grad[i] = 0;
    }
  }
  enum { kGrad, kGradX, kSlope };
  /// Over all pieces; where channels repeat in the row, of each.
  Channels total(size_t kind, int64_t count, int64_t channels) const {
    Channels all(static_cast<size_t>(channels));
    for (const Channels& piece : sums_) {
      for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
        all[i % all.size()] += piece[kind * width_ + i];
      }
    }
    return all;
  }

 private:
  size_t width_;
  std::vector<Channels> sums_;
};

/// Of each unit.
struct Statistics {
  std::array<ChannelAffine, 3> affine;
  Covariance input{0};  // in training

  std::vector<at::Tensor> pack() const {
    const auto doubles = [](const Channels& values) {
      return torch::tensor(values, torch::kDouble);
    };
    return {affine[0].pack(),
            affine[1].pack(),
            affine[2].pack(),
            doubles(input.mean),
            doubles(input.products.values),
            doubles({input.count})};
  }
  static Statistics unpack(at::TensorList all) {
    Statistics s{{ChannelAffine::unpack(all[0]), ChannelAffine::unpack(all[1]),
                  ChannelAffine::unpack(all[2])}};
    const auto numbers = [](const at::Tensor& values) {
      const double* v = values.const_data_ptr<double>();
      return Channels(v, v + values.numel());
    };
    s.input.mean = numbers(all[3]);
    s.input.products.rows = s.input.products.columns = all[3].numel();
    s.input.products.values = numbers(all[4]);
    s.input.count = numbers(all[5])[0];
    return s;
  }
  static constexpr size_t kTensors = 6;
};

/// What both passes share.
class Block {
 public:
  Block(const at::Tensor& x, const Units& units, const BlockOptions& o)
      : kernels_(block_kernels(o.level)),
        depthwise_(depthwise_kernels(o.level)),
        units_(units),
        o_(o),
        s_(x.sizes(), units, o, kernels_.lanes),
        x_(rows_of(x)),
        expand_(Matrix::of(units[kExpand].weight)),
        project_(Matrix::of(units[kProject].weight)) {
    constexpr int64_t kFrames = 32;  // of a piece: few of them are made twice
    for (int64_t b = 0; b < s_.batch; ++b) {
      const int64_t given = given_frames(b), count = (given + kFrames - 1) / kFrames;
      for (int64_t i = 0; i < count; ++i) {
        pieces_.push_back({b, given * i / count, given * (i + 1) / count});
      }
    }
    TORCH_CHECK(!pieces_.empty(), "inverted_bottleneck: no frames");
  }

 protected:
  /// Frames of an item that are worked on; in training those behind are padding.
  int64_t given_frames(int64_t b) const {
    return o_.training && !o_.valid_frames.empty() ? o_.valid_frames[static_cast<size_t>(b)]
                                                   : s_.frames;
  }
  /// Frames of an item that the depthwise convolution hears.
  int64_t heard_frames(int64_t b) const {
    return (o_.training || o_.after > 0) && !o_.valid_frames.empty()
               ? o_.valid_frames[static_cast<size_t>(b)]
               : s_.frames;
  }
  int64_t ring_frames() const { return o_.before + o_.after + 1; }
  const float* x_frame(int64_t b, int64_t t) const {
    return x_ + (b * s_.frames + t) * s_.in_frame();
  }
  int64_t frame(const Piece& piece, int64_t t) const { return piece.item * s_.frames + t; }

  /// Where z1 = start + matrix · (x − centre), so that digits of a mean far from zero are not lost.
  struct Expansion {
    FloatBuffer centre, matrix, start, slope;
    const float* centre_or_null(bool training) const { return training ? centre.data() : nullptr; }
  };
  Expansion expansion(const Statistics& statistics) const {
    const ChannelAffine& a = statistics.affine[kExpand];
    Expansion e;
    Channels start = a.shift;
    const Matrix matrix = expand_.scaled(a.scale);
    if (o_.training) {
      e.centre = row_of(statistics.input.mean, s_.in, s_.in_width);
      const Channels of_centre = matrix.times(centre_of(statistics));
      for (size_t c = 0; c < start.size(); ++c) start[c] += of_centre[c];
    }
    e.matrix = packed(kernels_, matrix.transposed(), s_.wide_width);
    e.start = row_of(start, s_.wide, s_.wide_width);
    const auto& slope = units_[kExpand].slope;
    e.slope = row_of(slope.defined() ? channels_of(slope) : a.scale, s_.wide, s_.wide_width);
    return e;
  }
  /// In float precision, as it is subtracted.
  Channels centre_of(const Statistics& statistics) const {
    Channels centre(static_cast<size_t>(s_.in));
    for (size_t c = 0; o_.training && c < centre.size(); ++c) {
      centre[c] = static_cast<float>(statistics.input.mean[c]);
    }
    return centre;
  }
  RowNorm row_norm(const Statistics& statistics, int unit) const {
    const bool last = unit == kProject;
    return {statistics.affine[static_cast<size_t>(unit)], units_[static_cast<size_t>(unit)].slope,
            last ? s_.out : s_.wide, last ? s_.out_width : s_.wide_width};
  }

  const BlockKernels& kernels_;
  const DepthwiseKernels& depthwise_;
  const Units& units_;
  const BlockOptions& o_;
  const Shape s_;
  const float* x_;
  const Matrix expand_, project_;  // [W][C], [P][W]
  std::vector<Piece> pieces_;
};

class Forward : Block {
 public:
  using Block::Block;

  /// y [B, out, T, F]
  at::Tensor run(const at::Tensor& x) {
    if (o_.training) {
      measure_input();
    } else {
      for (size_t i = 0; i < 3; ++i) statistics.affine[i] = remembered(units_[i]);
    }
    packed_project_ = packed(kernels_, project_.transposed(), s_.out_width);
    y_ = empty_rows(
        {s_.batch, s_.out / o_.upsample_freq, s_.frames, s_.bins_out * o_.upsample_freq});
    if (o_.training) {
      run_in_sweeps();
    } else {
      run_at_once();
    }
    fill_padding(x);
    return y_;
  }
  /// Lets run() keep what the backward pass needs.
  void keep() {
    d = torch::empty({s_.batch * s_.frames, s_.wide_frame()});
    p = torch::empty({s_.batch * s_.frames, s_.out_rows_frame()});
  }

  Statistics statistics;
  at::Tensor d, p;  // [B·T, F·width]

 private:
  ChannelAffine remembered(const BlockUnit& unit) const {
    if (unit.scale.defined()) {
      return affine_of({channels_of(unit.running_mean), channels_of(unit.running_var)}, unit.scale,
                       unit.bias, o_.epsilon);
    }
    const Channels bias = channels_of(unit.bias), none(bias.size()), one(bias.size(), 1);
    return {none, one, one, bias};
  }

  /// The covariance of x, and from it the first norm: in double precision, since channels that are
  /// nearly the same leave little of it.
  void measure_input() {
    constexpr int64_t kRows = 256;
    std::vector<Covariance> all(pieces_.size(), Covariance(s_.in));
    over(pieces_, [&](size_t i, const Piece& piece, Scratch& scratch) {
      float* rows = scratch.take(kRows * s_.in_width);
      float *mean = scratch.take(s_.in_width), *rest = scratch.take(s_.in_width),
            *square = scratch.take(s_.in_width);
      Channels wide_rows(static_cast<size_t>(kRows * s_.in_width));
      Channels products(static_cast<size_t>(s_.in * s_.in_width));
      Channels exact_mean(static_cast<size_t>(s_.in));
      Matrix exact(s_.in, s_.in);
      const float* from = x_frame(piece.item, piece.begin);
      const int64_t count = (piece.end - piece.begin) * s_.bins;
      for (int64_t first = 0; first < count; first += kRows) {
        const int64_t n = std::min(kRows, count - first);
        kernels_.load(from + first * s_.in, nullptr, n, s_.in, rows);
        kernels_.moments(rows, n, s_.in_width, mean, rest, square);
        kernels_.load(from + first * s_.in, mean, n, s_.in, rows);
        std::fill(products.begin(), products.end(), 0.0);
        kernels_.add_products(rows, n, s_.in, wide_rows.data(), products.data());
        const auto number = static_cast<double>(n);
        for (int64_t c = 0; c < s_.in; ++c) {
          exact_mean[static_cast<size_t>(c)] = mean[c] + rest[c] / number;
          for (int64_t j = 0; j <= c; ++j) {
            const double sum = products[static_cast<size_t>(j * s_.in_width + c)];
            exact.row(c)[j] = exact.row(j)[c] = sum - double{rest[c]} * rest[j] / number;
          }
        }
        all[i].add(number, exact_mean, exact);
      }
    });
    statistics.input = Covariance(s_.in);
    for (const Covariance& piece : all) {
      statistics.input.add(piece.count, piece.mean, piece.products);
    }
    const double count = statistics.input.count;
    Moments moments{expand_.times(statistics.input.mean),
                    row_products(expand_, product(expand_, statistics.input.products))};
    // What rounding leaves of nothing may be below; what is no number stays none.
    for (double& v : moments.variance) v = v < 0 ? 0 : v / count;
    finish_norm(kExpand, moments, count);
  }

  void finish_norm(int unit, const Moments& moments, double count) {
    const BlockUnit& u = units_[static_cast<size_t>(unit)];
    update_running(u.running_mean, u.running_var, moments, count, o_.momentum);
    statistics.affine[static_cast<size_t>(unit)] = affine_of(moments, u.scale, u.bias, o_.epsilon);
  }

  /// For each frame t writes d [F][wide width] to what place(t) gives, and calls then(t, that).
  template <class Place, class Then>
  void over_depthwise(const Piece& piece, Scratch& scratch, const Expansion& e, const Taps& taps,
                      const Place& place, const Then& then) const {
    const int64_t ring = ring_frames(), heard = heard_frames(piece.item);
    float* rows = scratch.take(s_.bins * s_.in_width);
    float* activated = scratch.take(ring * s_.wide_in_frame());
    const auto slot = [&](int64_t t) { return activated + t % ring * s_.wide_in_frame(); };
    std::vector<const float*> in, weight;
    int64_t next = std::max<int64_t>(0, piece.begin - o_.before);
    for (int64_t t = piece.begin; t < piece.end; ++t) {
      for (; next <= std::min(t + o_.after, heard - 1); ++next) {
        kernels_.load(x_frame(piece.item, next), e.centre_or_null(o_.training), s_.bins, s_.in,
                      rows);
        kernels_.multiply(o_.activate, rows, s_.in_width, s_.in, e.matrix.data(), e.start.data(),
                          e.slope.data(), s_.bins, s_.wide_width, slot(next));
      }
      in.clear(), weight.clear();
      for (int64_t kt = 0; kt < s_.kernel_time; ++kt) {
        const int64_t from = t - o_.before + kt * o_.dilation_time;
        if (from < 0 || from >= heard) continue;
        in.push_back(slot(from));
        weight.push_back(taps.of(kt, s_.wide_width));
      }
      float* out = place(t);
      depthwise_.convolve({in.data(), weight.data(), static_cast<int64_t>(in.size()), taps.count,
                           s_.wide_width, s_.bins, o_.stride_freq, taps.first, s_.bins_out},
                          nullptr, out, 1);
      then(t, out);
    }
  }
  void project(const RowNorm& norm, const float* from, float* activated, float* to) const {
    kernels_.activate(o_.activate, from, norm.affine(), s_.bins_out, s_.wide_width, activated);
    kernels_.multiply(Activate::none, activated, s_.wide_width, s_.wide, packed_project_.data(),
                      zeros_.data(), nullptr, s_.bins_out, s_.out_width, to);
  }
  void write(const RowNorm& norm, int64_t b, int64_t t, const float* from, float* rows) {
    kernels_.activate(Activate::none, from, norm.affine(), s_.bins_out, s_.out_width, rows);
    kernels_.store(rows, o_.residual ? x_frame(b, t) : nullptr, s_.bins_out, s_.out,
                   y_.data_ptr<float>() + (b * s_.frames + t) * s_.out_frame());
  }

  void run_in_sweeps() {
    const Expansion e = expansion(statistics);
    const Taps taps = all_taps(units_[kDepthwise].weight, s_.wide_width);
    float* wide = d.data_ptr<float>();
    float* projected = p.data_ptr<float>();

    std::vector<RowMoments> wide_moments(pieces_.size(), RowMoments(s_.wide));
    over(pieces_, [&](size_t i, const Piece& piece, Scratch& scratch) {
      float *mean = scratch.take(3 * s_.wide_width), *rest = mean + s_.wide_width,
            *square = rest + s_.wide_width;
      over_depthwise(
          piece, scratch, e, taps,
          [&](int64_t t) { return wide + frame(piece, t) * s_.wide_frame(); },
          [&](int64_t, const float* rows) {
            kernels_.moments(rows, s_.bins_out, s_.wide_width, mean, rest, square);
            wide_moments[i].add(s_.bins_out, mean, rest, square);
          });
    });
    RowMoments of_wide(s_.wide);
    for (const RowMoments& piece : wide_moments) of_wide.add(piece);
    finish_norm(kDepthwise, of_wide.moments(), of_wide.count);

    const RowNorm wide_norm = row_norm(statistics, kDepthwise);
    zeros_ = FloatBuffer(static_cast<size_t>(s_.out_width));
    std::vector<RowMoments> out_moments(pieces_.size(), RowMoments(s_.out));
    over(pieces_, [&](size_t i, const Piece& piece, Scratch& scratch) {
      float *mean = scratch.take(3 * s_.out_width), *rest = mean + s_.out_width,
            *square = rest + s_.out_width, *activated = scratch.take(s_.wide_frame());
      for (int64_t t = piece.begin; t < piece.end; ++t) {
        float* rows = projected + frame(piece, t) * s_.out_rows_frame();
        project(wide_norm, wide + frame(piece, t) * s_.wide_frame(), activated, rows);
        kernels_.moments(rows, s_.bins_out, s_.out_width, mean, rest, square);
        out_moments[i].add(s_.bins_out, mean, rest, square);
      }
    });
    RowMoments of_out(s_.out);
    for (const RowMoments& piece : out_moments) of_out.add(piece);
    of_out = of_out.folded(s_.out / o_.upsample_freq);
    finish_norm(kProject, of_out.moments(), of_out.count);

    const RowNorm out_norm = row_norm(statistics, kProject);
    over(pieces_, [&](size_t, const Piece& piece, Scratch& scratch) {
      float* rows = scratch.take(s_.out_rows_frame());
      for (int64_t t = piece.begin; t < piece.end; ++t) {
        write(out_norm, piece.item, t, projected + frame(piece, t) * s_.out_rows_frame(), rows);
      }
    });
  }

  /// With norms that are known, each frame goes all the way.
  void run_at_once() {
    const Expansion e = expansion(statistics);
    const Taps taps = all_taps(units_[kDepthwise].weight, s_.wide_width);
    const RowNorm wide_norm = row_norm(statistics, kDepthwise),
                  out_norm = row_norm(statistics, kProject);
    zeros_ = FloatBuffer(static_cast<size_t>(s_.out_width));
    const bool kept = d.defined();
    over(pieces_, [&](size_t, const Piece& piece, Scratch& scratch) {
      float *wide = scratch.take(s_.wide_frame()), *activated = scratch.take(s_.wide_frame()),
            *projected = scratch.take(s_.out_rows_frame()),
            *rows = scratch.take(s_.out_rows_frame());
      over_depthwise(
          piece, scratch, e, taps,
          [&](int64_t t) {
            return kept ? d.data_ptr<float>() + frame(piece, t) * s_.wide_frame() : wide;
          },
          [&](int64_t t, const float* from) {
            float* to =
                kept ? p.data_ptr<float>() + frame(piece, t) * s_.out_rows_frame() : projected;
            project(wide_norm, from, activated, to);
            write(out_norm, piece.item, t, to, rows);
          });
    });
  }

  /// Zeros, or what goes by the block.
  void fill_padding(const at::Tensor& x) {
    for (int64_t b = 0; b < s_.batch; ++b) {
      const int64_t given = given_frames(b);
      if (given == s_.frames) continue;
      auto behind = y_[b].narrow(1, given, s_.frames - given);
      o_.residual ? behind.copy_(x[b].narrow(1, given, s_.frames - given)) : behind.zero_();
    }
  }

  FloatBuffer packed_project_, zeros_;
  at::Tensor y_;
};

/// The gradients of a block, of x (undefined: not asked for) and of each unit.
struct BlockGradients {
  at::Tensor x;
  struct Unit {
    at::Tensor weight, scale, bias, slope;
  };
  std::array<Unit, 3> units;
};

class Backward : Block {
 public:
  Backward(const at::Tensor& x, const Units& units, const BlockOptions& o,
           const Statistics& statistics, const at::Tensor& d, const at::Tensor& p,
           const at::Tensor& dy)
      : Block(x, units, o),
        statistics_(statistics),
        d_(rows_of(d)),
        p_(rows_of(p)),
        dy_(rows_of(dy)) {
    for (const Piece& piece : pieces_) count_ += static_cast<double>(piece.end - piece.begin);
  }

  BlockGradients run(bool of_x) {
    back_through_last_norm();
    back_through_projection();
    back_through_depthwise(of_x);
    return std::move(result_);
  }

 private:
  const float* dy_frame(const Piece& piece, int64_t t) const {
    return dy_ + frame(piece, t) * s_.out_frame();
  }
  const ChannelAffine& affine(int unit) const {
    return statistics_.affine[static_cast<size_t>(unit)];
  }

  /// Gradients of a norm's parameters, and what goes through its statistics, as rows.
  struct ThroughNorm {
    FloatBuffer factor, offset;
  };
  ThroughNorm back_through_norm(int unit, const GradientSums& sums, int64_t count, int64_t width,
                                double numbers) {
    const ChannelAffine& a = affine(unit);
    const auto channels = static_cast<int64_t>(a.mean.size());
    const Channels grad = sums.total(GradientSums::kGrad, count, channels);
    Channels dweight = sums.total(GradientSums::kGradX, count, channels);
    for (size_t c = 0; c < dweight.size(); ++c) dweight[c] *= a.deviation[c];
    auto& gradients = result_.units[static_cast<size_t>(unit)];
    gradients.scale = tensor_of(dweight), gradients.bias = tensor_of(grad);
    if (units_[static_cast<size_t>(unit)].slope.defined()) {
      gradients.slope = tensor_of(sums.total(GradientSums::kSlope, count, channels));
    }
    const Channels none(grad.size());
    const InputGradient to =
        o_.training ? through_statistics(a, grad, dweight, numbers) : InputGradient{none, none};
    return {row_of(to.factor, count, width), row_of(to.offset, count, width)};
  }

  void back_through_last_norm() {
    const RowNorm norm = row_norm(statistics_, kProject);
    GradientSums sums(pieces_.size(), s_.out_width);
    over(pieces_, [&](size_t i, const Piece& piece, Scratch& scratch) {
      float *dy = scratch.take(s_.out_rows_frame()), *y = scratch.take(s_.out_rows_frame());
      const RowSums frame_sums = sums.frame(scratch);
      for (int64_t t = piece.begin; t < piece.end; ++t) {
        kernels_.load(dy_frame(piece, t), nullptr, s_.bins_out, s_.out, dy);
        kernels_.differentiate(Activate::none, dy, p_ + frame(piece, t) * s_.out_rows_frame(),
                               norm.affine(), norm.mean.data(), s_.bins_out, s_.out_width, y, dy,
                               frame_sums);
        sums.add(i, frame_sums);
      }
    });
    through_last_ = back_through_norm(kProject, sums, s_.out, s_.out_width,
                                      count_ * static_cast<double>(s_.bins_out * o_.upsample_freq));
  }

  void back_through_projection() {
    const RowNorm out_norm = row_norm(statistics_, kProject),
                  norm = row_norm(statistics_, kDepthwise);
    const auto matrix = packed(kernels_, project_, s_.wide_width);
    const FloatBuffer zeros(static_cast<size_t>(s_.wide_width));
    g_ = torch::empty({s_.batch * s_.frames, s_.wide_frame()});
    GradientSums sums(pieces_.size(), s_.wide_width);
    MatrixSums weight(pieces_.size(), s_.out, s_.wide_width);
    over(pieces_, [&](size_t i, const Piece& piece, Scratch& scratch) {
      float *dp = scratch.take(s_.out_rows_frame()), *activated = scratch.take(s_.wide_frame());
      const RowSums frame_sums = sums.frame(scratch);
      for (int64_t t = piece.begin; t < piece.end; ++t) {
        float* g = g_.data_ptr<float>() + frame(piece, t) * s_.wide_frame();
        kernels_.load(dy_frame(piece, t), nullptr, s_.bins_out, s_.out, dp);
        kernels_.combine(dp, p_ + frame(piece, t) * s_.out_rows_frame(), out_norm.scale.data(),
                         through_last_.factor.data(), through_last_.offset.data(), s_.bins_out,
                         s_.out_width, dp);
        kernels_.multiply(Activate::none, dp, s_.out_width, s_.out, matrix.data(), zeros.data(),
                          nullptr, s_.bins_out, s_.wide_width, g);
        kernels_.differentiate(o_.activate, g, d_ + frame(piece, t) * s_.wide_frame(),
                               norm.affine(), norm.mean.data(), s_.bins_out, s_.wide_width,
                               activated, g, frame_sums);
        kernels_.add_outer(dp, s_.out_width, s_.out, activated, s_.bins_out, s_.wide_width,
                           weight.of(i));
        sums.add(i, frame_sums);
      }
    });
    result_.units[kProject].weight =
        tensor_of(weight.total(s_.wide), units_[kProject].weight.sizes());
    through_depthwise_ = back_through_norm(kDepthwise, sums, s_.wide, s_.wide_width,
                                           count_ * static_cast<double>(s_.bins_out));
  }

  void back_through_depthwise(bool of_x) {
    const Expansion e = expansion(statistics_);
    const auto matrix = packed(kernels_, expand_.scaled(affine(kExpand).scale), s_.in_width);
    const auto phases = taps_of_phases(units_[kDepthwise].weight, o_.stride_freq, s_.wide_width);
    const FloatBuffer zeros(static_cast<size_t>(std::max(s_.in_width, s_.wide_width))),
        ones(zeros.size(), 1);
    const RowNorm norm = row_norm(statistics_, kDepthwise);
    if (of_x) {
      result_.x = empty_rows({s_.batch, s_.in, s_.frames, s_.bins});
      fill_padding();
    }

    const int64_t taps = s_.kernel_time * s_.kernel_freq;
    GradientSums sums(pieces_.size(), s_.wide_width);
    MatrixSums tap_sums(pieces_.size(), taps, s_.wide_width),
        expand_sums(pieces_.size(), s_.in, s_.wide_width);
    over(pieces_, [&](size_t i, const Piece& piece, Scratch& scratch) {
      const int64_t ring = ring_frames(), given = given_frames(piece.item),
                    end = std::min(piece.end, heard_frames(piece.item));
      float *behind = scratch.take(ring * s_.wide_frame()), *da = scratch.take(s_.wide_in_frame()),
            *z = scratch.take(s_.wide_in_frame()), *rows = scratch.take(s_.bins * s_.in_width),
            *dx = scratch.take(s_.bins * s_.in_width);
      const auto slot = [&](int64_t t) { return behind + t % ring * s_.wide_frame(); };
      const RowSums frame_sums = sums.frame(scratch);
      std::vector<const float*> grads, weight(static_cast<size_t>(s_.kernel_time));
      std::vector<float*> tap_rows;
      std::vector<int64_t> times;
      int64_t next = std::max<int64_t>(0, piece.begin - o_.after);
      for (int64_t t = piece.begin; t < end; ++t) {
        for (; next <= std::min(t + o_.before, given - 1); ++next) {
          const int64_t at = frame(piece, next) * s_.wide_frame();
          kernels_.combine(g_.const_data_ptr<float>() + at, d_ + at, norm.scale.data(),
                           through_depthwise_.factor.data(), through_depthwise_.offset.data(),
                           s_.bins_out, s_.wide_width, slot(next));
        }
        grads.clear(), times.clear();
        for (int64_t kt = s_.kernel_time - 1; kt >= 0; --kt) {
          const int64_t from = t + o_.before - kt * o_.dilation_time;
          if (from < 0 || from >= given) continue;
          grads.push_back(slot(from));
          times.push_back(kt);
        }
        for (int64_t phase = 0; phase < std::min(o_.stride_freq, s_.bins); ++phase) {
          const Taps& of_phase = phases[static_cast<size_t>(phase)];
          for (size_t n = 0; n < times.size(); ++n) {
            weight[n] = of_phase.of(times[n], s_.wide_width);
          }
          depthwise_.convolve({grads.data(), weight.data(), static_cast<int64_t>(grads.size()),
                               of_phase.count, s_.wide_width, s_.bins_out, 1, of_phase.first,
                               (s_.bins - phase - 1) / o_.stride_freq + 1},
                              nullptr, da + phase * s_.wide_width, o_.stride_freq);
        }
        kernels_.load(x_frame(piece.item, t), e.centre_or_null(o_.training), s_.bins, s_.in, rows);
        kernels_.multiply(Activate::none, rows, s_.in_width, s_.in, e.matrix.data(), e.start.data(),
                          nullptr, s_.bins, s_.wide_width, z);
        // z becomes what the depthwise convolution heard, da the gradient at z.
        kernels_.differentiate(o_.activate, da, z, {ones.data(), zeros.data(), e.slope.data()},
                               zeros.data(), s_.bins, s_.wide_width, z, da, frame_sums);
        sums.add(i, frame_sums);
        const float* heard = z;
        tap_rows.clear();
        for (const int64_t kt : times) {
          tap_rows.push_back(tap_sums.of(i) + kt * s_.kernel_freq * s_.wide_width);
        }
        depthwise_.add_weight_gradient(
            {&heard, nullptr, static_cast<int64_t>(grads.size()), s_.kernel_freq, s_.wide_width,
             s_.bins, o_.stride_freq, -(s_.kernel_freq / 2), s_.bins_out},
            grads.data(), tap_rows.data());
        kernels_.add_outer(rows, s_.in_width, s_.in, da, s_.bins, s_.wide_width, expand_sums.of(i));
        if (!of_x) continue;
        kernels_.multiply(Activate::none, da, s_.wide_width, s_.wide, matrix.data(), zeros.data(),
                          nullptr, s_.bins, s_.in_width, dx);
        kernels_.store(dx, o_.residual ? dy_frame(piece, t) : nullptr, s_.bins, s_.in,
                       dx_frame(piece, t));
      }
    });
    result_.units[kDepthwise].weight =
        tensor_of(tap_sums.total(s_.wide).transposed(), units_[kDepthwise].weight.sizes());
    back_through_expansion(sums, expand_sums.total(s_.wide).transposed(), e, of_x);
  }

  float* dx_frame(const Piece& piece, int64_t t) const {
    return result_.x.data_ptr<float>() + frame(piece, t) * s_.in_frame();
  }
  /// Where no gradient comes from the depthwise convolution.
  void fill_padding() {
    for (int64_t b = 0; b < s_.batch; ++b) {
      const int64_t heard = std::min(heard_frames(b), given_frames(b)), left = s_.frames - heard;
      if (left == 0) continue;
      float* to = result_.x.data_ptr<float>() + (b * s_.frames + heard) * s_.in_frame();
      if (o_.residual) {
        std::copy_n(dy_ + (b * s_.frames + heard) * s_.in_frame(), left * s_.in_frame(), to);
      } else {
        std::fill_n(to, left * s_.in_frame(), 0.0F);
      }
    }
  }

  /// `products` [W, C] are Σ g·(x − centre), g being the gradient at z1. In a second sweep dx gets
  /// what goes through the statistics.
  void back_through_expansion(const GradientSums& sums, const Matrix& products, const Expansion& e,
                              bool of_x) {
    const ChannelAffine& a = affine(kExpand);
    const Channels dbias = sums.total(GradientSums::kGrad, s_.wide, s_.wide);
    Channels away = expand_.times(centre_of(statistics_));  // of the mean of e; in training nothing
    Channels dscale = row_products(expand_, products);
    for (size_t c = 0; c < dscale.size(); ++c) {
      away[c] -= a.mean[c];
      dscale[c] = (dscale[c] + away[c] * dbias[c]) * a.deviation[c];
    }
    auto& gradients = result_.units[kExpand];
    gradients.scale = tensor_of(dscale), gradients.bias = tensor_of(dbias);
    if (units_[kExpand].slope.defined()) {
      gradients.slope = tensor_of(sums.total(GradientSums::kSlope, s_.wide, s_.wide));
    }
    Matrix dweight = products.scaled(a.scale);
    if (o_.training) {
      const double count = statistics_.input.count;
      Channels factor(dscale.size()), offset(dscale.size());  // of e − its mean
      for (size_t c = 0; c < factor.size(); ++c) {
        factor[c] = -a.scale[c] * a.deviation[c] * dscale[c] / count;
        offset[c] = factor[c] * away[c] - a.scale[c] * dbias[c] / count;
      }
      const Matrix through = expand_.scaled(factor);
      // The gradient at e sums to zero over the batch, so that x may be taken from its mean.
      const Matrix of_products = product(through, statistics_.input.products);
      for (size_t i = 0; i < dweight.values.size(); ++i) dweight.values[i] += of_products.values[i];
      if (of_x) {
        const Matrix back = expand_.transposed();
        add_affine(packed(kernels_, product(back, through), s_.in_width),
                   row_of(back.times(offset), s_.in, s_.in_width), e);
      }
    }
    gradients.weight = tensor_of(dweight, units_[kExpand].weight.sizes());
  }

  /// dx += matrix · (x − centre) + offset
  void add_affine(const FloatBuffer& matrix, const FloatBuffer& offset, const Expansion& e) {
    over(pieces_, [&](size_t, const Piece& piece, Scratch& scratch) {
      float *rows = scratch.take(s_.bins * s_.in_width), *dx = scratch.take(s_.bins * s_.in_width);
      for (int64_t t = piece.begin; t < piece.end; ++t) {
        kernels_.load(x_frame(piece.item, t), e.centre.data(), s_.bins, s_.in, rows);
        kernels_.multiply(Activate::none, rows, s_.in_width, s_.in, matrix.data(), offset.data(),
                          nullptr, s_.bins, s_.in_width, dx);
        float* to = dx_frame(piece, t);
        kernels_.store(dx, to, s_.bins, s_.in, to);
      }
    });
  }

  const Statistics& statistics_;
  const float *d_, *p_, *dy_;
  double count_ = 0;  // frames
  at::Tensor g_;      // gradient at z2, [B·T, F·width]
  ThroughNorm through_last_, through_depthwise_;
  BlockGradients result_;
};

/// Tensors of which there are gradients, in one order.
std::vector<at::Tensor> parameters_of(const Units& units) {
  std::vector<at::Tensor> all;
  for (const BlockUnit& unit : units) {
    all.insert(all.end(), {unit.weight, unit.scale, unit.bias});
    if (unit.slope.defined()) all.push_back(unit.slope);
  }
  return all;
}

struct InvertedBottleneckBlock : torch::autograd::Function<InvertedBottleneckBlock> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            at::TensorList parameters, const Units& units, const BlockOptions& o) {
    Forward pass(x, units, o);
    pass.keep();
    const auto y = pass.run(x);
    std::vector<at::Tensor> saved = {x, pass.d, pass.p};
    for (auto& tensor : pass.statistics.pack()) saved.push_back(tensor);
    saved.insert(saved.end(), parameters.begin(), parameters.end());
    context->save_for_backward(saved);
    context->saved_data["options"] = std::vector<int64_t>{static_cast<int64_t>(o.activate),
                                                          o.stride_freq,
                                                          o.dilation_time,
                                                          o.before,
                                                          o.after,
                                                          o.upsample_freq,
                                                          int64_t{o.residual},
                                                          int64_t{o.training},
                                                          static_cast<int64_t>(o.level)};
    context->saved_data["valid_frames"] = o.valid_frames;
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list grads) {
    const auto saved = context->get_saved_variables();
    const auto v = context->saved_data["options"].toIntVector();
    const BlockOptions o = {.activate = static_cast<Activate>(v[0]),
                            .stride_freq = v[1],
                            .dilation_time = v[2],
                            .before = v[3],
                            .after = v[4],
                            .upsample_freq = v[5],
                            .residual = v[6] != 0,
                            .training = v[7] != 0,
                            .valid_frames = context->saved_data["valid_frames"].toIntVector(),
                            .level = static_cast<CpuLevel>(v[8])};
    Units units;
    size_t at = 3 + Statistics::kTensors;
    for (int i = kExpand; i <= kProject; ++i) {
      BlockUnit& unit = units[static_cast<size_t>(i)];
      unit.weight = saved[at++], unit.scale = saved[at++], unit.bias = saved[at++];
      if (i != kProject && o.activate == Activate::prelu) unit.slope = saved[at++];
    }
    const auto statistics =
        Statistics::unpack(at::TensorList(saved).slice(3, Statistics::kTensors));
    const auto dy = grads[0].contiguous(at::MemoryFormat::ChannelsLast);
    const auto result = Backward(saved[0], units, o, statistics, saved[1], saved[2], dy)
                            .run(context->needs_input_grad(0));
    torch::autograd::variable_list all = {result.x};
    for (const auto& unit : result.units) {
      all.insert(all.end(), {unit.weight, unit.scale, unit.bias});
      if (unit.slope.defined()) all.push_back(unit.slope);
    }
    all.resize(all.size() + 2);  // units and options have none
    return all;
  }
};

}  // namespace

at::Tensor inverted_bottleneck(const at::Tensor& x, const Units& units,
                               const BlockOptions& options) {
  std::vector<at::Tensor> parameters = parameters_of(units);
  const bool needs_grad =
      at::GradMode::is_enabled() &&
      (x.requires_grad() || std::any_of(parameters.begin(), parameters.end(), [](const auto& p) {
         return p.defined() && p.requires_grad();
       }));
  if (needs_grad) {
    return InvertedBottleneckBlock::apply(x, at::TensorList(parameters), units, options);
  }
  Forward pass(x, units, options);
  if (options.training) pass.keep();
  return pass.run(x);
}

}  // namespace limbeck::nn
