#include "limbeck/core/cpu.h"

#include <algorithm>
#include <cstdlib>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"

namespace limbeck {
namespace {

std::vector<CpuLevel> find_levels() {
  std::vector<CpuLevel> levels = {CpuLevel::baseline};
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                  __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
  const bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                  __builtin_cpu_supports("avx512vl");
  if (v3) levels.push_back(CpuLevel::avx2);
  if (v4) levels.push_back(CpuLevel::avx512);
#endif
  return levels;
}

CpuLevel choose_level() {
  const auto& can = cpu_levels();
  const char* wanted = std::getenv("LIMBECK_CPU");
  if (wanted == nullptr || *wanted == '\0') return can.back();
  for (const CpuLevel level : {CpuLevel::baseline, CpuLevel::avx2, CpuLevel::avx512}) {
    if (to_string(level) != wanted) continue;
    if (std::find(can.begin(), can.end(), level) != can.end()) return level;
    throw ConfigError(format("LIMBECK_CPU: this processor has no %s; its best is %s", wanted,
                             to_string(can.back())));
  }
  throw ConfigError(format("LIMBECK_CPU: '%s' is not one of baseline, avx2, avx512", wanted));
}

}  // namespace

std::string to_string(CpuLevel level) {
  switch (level) {
    case CpuLevel::avx2:
      return "avx2";
    case CpuLevel::avx512:
      return "avx512";
    case CpuLevel::baseline:
      break;
  }
  return "baseline";
}

const std::vector<CpuLevel>& cpu_levels() {
  static const std::vector<CpuLevel> levels = find_levels();
  return levels;
}

CpuLevel cpu_level() {
  static const CpuLevel level = choose_level();
  return level;
}

}  // namespace limbeck
