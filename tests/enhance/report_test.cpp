#include "enhance/report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace limbeck {
namespace {

EnhancePlan made_plan() {
  EnhancePlan plan;
  for (const char* name : {"a.wav", "b.wav", "\xff.wav"}) {
    PlannedFile file{std::string("in/") + name, std::string("out/") + name, {}, {}};
    file.read = {.rate_hz = 8000, .channels = 2, .frames = 12000};
    plan.files.push_back(file);
  }
  plan.failures = {{"in/none.wav", "does not exist"}};
  plan.existing = {"out/c.wav"};
  return plan;
}

TEST(EnhanceReport, SumsUp) {
  const EnhancePlan plan = made_plan();
  const EnhanceReport report{plan, {{7, ""}, {0, "is cut short"}, {0, ""}}, 0.5};
  EXPECT_EQ(
      summary(report),
      "2 recordings, 3 s in 1 s, 6 x real time, 7 samples clipped, 1 skipped, as their results "
      "exist, 2 failed");
  ASSERT_EQ(report.failures().size(), 2U);
  EXPECT_EQ(report.failures()[1].input, "in/b.wav");
  const EnhancePlan nothing;
  EXPECT_EQ(summary({nothing, {}}), "0 recordings");
}

TEST(EnhanceReport, IsOneJsonObject) {
  const EnhancePlan plan = made_plan();
  const auto json =
      nlohmann::json::parse(json_of({plan, {{7, ""}, {0, "is cut short"}, {0, ""}}, 0.5}));
  const nlohmann::json first = {{"input", "in/a.wav"}, {"output", "out/a.wav"}, {"seconds", 1.5},
                                {"rate_hz", 8000},     {"channels", 2},         {"clipped", 7}};
  ASSERT_EQ(json["files"].size(), 2U);
  EXPECT_EQ(json["files"][0], first);
  EXPECT_EQ(json["files"][1]["input"], "in/\xef\xbf\xbd.wav");
  ASSERT_EQ(json["failed"].size(), 2U);
  EXPECT_EQ(json["failed"][1], nlohmann::json({{"input", "in/b.wav"}, {"reason", "is cut short"}}));
  EXPECT_EQ(json["existing"], nlohmann::json({"out/c.wav"}));
  EXPECT_EQ(json["totals"]["seconds"], 3.0);
  EXPECT_EQ(json["totals"]["clipped"], 7);
  EXPECT_EQ(json["totals"]["real_time_factor"], 6.0);
  EXPECT_EQ(json["totals"]["failed"], 2);
}

}  // namespace
}  // namespace limbeck
