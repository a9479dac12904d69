#pragma once

#include <string>
#include <utility>
#include <vector>

namespace limbeck {

/// Instruction sets that the loops under src/*/levels are compiled for: what every x86-64 processor
/// has (on others: the compiler's default), AVX2 with FMA (x86-64-v3), AVX-512 (x86-64-v4).
enum class CpuLevel { baseline, avx2, avx512 };

/// "baseline", "avx2", "avx512"
std::string to_string(CpuLevel level);

/// All that this processor and its system can run, the lowest first.
const std::vector<CpuLevel>& cpu_levels();

/// What runs here: the highest of cpu_levels(), or the one that the environment's LIMBECK_CPU
/// names, which is read once. Throws ConfigError if that is no level or one that this processor
/// lacks.
CpuLevel cpu_level();

/// One of the three that levels/ defines under one name: `LIMBECK_AT_LEVEL(kernels, level)` is
/// level_baseline::kernels, level_avx2::kernels or level_avx512::kernels.
#if defined(__x86_64__)
#define LIMBECK_AT_LEVEL(name, level)                          \
  ((level) == ::limbeck::CpuLevel::avx512 ? level_avx512::name \
   : (level) == ::limbeck::CpuLevel::avx2 ? level_avx2::name   \
                                          : level_baseline::name)
#else
#define LIMBECK_AT_LEVEL(name, level) (static_cast<void>(level), level_baseline::name)
#endif

}  // namespace limbeck
