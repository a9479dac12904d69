#pragma once

// Activations and their derivatives on registers.

#include "limbeck/core/simd.h"
#include "nn/levels/norm.h"

namespace limbeck::nn::LIMBECK_LEVEL {

/// What is no number stays none, so that training sees that it diverged.
template <Activate activate>
LIMBECK_INLINE ::limbeck::LIMBECK_LEVEL::simd::Vec activated(
    ::limbeck::LIMBECK_LEVEL::simd::Vec z, ::limbeck::LIMBECK_LEVEL::simd::Vec slope) {
  using namespace ::limbeck::LIMBECK_LEVEL::simd;  // NOLINT
  if (activate == Activate::relu6) {
    const Vec low = z < 0.0F ? Vec{} : z;
    return low > 6.0F ? broadcast(6.0F) : low;
  }
  if (activate == Activate::prelu) return z > 0.0F ? z : slope * z;
  if (activate == Activate::silu) return z * sigmoid(z);
  return z;
}

/// Gradient at z.
template <Activate activate>
LIMBECK_INLINE ::limbeck::LIMBECK_LEVEL::simd::Vec before_activation(
    ::limbeck::LIMBECK_LEVEL::simd::Vec dy, ::limbeck::LIMBECK_LEVEL::simd::Vec z,
    ::limbeck::LIMBECK_LEVEL::simd::Vec slope) {
  using namespace ::limbeck::LIMBECK_LEVEL::simd;  // NOLINT
  if (activate == Activate::relu6) return ((z > 0.0F) & (z < 6.0F)) ? dy : Vec{};
  if (activate == Activate::prelu) return z > 0.0F ? dy : dy * slope;
  if (activate == Activate::silu) {
    const Vec s = sigmoid(z);
    return dy * s * (1.0F + z * (1.0F - s));
  }
  return dy;
}

/// An activation as a type, for overloads.
template <Activate activate>
struct As {};

/// body(As<activate>())
template <class Body>
LIMBECK_INLINE void with(Activate activate, const Body& body) {
  switch (activate) {
    case Activate::none:
      return body(As<Activate::none>());
    case Activate::relu6:
      return body(As<Activate::relu6>());
    case Activate::prelu:
      return body(As<Activate::prelu>());
    case Activate::silu:
      return body(As<Activate::silu>());
  }
}

}  // namespace limbeck::nn::LIMBECK_LEVEL
