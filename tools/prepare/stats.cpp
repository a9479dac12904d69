#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "command.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/core/json.h"
#include "limbeck/core/table.h"
#include "limbeck/corpus/manifest_stats.h"

namespace limbeck {
namespace {

constexpr double kBinDb = 2.5;

struct Arguments {
  std::filesystem::path manifest;
  bool json = false;
};

std::string one_decimal(double value) { return std::isnan(value) ? "" : format("%.1f", value); }
std::string two_decimals(double value) { return format("%.2f", value); }
std::string count_text(int64_t count) { return std::to_string(count); }

std::string range_text(const Spread& s) {
  if (std::isnan(s.median)) return "";
  return format("%.1f (%.1f … %.1f)", s.median, s.p5, s.p95);
}

std::string durations_table(const ManifestStats& stats) {
  std::vector<std::vector<std::string>> rows;
  for (const SplitStats& s : stats.splits) {
    rows.push_back({split_name(s.split), count_text(s.files), count_text(s.speakers),
                    two_decimals(s.seconds / 3600), two_decimals(s.seconds_of_file.min),
                    two_decimals(s.seconds_of_file.median), two_decimals(s.seconds_of_file.max)});
  }
  const std::string what = stats.splits.front().sides.size() == 2 ? "pairs" : "files";
  return markdown_table(
      {"split", what, "speakers", "hours", "shortest (s)", "median (s)", "longest (s)"}, rows);
}

std::string levels_table(const ManifestStats& stats) {
  std::vector<std::vector<std::string>> rows;
  for (const SplitStats& s : stats.splits) {
    for (const SideStats& side : s.sides) {
      rows.push_back({split_name(s.split), side.side, range_text(side.active_dbfs),
                      range_text(side.rms_dbfs), one_decimal(side.peak_dbfs.median),
                      one_decimal(side.peak_dbfs.max), count_text(side.full_scale_files),
                      count_text(side.full_scale_samples), count_text(side.silent_files),
                      count_text(side.offset_files)});
    }
  }
  return markdown_table(
      {"split", "side", "active (dBFS)", "RMS (dBFS)", "peak (dBFS)", "highest peak",
       "files at full scale", "samples at full scale", "silent", "DC offset"},
      rows, 2);
}

std::string snr_histogram(const SplitStats& s) {
  const Spread snr = spread(s.snrs_db);
  std::string text = format("SNR of %s in dB (clean against noisy − clean): ", split_name(s.split));
  text += s.snrs_db.empty() ? "none"
                            : format("median %.1f, 5 to 95 %% %.1f to %.1f, range %.1f to %.1f",
                                     snr.median, snr.p5, snr.p95, snr.min, snr.max);
  if (s.without_snr > 0) {
    text += format("; %d pairs without one (silent, or alike on both sides)", s.without_snr);
  }
  text += "\n\n";
  const auto bins = histogram(s.snrs_db, kBinDb);
  int64_t most = 1;
  for (const auto& [bin, count] : bins) most = std::max(most, count);
  for (const auto& [bin, count] : bins) {
    constexpr int64_t kWidth = 50;
    const auto length = static_cast<size_t>((count * kWidth + most - 1) / most);
    text += format("  %6.1f to %6.1f  %6d  %s\n", static_cast<double>(bin) * kBinDb,
                   static_cast<double>(bin + 1) * kBinDb, count, std::string(length, '#'));
  }
  return text;
}

std::string text_of(const Manifest& manifest, const ManifestStats& stats) {
  std::string text = summary(manifest) + "\n";
  if (stats.splits.empty()) return text;
  text += "\n" + durations_table(stats) + "\n" + levels_table(stats) +
          "\nLevels: median over files (5 to 95 %); active: where somebody speaks. Full scale: "
          "perhaps clipped. DC offset: a large mean, which levels and SNR leave out.\n";
  for (const SplitStats& s : stats.splits) {
    if (s.sides.size() == 2) text += "\n" + snr_histogram(s);
  }
  return text;
}

/// JSON has no NaN: what is not there is null.
nlohmann::json json_of(const Spread& s) {
  const auto number = [](double x) { return std::isnan(x) ? nlohmann::json() : nlohmann::json(x); };
  return {{"min", number(s.min)},
          {"p5", number(s.p5)},
          {"median", number(s.median)},
          {"p95", number(s.p95)},
          {"max", number(s.max)}};
}

nlohmann::json json_of(const SplitStats& s) {
  nlohmann::json object = {{"split", split_name(s.split)},
                           {"files", s.files},
                           {"speakers", s.speakers},
                           {"seconds", s.seconds},
                           {"seconds_of_file", json_of(s.seconds_of_file)},
                           {"sides", nlohmann::json::array()}};
  for (const SideStats& side : s.sides) {
    object["sides"].push_back({{"side", side.side},
                               {"active_dbfs", json_of(side.active_dbfs)},
                               {"rms_dbfs", json_of(side.rms_dbfs)},
                               {"peak_dbfs", json_of(side.peak_dbfs)},
                               {"full_scale_samples", side.full_scale_samples},
                               {"full_scale_files", side.full_scale_files},
                               {"silent_files", side.silent_files},
                               {"offset_files", side.offset_files}});
  }
  if (s.sides.size() == 2) {
    nlohmann::json bins = nlohmann::json::array();
    for (const auto& [bin, count] : histogram(s.snrs_db, kBinDb)) {
      bins.push_back({{"from_db", static_cast<double>(bin) * kBinDb},
                      {"to_db", static_cast<double>(bin + 1) * kBinDb},
                      {"pairs", count}});
    }
    object["snr_db"] = json_of(spread(s.snrs_db));
    object["snr_histogram"] = bins;
    object["without_snr"] = s.without_snr;
  }
  return object;
}

nlohmann::json json_of(const std::vector<Problem>& problems) {
  nlohmann::json all = nlohmann::json::array();
  for (const Problem& one : problems) all.push_back({{"file", one.file}, {"reason", one.reason}});
  return all;
}

std::string json_of(const Manifest& manifest, const ManifestStats& stats) {
  nlohmann::json object = {
      {"manifest", manifest.path.string()},
      {"kind", manifest.kind == Manifest::Kind::pairs ? "pairs" : "recordings"},
      {"splits", nlohmann::json::array()},
      {"failures", json_of(stats.problems)},
      {"oddities", json_of(stats.oddities)}};
  for (const SplitStats& s : stats.splits) object["splits"].push_back(json_of(s));
  // A file name need not be UTF-8.
  return json_text(object, 2) + "\n";
}

int run(const Arguments& a, int64_t threads, Logger& logger) {
  const Manifest manifest = Manifest::read(a.manifest);
  if (manifest.entries.empty()) throw DataError(a.manifest.string() + ": has no entry");
  const ManifestStats stats = measure(manifest, threads, logger);
  for (const Problem& problem : stats.problems) {
    logger.error(problem.file + ": " + problem.reason);
  }
  for (const Problem& oddity : stats.oddities) logger.warn(oddity.file + ": " + oddity.reason);
  std::fputs((a.json ? json_of(manifest, stats) : text_of(manifest, stats)).c_str(), stdout);
  if (stats.problems.empty()) return static_cast<int>(ExitCode::ok);
  logger.warn(format("%d of %d entries could not be read and are counted nowhere",
                     stats.problems.size(), manifest.entries.size()));
  return static_cast<int>(ExitCode::some_failed);
}

}  // namespace

Subcommand stats_command(CLI::App& parent, const SharedOptions& shared) {
  CLI::App* app = parent.add_subcommand(
      "stats", "hours, speakers, durations, levels, clipping, and the SNRs of pairs");
  auto a = std::make_shared<Arguments>();
  app->add_option("MANIFEST", a->manifest, "manifest of recordings or of pairs (.csv)")->required();
  app->add_flag("--json", a->json, "one JSON object instead of tables");
  return {app, [a, &shared](Logger& logger) { return run(*a, shared.threads, logger); }};
}

}  // namespace limbeck
