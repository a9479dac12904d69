#include "nn/levels/norm.h"

#include "nn/levels/activate.h"

namespace limbeck::nn::LIMBECK_LEVEL {
namespace {

namespace simd = ::limbeck::LIMBECK_LEVEL::simd;
using simd::kLanes;
using simd::Vec;

/// A register full of numbers from an index on, or fewer behind the last full one.
struct Full {
  int64_t at;
  LIMBECK_INLINE Vec load(const float* p) const { return simd::load(p + at); }
  LIMBECK_INLINE void store(float* p, Vec v) const { simd::store(p + at, v); }
};
struct Some {
  int64_t at, count;
  LIMBECK_INLINE Vec load(const float* p) const { return simd::load_some(p + at, count); }
  LIMBECK_INLINE void store(float* p, Vec v) const { simd::store_some(p + at, v, count); }
};

template <class Body>
LIMBECK_INLINE void over(int64_t n, const Body& body) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) body(Full{i});
  if (i < n) body(Some{i, n - i});
}

void add_moments(const float* x, const float* centre, float* sum, float* square, int64_t n) {
  over(n, [&](auto part) __attribute__((always_inline)) {
    const Vec d = part.load(x) - part.load(centre);
    part.store(sum, part.load(sum) + d);
    part.store(square, part.load(square) + d * d);
  });
}

template <Activate activate, class Part>
LIMBECK_INLINE Vec slope_at(const Part& part, const NormTiles& tiles) {
  return activate == Activate::prelu ? part.load(tiles.slope) : Vec{};
}

template <Activate activate>
void forward_as(const float* x, const NormTiles& tiles, float* y, int64_t n) {
  const NormTiles t = tiles;  // so that no store may change it
  over(n, [&](auto part) __attribute__((always_inline)) {
    const Vec z = part.load(x) * part.load(t.scale) + part.load(t.shift);
    part.store(y, activated<activate>(z, slope_at<activate>(part, t)));
  });
}

template <Activate activate>
void add_gradients_as(const float* dy, const float* x, const NormTiles& tiles, float* grad,
                      float* grad_x, float* slope, int64_t n) {
  const NormTiles t = tiles;
  over(n, [&](auto part) __attribute__((always_inline)) {
    const Vec in = part.load(x), out = part.load(dy);
    const Vec z = in * part.load(t.scale) + part.load(t.shift);
    const Vec g = before_activation<activate>(out, z, slope_at<activate>(part, t));
    part.store(grad, part.load(grad) + g);
    part.store(grad_x, part.load(grad_x) + g * (in - part.load(t.mean)));
    if (activate == Activate::prelu) {
      part.store(slope, part.load(slope) + out * (z > 0.0F ? Vec{} : z));
    }
  });
}

template <Activate activate>
void backward_as(const float* dy, const float* x, const NormTiles& tiles, float* dx, int64_t n) {
  const NormTiles t = tiles;
  over(n, [&](auto part) __attribute__((always_inline)) {
    const Vec in = part.load(x), scale = part.load(t.scale);
    const Vec z = in * scale + part.load(t.shift);
    const Vec g = before_activation<activate>(part.load(dy), z, slope_at<activate>(part, t));
    part.store(dx, g * scale + in * part.load(t.factor) + part.load(t.offset));
  });
}

void forward(Activate activate, const float* x, const NormTiles& tiles, float* y, int64_t n) {
  with(activate, [&]<Activate kind>(As<kind>) { forward_as<kind>(x, tiles, y, n); });
}

void add_gradients(Activate activate, const float* dy, const float* x, const NormTiles& tiles,
                   float* grad, float* grad_x, float* slope, int64_t n) {
  with(activate, [&]<Activate kind>(As<kind>) {
    add_gradients_as<kind>(dy, x, tiles, grad, grad_x, slope, n);
  });
}

void backward(Activate activate, const float* dy, const float* x, const NormTiles& tiles, float* dx,
              int64_t n) {
  with(activate, [&]<Activate kind>(As<kind>) { backward_as<kind>(dy, x, tiles, dx, n); });
}

}  // namespace

const NormKernels norm = {add_moments, forward, add_gradients, backward};

}  // namespace limbeck::nn::LIMBECK_LEVEL
