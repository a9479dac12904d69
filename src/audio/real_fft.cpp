#include "limbeck/audio/real_fft.h"

#include <array>
#include <bit>
#include <cstdint>
#include <mutex>
#include <stdexcept>

#include "audio/levels/spectra.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "third_party/pffft/pffft.h"

namespace limbeck {
namespace {

const SpectrumKernels& kernels() { return LIMBECK_AT_LEVEL(spectra, cpu_level()); }

}  // namespace

struct RealFft::Plan {
  PFFFT_Setup* setup = nullptr;
  ~Plan() {
    if (setup != nullptr) pffft_destroy_setup(setup);
  }
};

RealFft::RealFft(std::size_t size) : size_(size), plan_(std::make_unique<Plan>()) {
  if (size < 32 || !std::has_single_bit(size)) {
    throw std::invalid_argument("RealFft: the size must be a power of two of at least 32");
  }
  constexpr std::size_t kLargest = std::size_t{1} << 26;  // PFFFT's
  if (size > kLargest) {
    throw DataError(format("a Fourier transform takes %d samples at most, not %d", kLargest, size));
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

void multiply_samples(const float* a, const float* b, float* out, std::size_t size) {
  kernels().multiply_samples(a, b, out, static_cast<std::int64_t>(size));
}

void power_spectrum(const float* spectrum, float* out, std::size_t size) {
  kernels().powers(spectrum, out, static_cast<std::int64_t>(size));
}

void multiply_conjugate(const float* a, const float* b, float* out, std::size_t size) {
  kernels().multiply_conjugate(a, b, out, static_cast<std::int64_t>(size));
}

void multiply_plain(const float* a, const float* b, float* out, std::size_t size) {
  kernels().multiply_plain(a, b, out, static_cast<std::int64_t>(size));
}

}  // namespace limbeck
