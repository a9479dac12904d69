#include "limbeck/audio/real_fft.h"

#include <array>
#include <bit>
#include <mutex>
#include <stdexcept>

#include "third_party/pffft/pffft.h"

namespace limbeck {

struct RealFft::Plan {
  PFFFT_Setup* setup = nullptr;
  ~Plan() {
    if (setup != nullptr) pffft_destroy_setup(setup);
  }
};

RealFft::RealFft(std::size_t size) : size_(size), plan_(std::make_unique<Plan>()) {
  if (size < 32 || !std::has_single_bit(size) || size > (std::size_t{1} << 30)) {
    throw std::invalid_argument("RealFft: the size must be a power of two of at least 32");
  }
  plan_->setup = pffft_new_setup(static_cast<int>(size), PFFFT_REAL);
  if (plan_->setup == nullptr) throw std::bad_alloc();
}

RealFft::~RealFft() = default;

void RealFft::forward(const float* input, float* output, float* scratch) const {
  pffft_transform_ordered(plan_->setup, input, output, scratch, PFFFT_FORWARD);
}

void RealFft::inverse(const float* spectrum, float* output, float* scratch) const {
  pffft_transform_ordered(plan_->setup, spectrum, output, scratch, PFFFT_BACKWARD);
}

const RealFft& shared_real_fft(std::size_t size) {
  // Plans do not change once built, so sharing them cannot make results depend on threads.
  static std::array<std::once_flag, 32> once;
  static std::array<std::unique_ptr<const RealFft>, 32> plans;
  const auto index = static_cast<std::size_t>(std::bit_width(size) - 1) % plans.size();
  std::call_once(once[index], [&] { plans[index] = std::make_unique<const RealFft>(size); });
  return *plans[index];
}

std::size_t fft_size_for(std::size_t value) {
  return std::bit_ceil(value < 32 ? std::size_t{32} : value);
}

void multiply_conjugate(const float* a, const float* b, float* out, std::size_t size) {
  const float dc = a[0] * b[0];
  const float nyquist = a[1] * b[1];
  for (std::size_t k = 0; k < size; k += 2) {
    const float re = a[k] * b[k] + a[k + 1] * b[k + 1];
    const float im = a[k] * b[k + 1] - a[k + 1] * b[k];
    out[k] = re;
    out[k + 1] = im;
  }
  out[0] = dc;
  out[1] = nyquist;
}

void multiply_plain(const float* a, const float* b, float* out, std::size_t size) {
  const float dc = a[0] * b[0];
  const float nyquist = a[1] * b[1];
  for (std::size_t k = 0; k < size; k += 2) {
    const float re = a[k] * b[k] - a[k + 1] * b[k + 1];
    const float im = a[k] * b[k + 1] + a[k + 1] * b[k];
    out[k] = re;
    out[k + 1] = im;
  }
  out[0] = dc;
  out[1] = nyquist;
}

}  // namespace limbeck
