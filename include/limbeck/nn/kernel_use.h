#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "limbeck/config/schema.h"

namespace limbeck::nn {

/// Who computes what a network does on a CPU in float32: this project's kernels where there are
/// any, or LibTorch's plain operators alone. Parameters and checkpoints are the same, results equal
/// up to rounding. Everything else (CUDA, double) takes the operators.
enum class Kernels { fused, reference };

inline config::Names<Kernels> names_of(Kernels) {
  return {{"fused", Kernels::fused}, {"reference", Kernels::reference}};
}

/// "fused", "reference"
inline std::string to_string(Kernels kernels) {
  return kernels == Kernels::fused ? "fused" : "reference";
}

/// Why operators run where kernels were asked for and could run: nobody asked for that.
inline constexpr const char* kFormatLost = "input is not channels-last";

/// What ran where in the passes that were given this: one line an operation and way.
class KernelUse {
 public:
  struct Line {
    std::string operation;  ///< "batch_norm", "gru", ...
    /// Empty: a kernel ran it, or LibTorch where no kernel is to. Else why it left the fast path.
    std::string fall_back;
    std::string by;  ///< "kernel" or "libtorch"
    auto operator<=>(const Line&) const = default;
  };

  void add(Line line) { ++calls_[std::move(line)]; }
  /// Calls of each.
  const std::map<Line, int64_t>& calls() const { return calls_; }
  /// Operations that lost the format that was asked for, by name.
  std::vector<std::string> lost() const;
  /// A Markdown table.
  std::string text() const;

 private:
  std::map<Line, int64_t> calls_;
};

}  // namespace limbeck::nn
