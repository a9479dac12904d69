#pragma once

#include <cstddef>
#include <memory>

namespace limbeck {

/// Real FFT of a power-of-two length >= 32 in single precision.
///
/// A plan is immutable and shared between threads; the caller owns the scratch. All buffers are
/// 64-byte aligned (`FloatBuffer`). Spectra hold `size` floats: X[0], X[size/2], then the real
/// and imaginary parts of X[1], X[2], ... Both directions are without scaling.
class RealFft {
 public:
  /// Throws DataError where the size is above 2^26 (70 minutes at 16 kHz).
  explicit RealFft(std::size_t size);
  ~RealFft();
  RealFft(const RealFft&) = delete;
  RealFft& operator=(const RealFft&) = delete;

  std::size_t size() const { return size_; }
  /// `scratch` holds `size()` floats; `output` may be `input`.
  void forward(const float* input, float* output, float* scratch) const;
  void inverse(const float* spectrum, float* output, float* scratch) const;

 private:
  struct Plan;
  std::size_t size_;
  std::unique_ptr<Plan> plan_;
};

/// The plan for `size`, built at its first use and kept (one per power of two; thread-safe).
const RealFft& shared_real_fft(std::size_t size);

/// Smallest power of two >= max(value, 32), the smallest size that RealFft takes.
std::size_t fft_size_for(std::size_t value);

/// out = a * b, `size` samples, a multiple of 16; `out` may be `a` or `b`.
void multiply_samples(const float* a, const float* b, float* out, std::size_t size);
/// size / 2 powers |X|² of a spectrum in the layout of RealFft, the first that of DC; `out` may be
/// `spectrum`.
void power_spectrum(const float* spectrum, float* out, std::size_t size);
/// spectrum = conj(a) * b, in the layout of RealFft; `out` may be `a` or `b`.
void multiply_conjugate(const float* a, const float* b, float* out, std::size_t size);
/// spectrum = a * b, in the layout of RealFft; `out` may be `a` or `b`.
void multiply_plain(const float* a, const float* b, float* out, std::size_t size);

}  // namespace limbeck
