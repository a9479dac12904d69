#include "limbeck/audio/complex_fft.h"

#include <array>
#include <bit>
#include <cmath>
#include <memory>
#include <mutex>
#include <numbers>
#include <stdexcept>

namespace limbeck {

ComplexFft::ComplexFft(size_t size) : size_(size), twiddles_(size) {
  if (!std::has_single_bit(size)) throw std::logic_error("ComplexFft: size is no power of two");
  for (size_t half = 1; half < size; half *= 2) {
    for (size_t k = 0; k < half; ++k) {
      const double angle = -std::numbers::pi * static_cast<double>(k) / static_cast<double>(half);
      twiddles_[half + k] = {std::cos(angle), std::sin(angle)};
    }
  }
}

void ComplexFft::forward(std::vector<std::complex<double>>& values) const {
  if (values.size() != size_) throw std::logic_error("ComplexFft: another size than planned");
  for (size_t i = 1, j = 0; i < size_; ++i) {  // order of reversed bits
    size_t bit = size_ / 2;
    for (; j & bit; bit /= 2) j ^= bit;
    j ^= bit;
    if (i < j) std::swap(values[i], values[j]);
  }
  for (size_t half = 1; half < size_; half *= 2) {
    const std::complex<double>* w = twiddles_.data() + half;
    for (size_t first = 0; first < size_; first += 2 * half) {
      std::complex<double>* a = values.data() + first;
      std::complex<double>* b = a + half;
      for (size_t k = 0; k < half; ++k) {
        // Written out: std::complex checks every product for NaN.
        const double re = b[k].real() * w[k].real() - b[k].imag() * w[k].imag();
        const double im = b[k].real() * w[k].imag() + b[k].imag() * w[k].real();
        const double x = a[k].real();
        const double y = a[k].imag();
        a[k] = {x + re, y + im};
        b[k] = {x - re, y - im};
      }
    }
  }
}

void ComplexFft::inverse(std::vector<std::complex<double>>& values) const {
  for (auto& z : values) z = std::conj(z);
  forward(values);
  for (auto& z : values) z = std::conj(z);
}

const ComplexFft& shared_complex_fft(size_t size) {
  static std::mutex mutex;
  static std::array<std::unique_ptr<const ComplexFft>, 64> plans;
  const std::lock_guard lock(mutex);
  auto& plan = plans.at(static_cast<size_t>(std::countr_zero(size)));
  if (!plan || plan->size() != size) plan = std::make_unique<const ComplexFft>(size);
  return *plan;
}

}  // namespace limbeck
