#include <torch/types.h>

#include <utility>

#include "nn/block_pass.h"

namespace limbeck::nn {
namespace {

class Forward : Block {
 public:
  using Block::Block;

  BlockResult run(const at::Tensor& x, bool keep) {
    if (keep) {
      d_ = torch::empty({s_.batch * s_.frames, s_.wide_frame()});
      p_ = torch::empty({s_.batch * s_.frames, s_.out_rows_frame()});
    }
    if (o_.training) {
      measure_input();
    } else {
      for (size_t i = 0; i < 3; ++i) statistics_.affine[i] = remembered(units_[i]);
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
    return {y_, d_, p_, std::move(statistics_)};
  }

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
    statistics_.input = Covariance(s_.in);
    for (const Covariance& piece : all) {
      statistics_.input.add(piece.count, piece.mean, piece.products);
    }
    const double count = statistics_.input.count;
    finish_norm(
        kExpand,
        moments_from(expand_.times(statistics_.input.mean),
                     row_products(expand_, product(expand_, statistics_.input.products)), count),
        count);
  }

  void finish_norm(int unit, const Moments& moments, double count) {
    const BlockUnit& u = units_[static_cast<size_t>(unit)];
    update_running(u.running_mean, u.running_var, moments, count, o_.momentum);
    statistics_.affine[static_cast<size_t>(unit)] = affine_of(moments, u.scale, u.bias, o_.epsilon);
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
        kernels_.load(x_frame(piece.item, next), e.centre_or_null(), s_.bins, s_.in, rows);
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
    const Expansion e = expansion(statistics_);
    const Taps taps = all_taps(units_[kDepthwise].weight, s_.wide_width);
    float* wide = d_.data_ptr<float>();
    float* projected = p_.data_ptr<float>();

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

    const RowNorm wide_norm = row_norm(statistics_, kDepthwise);
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

    const RowNorm out_norm = row_norm(statistics_, kProject);
    over(pieces_, [&](size_t, const Piece& piece, Scratch& scratch) {
      float* rows = scratch.take(s_.out_rows_frame());
      for (int64_t t = piece.begin; t < piece.end; ++t) {
        write(out_norm, piece.item, t, projected + frame(piece, t) * s_.out_rows_frame(), rows);
      }
    });
  }

  /// With norms that are known, each frame goes all the way.
  void run_at_once() {
    const Expansion e = expansion(statistics_);
    const Taps taps = all_taps(units_[kDepthwise].weight, s_.wide_width);
    const RowNorm wide_norm = row_norm(statistics_, kDepthwise),
                  out_norm = row_norm(statistics_, kProject);
    zeros_ = FloatBuffer(static_cast<size_t>(s_.out_width));
    const bool kept = d_.defined();
    over(pieces_, [&](size_t, const Piece& piece, Scratch& scratch) {
      float *wide = scratch.take(s_.wide_frame()), *activated = scratch.take(s_.wide_frame()),
            *projected = scratch.take(s_.out_rows_frame()),
            *rows = scratch.take(s_.out_rows_frame());
      over_depthwise(
          piece, scratch, e, taps,
          [&](int64_t t) {
            return kept ? d_.data_ptr<float>() + frame(piece, t) * s_.wide_frame() : wide;
          },
          [&](int64_t t, const float* from) {
            float* to =
                kept ? p_.data_ptr<float>() + frame(piece, t) * s_.out_rows_frame() : projected;
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

  Statistics statistics_;
  FloatBuffer packed_project_, zeros_;
  at::Tensor y_, d_, p_;
};

}  // namespace

BlockResult block_forward(const at::Tensor& x, const Units& units, const BlockOptions& o,
                          bool keep) {
  return Forward(x, units, o).run(x, keep);
}

}  // namespace limbeck::nn
