#include "study/report.h"

#include "limbeck/core/files.h"
#include "study/figures.h"
#include "study/report_data.h"
#include "study/report_text.h"

namespace limbeck {

std::string write_report(const std::filesystem::path& dir, const StudyConfig& config,
                         const StudyResults& results) {
  const ReportData data = report_data(config, results);
  std::string table = report_markdown(config, results, data);
  write_file_atomically(dir / "results.csv", report_csv(config, results, data));
  write_file_atomically(dir / "summary.json", report_json(config, results, data));
  write_file_atomically(dir / "table.tex", report_tex(config, results, data));
  write_file_atomically(dir / "table.md", table);
  write_figures(dir, config, results, data);
  return table;
}

}  // namespace limbeck
