#include "nn/block_statistics.h"

#include <torch/types.h>

namespace limbeck::nn {

FloatBuffer row_of(const Channels& values, int64_t count, int64_t width) {
  FloatBuffer row(static_cast<size_t>(width));
  for (int64_t i = 0; i < count; ++i) {
    row[static_cast<size_t>(i)] =
        static_cast<float>(values[static_cast<size_t>(i) % values.size()]);
  }
  return row;
}

Channels row_products(const Matrix& a, const Matrix& b) {
  Channels sums(static_cast<size_t>(a.rows));
  for (int64_t r = 0; r < a.rows; ++r) {
    for (int64_t c = 0; c < a.columns; ++c) {
      sums[static_cast<size_t>(r)] += a.row(r)[c] * b.row(r)[c];
    }
  }
  return sums;
}

std::vector<at::Tensor> Statistics::pack() const {
  const auto doubles = [](const Channels& values) { return torch::tensor(values, torch::kDouble); };
  return {affine[0].pack(),
          affine[1].pack(),
          affine[2].pack(),
          doubles(input.mean),
          doubles(input.products.values),
          doubles({input.count})};
}

Statistics Statistics::unpack(at::TensorList all) {
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

}  // namespace limbeck::nn
