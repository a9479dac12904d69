#pragma once

#include <cstdint>
#include <string>

#include "study/report_data.h"

namespace limbeck {

/// Means and differences with their statistics, as Markdown; what is to be cited comes first.
std::string report_markdown(const StudyConfig& config, const StudyResults& results,
                            const ReportData& data);

/// The tables that are to be cited, for LaTeX with the package booktabs.
std::string report_tex(const StudyConfig& config, const StudyResults& results,
                       const ReportData& data);

/// Every number of the tables, unrounded.
std::string report_json(const StudyConfig& config, const StudyResults& results,
                        const ReportData& data);

/// One value a line: every run, set, utterance and metric.
std::string report_csv(const StudyConfig& config, const StudyResults& results,
                       const ReportData& data);

// What these have in common.

/// Version of summary.json: raised when a key goes or means something else.
inline constexpr int kSummaryVersion = 1;

/// "25.3 k"
std::string count_text(int64_t parameters);
/// "5", "4 of 5" where runs are missing, with † where steps were skipped.
std::string runs_text(const SystemRow& row);
/// "[+0.010, +0.200]"; empty where there is none.
std::string bounds_text(const Interval& interval, int decimals);
/// "0.012", "< 0.001"; empty for NaN.
std::string p_text(double p);
/// "Mean ± sample standard deviation …": what a table of means shows.
std::string means_caption(const ReportData& data, const SetReport& set);
std::string differences_caption(const ReportData& data, const SetReport& set);
/// " (partial: 3 results are missing)", or empty.
std::string partial_text(const StudyResults& results);

}  // namespace limbeck
