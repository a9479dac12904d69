#include "limbeck/core/cpu.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

namespace limbeck::test {
namespace {

TEST(Cpu, RunsWhatItCanOrWhatTheEnvironmentAsksFor) {
  const auto& levels = cpu_levels();
  ASSERT_EQ(levels.front(), CpuLevel::baseline);
  EXPECT_TRUE(std::is_sorted(levels.begin(), levels.end()));
  const char* wanted = std::getenv("LIMBECK_CPU");
  EXPECT_EQ(to_string(cpu_level()), wanted ? std::string(wanted) : to_string(levels.back()));
}

}  // namespace
}  // namespace limbeck::test
