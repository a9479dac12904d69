#include "nn/kernel_gru.h"

#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <vector>

#include "limbeck/audio/aligned_buffer.h"
#include "nn/kernel_support.h"
#include "nn/levels/gru.h"

namespace limbeck::nn {
namespace {

/// What the passes of one layer have in common.
struct Layer {
  const GruKernels& kernels;
  GruLayerOptions options;
  int64_t directions;
  GruShape shape;  // of a group
  GruSizes sizes{};
  int64_t tiles;

  Layer(const at::Tensor& x, const at::Tensor& w_hidden, const GruLayerOptions& o)
      : kernels(gru_kernels(o.level)), options(o), directions(o.bidirectional ? 2 : 1) {
    const bool frames = o.along == Along::frames;
    shape = {frames ? x.size(1) : x.size(2), x.size(0) * (frames ? x.size(2) : x.size(1)),
             x.size(3) / o.groups, w_hidden.size(1)};
    kernels.sizes(shape, &sizes);
    tiles = (shape.rows + sizes.tile_rows - 1) / sizes.tile_rows;
  }

  int64_t passes() const { return options.groups * directions; }
  GruPlace place(const at::Tensor& x) const {  // [B, T, F, ·]
    return options.along == Along::frames
               ? GruPlace{x.stride(1), x.stride(0), x.stride(2), x.size(2)}
               : GruPlace{x.stride(2), x.stride(0), x.stride(1), x.size(1)};
  }
  /// Pieces that weights' gradients are summed over: as many as keep their sums small.
  int64_t pieces() const {
    constexpr int64_t kFloats = 1 << 20;
    const int64_t room = std::max<int64_t>(8, kFloats / (passes() * sizes.sums));
    return std::min(piece_count(tiles), room);
  }
  at::Tensor packed(at::TensorList weights, bool back) const {  // [passes, floats]
    auto all = torch::empty({passes(), back ? sizes.weights_back : sizes.weights});
    for (int64_t p = 0; p < passes(); ++p) {
      float* to = all.data_ptr<float>() + p * all.size(1);
      const auto numbers = [&](int64_t i) {
        return weights[static_cast<size_t>(4 * p + i)].const_data_ptr<float>();
      };
      if (back) {
        kernels.pack_back(shape, numbers(0), numbers(1), to);
      } else {
        kernels.pack(shape, numbers(0), numbers(1), numbers(2), numbers(3), to);
      }
    }
    return all;
  }
  /// Of pass p = (group, direction), null for an undefined tensor [groups, directions, N, U].
  template <class T>
  T* states(T* all, int64_t p) const {
    return all == nullptr ? nullptr : all + p * shape.rows * shape.units;
  }
};

/// With channels side by side.
at::Tensor with_rows(const at::Tensor& x) {
  return x.size(3) == 1 || x.stride(3) == 1 ? x : x.contiguous();
}

const float* numbers_of(const at::Tensor& x) {
  return x.defined() ? x.const_data_ptr<float>() : nullptr;
}

/// `gates` undefined: not kept.
at::Tensor run_forward(const Layer& layer, const at::Tensor& x, const at::Tensor& start,
                       at::TensorList weights, const at::Tensor& gates) {
  auto y = torch::empty({x.size(0), x.size(1), x.size(2), layer.passes() * layer.shape.units});
  const auto packed = layer.packed(weights, false);
  std::vector<GruForward> passes;
  for (int64_t p = 0; p < layer.passes(); ++p) {
    passes.push_back({.shape = layer.shape,
                      .reverse = p % layer.directions == 1,
                      .x = x.const_data_ptr<float>() + p / layer.directions * layer.shape.inputs,
                      .x_place = layer.place(x),
                      .y = y.data_ptr<float>() + p * layer.shape.units,
                      .y_place = layer.place(y),
                      .start = layer.states(numbers_of(start), p),
                      .weights = packed.const_data_ptr<float>() + p * packed.size(1),
                      .gates = gates.defined()
                                   ? gates.data_ptr<float>() + p * layer.tiles * layer.sizes.gates
                                   : nullptr});
  }
  for_tasks(layer.passes() * layer.tiles, [&] {
    return [&, scratch = FloatBuffer(static_cast<size_t>(layer.sizes.scratch))](int64_t i) mutable {
      const int64_t tile = i % layer.tiles;
      layer.kernels.forward(passes[static_cast<size_t>(i / layer.tiles)], tile, tile + 1,
                            scratch.data());
    };
  });
  return y;
}

struct Gradients {
  at::Tensor x, start;
  std::vector<at::Tensor> weights;
};

/// Adds up the pieces' `sums` [groups, pieces, directions, floats], in their order.
std::vector<at::Tensor> weight_gradients(const Layer& layer, const at::Tensor& sums,
                                         at::TensorList weights) {
  std::vector<at::Tensor> gradients;
  for (const auto& weight : weights) gradients.push_back(torch::zeros(weight.sizes()));
  for_tasks(layer.passes(), [&] {
    return [&](int64_t p) {
      const auto to = [&](int64_t i) {
        return gradients[static_cast<size_t>(4 * p + i)].data_ptr<float>();
      };
      for (int64_t piece = 0; piece < sums.size(1); ++piece) {
        const int64_t at =
            (p / layer.directions * sums.size(1) + piece) * layer.directions + p % layer.directions;
        layer.kernels.add_sums(layer.shape, sums.const_data_ptr<float>() + at * sums.size(3), to(0),
                               to(1), to(2), to(3));
      }
    };
  });
  return gradients;
}

struct GruLayer : torch::autograd::Function<GruLayer> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            const std::optional<at::Tensor>& start_if_any, at::TensorList weights,
                            const GruLayerOptions& o) {
    const auto start = start_if_any.value_or(at::Tensor());
    const Layer layer(x, weights[1], o);
    const auto gates = torch::empty({layer.passes(), layer.tiles, layer.sizes.gates});
    const auto y = run_forward(layer, x, start, weights, gates);
    std::vector<at::Tensor> saved = {x, start, y, gates};
    saved.insert(saved.end(), weights.begin(), weights.end());
    context->save_for_backward(saved);
    context->saved_data["along"] = static_cast<int64_t>(o.along);
    context->saved_data["groups"] = o.groups;
    context->saved_data["bidirectional"] = o.bidirectional;
    context->saved_data["level"] = static_cast<int64_t>(o.level);
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list grads) {
    const auto saved = context->get_saved_variables();
    const GruLayerOptions o = {
        .along = static_cast<Along>(context->saved_data["along"].toInt()),
        .groups = context->saved_data["groups"].toInt(),
        .bidirectional = context->saved_data["bidirectional"].toBool(),
        .level = static_cast<CpuLevel>(context->saved_data["level"].toInt())};
    const at::Tensor& start = saved[1];
    const bool of_start = start.defined() && context->needs_input_grad(1);
    auto result = run_backward(Layer(saved[0], saved[5], o), saved, with_rows(grads[0]),
                               context->needs_input_grad(0), of_start);
    torch::autograd::variable_list all = {result.x, result.start};
    all.insert(all.end(), result.weights.begin(), result.weights.end());
    all.emplace_back();
    return all;
  }

  /// `saved` as forward saves them.
  static Gradients run_backward(const Layer& layer, const std::vector<at::Tensor>& saved,
                                const at::Tensor& dy, bool of_x, bool of_start) {
    const at::Tensor &x = saved[0], &start = saved[1], &y = saved[2], &gates = saved[3];
    const at::TensorList weights = at::TensorList(saved).slice(4);
    const auto& shape = layer.shape;
    const auto packed = layer.packed(weights, true);
    Gradients result;
    if (of_x) result.x = torch::empty(x.sizes());
    if (of_start) result.start = torch::empty(start.sizes());
    std::vector<GruBackward> passes;
    for (int64_t p = 0; p < layer.passes(); ++p) {
      const int64_t input = p / layer.directions * shape.inputs, unit = p * shape.units;
      passes.push_back(
          {.shape = shape,
           .reverse = p % layer.directions == 1,
           .x = x.const_data_ptr<float>() + input,
           .x_place = layer.place(x),
           .y = y.const_data_ptr<float>() + unit,
           .y_place = layer.place(y),
           .dy = dy.const_data_ptr<float>() + unit,
           .dy_place = layer.place(dy),
           .start = layer.states(numbers_of(start), p),
           .weights = packed.const_data_ptr<float>() + p * packed.size(1),
           .gates = gates.const_data_ptr<float>() + p * layer.tiles * layer.sizes.gates,
           .dx = of_x ? result.x.data_ptr<float>() + input : nullptr,
           .dx_place = of_x ? layer.place(result.x) : GruPlace{0, 0, 0, 1},
           .add_to_dx = p % layer.directions == 1,
           .dstart = layer.states(of_start ? result.start.data_ptr<float>() : nullptr, p)});
    }
    const int64_t pieces = layer.pieces(), directions = layer.directions;
    auto sums =
        torch::zeros({layer.options.groups, pieces, directions, layer.sizes.sums}, torch::kFloat);
    for_tasks(layer.options.groups * pieces, [&] {
      return [&, scratch = FloatBuffer(static_cast<size_t>(layer.sizes.scratch_back))](
                 int64_t i) mutable {
        const int64_t group = i / pieces, piece = i % pieces;
        // Both directions of a tile on one thread: the second adds to what the first has written.
        for (int64_t d = 0; d < directions; ++d) {
          layer.kernels.backward(passes[static_cast<size_t>(group * directions + d)],
                                 layer.tiles * piece / pieces, layer.tiles * (piece + 1) / pieces,
                                 sums.data_ptr<float>() + (i * directions + d) * layer.sizes.sums,
                                 scratch.data());
        }
      };
    });
    result.weights = weight_gradients(layer, sums, weights);
    return result;
  }
};

}  // namespace

const GruKernels& gru_kernels(CpuLevel level) { return LIMBECK_AT_LEVEL(gru, level); }

at::Tensor gru_layer(const at::Tensor& given, const at::Tensor& given_start, at::TensorList weights,
                     const GruLayerOptions& options) {
  const auto x = with_rows(given);
  const auto start = given_start.defined() ? given_start.contiguous() : given_start;
  std::vector<at::Tensor> together;
  bool needs_grad = x.requires_grad() || (start.defined() && start.requires_grad());
  for (const auto& weight : weights) {
    together.push_back(weight.contiguous());
    needs_grad = needs_grad || weight.requires_grad();
  }
  if (needs_grad && at::GradMode::is_enabled()) {
    return GruLayer::apply(x, if_defined(start), at::TensorList(together), options);
  }
  return run_forward(Layer(x, together[1], options), x, start, together, at::Tensor());
}

}  // namespace limbeck::nn
