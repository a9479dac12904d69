#pragma once

#include <filesystem>
#include <string>

#include "limbeck/core/plot.h"
#include "study/report_data.h"

namespace limbeck {

/// Every run's primary metric, and means with 95 % intervals, by scenario and method.
RowPlot seeds_plot(const ReportData& data, const SetReport& set);

/// Differences in the primary metric, of each pair and their mean with its 95 % interval.
RowPlot differences_plot(const ReportData& data, const SetReport& set);

/// What a network costs to run.
enum class Cost { parameters, macs_per_second };

/// The primary metric against that, with 95 % intervals, on a logarithmic axis.
Plot quality_plot(const ReportData& data, const SetReport& set, Cost cost);

/// The primary metric of validation along the trainings, or the loss where it was not validated:
/// the mean over the seeds, at the steps that all of them have. Runs lie at `dir`/<id>; one that is
/// not there, or cannot be read, is left out. No panels where there is nothing.
Plot training_plot(const std::filesystem::path& dir, const StudyConfig& config,
                   const StudyResults& results, const ReportData& data);

/// Writes all of them into `dir`/figures, as SVG, and as PNG where rsvg-convert is there.
void write_figures(const std::filesystem::path& dir, const StudyConfig& config,
                   const StudyResults& results, const ReportData& data);

}  // namespace limbeck
