#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "limbeck/core/cpu.h"

// Legend: B batch, T frame, F bin, C channel, S steps, N rows (sequences), U units.

namespace limbeck::nn {

struct GruKernels;
const GruKernels& gru_kernels(CpuLevel level);

/// The axis of [B, T, F, C] that a recurrence runs along; the other one and B are its rows.
enum class Along { frames, bins };

struct GruLayerOptions {
  Along along = Along::frames;
  int64_t groups = 1;
  bool bidirectional = false;
  CpuLevel level = cpu_level();
};

/// One layer of gated recurrent units in one pass, gates and products together: `x` [B, T, F, C] of
/// float32 on the CPU in any order of memory → [B, T, F, groups · directions · U]. `weights` holds
/// for each group, for each direction what at::gru takes: W_ih, W_hh, b_ih, b_hh. `start` [groups,
/// directions, N, U] is what the units hold before the first step; undefined: zeros. With
/// derivatives, in everything. The number of threads changes no bit.
at::Tensor gru_layer(const at::Tensor& x, const at::Tensor& start, at::TensorList weights,
                     const GruLayerOptions& options);

}  // namespace limbeck::nn
