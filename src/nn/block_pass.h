#pragma once

#include <algorithm>
#include <deque>
#include <vector>

#include "nn/block_statistics.h"
#include "nn/depthwise_taps.h"
#include "nn/kernel_block.h"
#include "nn/kernel_support.h"
#include "nn/levels/depthwise.h"

// Legend: B item, T frame, F bin, C channels of x, W of the wide maps, P of the projection's rows
// (all that are interleaved). A width is a number of channels in whole registers.
//
// Names: x → expand: e, z1 (norm), a1 (activation) → depthwise: d, z2, a2 → project: p → norm: y.
// e is W_e·x, so its mean and variance are W_e·mean(x) and diag(W_e·Cov(x)·W_eᵀ), and the part of
// its gradient that goes through them is an affine map of x.

namespace limbeck::nn {

using Units = std::array<BlockUnit, 3>;
enum { kExpand, kDepthwise, kProject };

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

/// What both passes share.
class Block {
 public:
  Block(const at::Tensor& x, const Units& units, const BlockOptions& o)
      : kernels_(block_kernels(o.level)),
        depthwise_(LIMBECK_AT_LEVEL(depthwise, o.level)),
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
    FloatBuffer centre, matrix, start, slope;  // no centre outside of training
    const float* centre_or_null() const { return centre.empty() ? nullptr : centre.data(); }
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

/// What the forward pass gives, and keeps for the backward one.
struct BlockResult {
  at::Tensor y;     // [B, out, T, F]
  at::Tensor d, p;  // [B·T, F·width]; undefined: not asked for
  Statistics statistics;
};
BlockResult block_forward(const at::Tensor& x, const Units& units, const BlockOptions& o,
                          bool keep);

/// The gradients of a block, of x (undefined: not asked for) and of each unit.
struct BlockGradients {
  at::Tensor x;
  struct Unit {
    at::Tensor weight, scale, bias, slope;
  };
  std::array<Unit, 3> units;
};

/// `dy` in channels-last order.
BlockGradients block_backward(const at::Tensor& x, const Units& units, const BlockOptions& o,
                              const BlockResult& kept, const at::Tensor& dy, bool of_x);

}  // namespace limbeck::nn
