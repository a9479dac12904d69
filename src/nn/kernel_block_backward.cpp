#include <torch/types.h>

#include <algorithm>
#include <utility>

#include "nn/block_pass.h"

namespace limbeck::nn {
namespace {

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

class Backward : Block {
 public:
  Backward(const at::Tensor& x, const Units& units, const BlockOptions& o, const BlockResult& kept,
           const at::Tensor& dy)
      : Block(x, units, o),
        statistics_(kept.statistics),
        d_(rows_of(kept.d)),
        p_(rows_of(kept.p)),
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
      std::vector<const float*> grads;
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
        convolve_back(depthwise_, phases, grads, times, s_.wide_width, s_.bins_out, s_.bins, da);
        kernels_.load(x_frame(piece.item, t), e.centre_or_null(), s_.bins, s_.in, rows);
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

}  // namespace

BlockGradients block_backward(const at::Tensor& x, const Units& units, const BlockOptions& o,
                              const BlockResult& kept, const at::Tensor& dy, bool of_x) {
  return Backward(x, units, o, kept, dy).run(of_x);
}

}  // namespace limbeck::nn
