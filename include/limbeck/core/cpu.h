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

/// `LIMBECK_OF_LEVELS(Type, name)` declares what levels/ defines under one name, a `const Type` for
/// each level; `LIMBECK_AT_LEVEL(name, level)` is one of them: level_baseline::name,
/// level_avx2::name or level_avx512::name.
#define LIMBECK_OF_LEVEL(level, Type, name) \
  namespace level {                         \
  extern const Type name;                   \
  }
#if defined(__x86_64__)
#define LIMBECK_OF_LEVELS(Type, name)          \
  LIMBECK_OF_LEVEL(level_baseline, Type, name) \
  LIMBECK_OF_LEVEL(level_avx2, Type, name)     \
  LIMBECK_OF_LEVEL(level_avx512, Type, name)
#define LIMBECK_AT_LEVEL(name, level)                          \
  ((level) == ::limbeck::CpuLevel::avx512 ? level_avx512::name \
   : (level) == ::limbeck::CpuLevel::avx2 ? level_avx2::name   \
                                          : level_baseline::name)
#else
#define LIMBECK_OF_LEVELS(Type, name) LIMBECK_OF_LEVEL(level_baseline, Type, name)
#define LIMBECK_AT_LEVEL(name, level) (static_cast<void>(level), level_baseline::name)
#endif

}  // namespace limbeck
