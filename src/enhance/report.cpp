#include "enhance/report.h"

#include <nlohmann/json.hpp>

#include "limbeck/core/format.h"
#include "limbeck/core/json.h"

namespace limbeck {
namespace {

struct Totals {
  int64_t files = 0;
  double seconds = 0;
  int64_t clipped = 0;
};

Totals totals_of(const EnhanceReport& report) {
  Totals totals;
  for (size_t i = 0; i < report.results.size(); ++i) {
    if (!report.results[i].reason.empty()) continue;
    ++totals.files;
    totals.seconds += report.plan.files[i].seconds();
    totals.clipped += report.results[i].clipped;
  }
  return totals;
}

double real_time_factor(double seconds, double wall_seconds) {
  return wall_seconds > 0 ? seconds / wall_seconds : 0;
}

}  // namespace

std::vector<FailedInput> EnhanceReport::failures() const {
  std::vector<FailedInput> all = plan.failures;
  for (size_t i = 0; i < results.size(); ++i) {
    if (!results[i].reason.empty()) all.push_back({plan.files[i].input, results[i].reason});
  }
  return all;
}

std::string pace_text(double seconds, double wall_seconds, int64_t clipped) {
  std::string text = format("%s in %s, %.3g x real time", duration_text(seconds),
                            duration_text(wall_seconds), real_time_factor(seconds, wall_seconds));
  if (clipped > 0) text += format(", %d samples clipped", clipped);
  return text;
}

std::string summary(const EnhanceReport& report) {
  const Totals totals = totals_of(report);
  std::string text = format("%d recordings", totals.files);
  if (totals.files > 0) {
    text += ", " + pace_text(totals.seconds, report.wall_seconds, totals.clipped);
  }
  if (!report.plan.existing.empty()) {
    text += format(", %d skipped, as their results exist", report.plan.existing.size());
  }
  const size_t failed = report.failures().size();
  return failed > 0 ? text + format(", %d failed", failed) : text;
}

std::string json_of(const EnhanceReport& report) {
  using nlohmann::json;
  json files = json::array();
  for (size_t i = 0; i < report.results.size(); ++i) {
    const PlannedFile& file = report.plan.files[i];
    if (!report.results[i].reason.empty()) continue;
    files.push_back({{"input", file.input.native()},
                     {"output", file.output.native()},
                     {"seconds", file.seconds()},
                     {"rate_hz", file.read.rate_hz},
                     {"channels", file.read.channels},
                     {"clipped", report.results[i].clipped}});
  }
  json failed = json::array();
  for (const FailedInput& failure : report.failures()) {
    failed.push_back({{"input", failure.input.native()}, {"reason", failure.reason}});
  }
  json existing = json::array();
  for (const auto& path : report.plan.existing) existing.push_back(path.native());
  const Totals totals = totals_of(report);
  const json whole = {
      {"files", files},
      {"failed", failed},
      {"existing", existing},
      {"totals",
       {{"files", totals.files},
        {"failed", failed.size()},
        {"existing", existing.size()},
        {"seconds", totals.seconds},
        {"clipped", totals.clipped},
        {"wall_seconds", report.wall_seconds},
        {"real_time_factor", real_time_factor(totals.seconds, report.wall_seconds)}}}};
  return json_text(whole, 2) + "\n";
}

}  // namespace limbeck
