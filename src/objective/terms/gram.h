#pragma once

#include <ATen/core/Tensor.h>

// Legend: B batch, C channel, T frame, F bin.

namespace limbeck::objective {

/// Each vector of the last axis divided by its L2 norm. One with a norm below 1e-12, whose cube in
/// the gradient would be more than float32 holds, has no direction: it stays near zero.
at::Tensor unit_rows(const at::Tensor& x);

/// The products of all pairs of rows, each row of the result of unit L2 norm: [..., N, D] → [...,
/// N, N]. See bounded_gradient for short rows.
at::Tensor normalized_gram(const at::Tensor& rows);

/// CLSKD equations 6 and 7 (Cheng et al., Interspeech 2022): Σ_t 1/B_t² ‖G_t^S − G_t^T‖²_F, where
/// G_t is the normalised Gram matrix of the B_t utterances that hold signal in frame t, each the
/// vector of its C·F values there. `student` [B, C, T, F], `teacher` [B, C', T, F'], `mask` [B, T].
/// With `mean`, divided by the number of frames.
at::Tensor frame_similarity_distance(const at::Tensor& student, const at::Tensor& teacher,
                                     const at::Tensor& mask, bool mean);

}  // namespace limbeck::objective
