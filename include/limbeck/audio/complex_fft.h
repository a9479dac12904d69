#pragma once

#include <complex>
#include <cstddef>
#include <vector>

namespace limbeck {

/// Complex FFT in double precision of a power-of-two length; both directions without scaling. A
/// plan is immutable and may be used by many threads.
class ComplexFft {
 public:
  explicit ComplexFft(size_t size);
  size_t size() const { return size_; }
  /// In place, `size()` values.
  void forward(std::vector<std::complex<double>>& values) const;
  void inverse(std::vector<std::complex<double>>& values) const;

 private:
  size_t size_;
  std::vector<std::complex<double>> twiddles_;  // of the stage with half-length h at [h, 2h)
};

/// The plan for `size`, made at its first use and kept (one per power of two; thread-safe).
const ComplexFft& shared_complex_fft(size_t size);

}  // namespace limbeck
