#include "limbeck/run/run_names.h"

#include <gtest/gtest.h>

namespace limbeck::test {
namespace {

namespace fs = std::filesystem;

TEST(RunNames, HaveNamesOfTheirOwn) {
  const auto names = [](const std::vector<fs::path>& runs) {
    std::vector<std::string> all;
    for (const auto& [name, run] : named_runs(runs)) all.push_back(name);
    return all;
  };
  EXPECT_EQ(names({"runs/s1", "runs/s2/"}), (std::vector<std::string>{"s1", "s2"}));
  EXPECT_EQ(names({"x/a/cosine/s1", "x/b/cosine/s1"}),
            (std::vector<std::string>{"a/cosine/s1", "b/cosine/s1"}));
  EXPECT_EQ(names({"x/one"}), std::vector<std::string>{"one"});
}

}  // namespace
}  // namespace limbeck::test
