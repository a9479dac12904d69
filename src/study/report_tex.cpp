#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>

#include "limbeck/core/format.h"
#include "study/report_text.h"

namespace limbeck {
namespace {

using Cells = std::vector<std::string>;

/// What pdflatex does not read as itself. A bracket or star after a line's end would be an argument
/// of that.
constexpr std::array<std::pair<std::string_view, std::string_view>, 26> kSigns = {{
    {"\\", "\\textbackslash{}"},
    {"&", "\\&"},
    {"%", "\\%"},
    {"$", "\\$"},
    {"#", "\\#"},
    {"_", "\\_"},
    {"{", "\\{"},
    {"}", "\\}"},
    {"~", "\\textasciitilde{}"},
    {"^", "\\textasciicircum{}"},
    {"[", "{[}"},
    {"]", "{]}"},
    {"*", "{*}"},
    {"<", "$<$"},
    {">", "$>$"},
    {"|", "$|$"},
    {"\"", "''"},
    {"\n", " "},
    {"±", "$\\pm$"},
    {"Δ", "$\\Delta$"},
    {"−", "$-$"},
    {"†", "$\\dagger$"},
    {"λ", "$\\lambda$"},
    {"×", "$\\times$"},
    {"≥", "$\\geq$"},
    {"≤", "$\\leq$"},
}};

/// As text. Letters beyond those of European languages, which no font of pdflatex has, become "?".
std::string tex(const std::string& text) {
  std::string result;
  for (size_t i = 0; i < text.size();) {
    const std::string_view rest = std::string_view(text).substr(i);
    const auto* sign = std::find_if(kSigns.begin(), kSigns.end(),
                                    [&](const auto& s) { return rest.starts_with(s.first); });
    if (sign != kSigns.end()) {
      result += sign->second;
      i += sign->first.size();
      continue;
    }
    const auto lead = static_cast<unsigned char>(text[i]);
    size_t size = 1;
    while (lead >= 0x80 && i + size < text.size() && (text[i + size] & 0xC0) == 0x80) ++size;
    const bool is_known =
        lead >= 0x20 && (lead < 0x80 || (lead >= 0xC3 && lead <= 0xC5 && size == 2));
    result += is_known ? text.substr(i, size) : "?";
    i += size;
  }
  return result;
}

/// A float with a tabular of booktabs; the first columns are left-aligned.
std::string table(const std::string& caption, const std::string& label, size_t names,
                  const Cells& header, const std::vector<Cells>& rows) {
  const auto line = [](const Cells& cells) { return "    " + join(cells, " & ") + " \\\\\n"; };
  std::string text = "\\begin{table}\n  \\centering\n  \\small\n  \\caption{" + tex(caption) +
                     "}\n  \\label{" + label + "}\n  \\begin{tabular}{" + std::string(names, 'l') +
                     std::string(header.size() - names, 'r') + "}\n    \\toprule\n" + line(header) +
                     "    \\midrule\n";
  for (const Cells& row : rows) text += line(row);
  return text + "    \\bottomrule\n  \\end{tabular}\n\\end{table}\n";
}

/// A hyphen is no minus sign.
std::string number(const std::string& text) { return text.empty() ? "" : "$" + text + "$"; }

std::string deviation_text(const Summary& summary, int decimals) {
  const std::string mean = number_text(summary.mean, decimals);
  return summary.n < 2 ? number(mean)
                       : number(mean + " \\pm " + number_text(summary.deviation, decimals));
}

class Tex {
 public:
  Tex(const StudyResults& results, const ReportData& data)
      : data_(data), partial_(partial_text(results)), is_unfair_(!results.unfair.empty()) {}

  std::string means(const SetReport& set, size_t index) const {
    Cells header = names_header({"Method", "Parameters", "MMAC/s", "$n$"});
    for (const Metric& metric : set.table.metrics) header.push_back(tex(metric.title));
    std::vector<Cells> rows;
    for (const SystemRow& row : set.systems) {
      Cells& cells = rows.emplace_back(names_of(row, row.method));
      const bool has_cost = row.kind != SystemKind::noisy && !row.runs.empty();
      cells.push_back(has_cost ? count_text(row.runs.front()->parameters) : "");
      cells.push_back(has_cost ? format("%.1f", row.runs.front()->macs_per_second / 1e6) : "");
      cells.push_back(row.kind == SystemKind::noisy ? "" : tex(runs_text(row)));
      for (size_t m = 0; m < row.scores.size(); ++m) {
        cells.push_back(deviation_text(row.scores[m].runs, set.table.metrics[m].decimals));
      }
    }
    return table("Set " + set.name + partial_ + ". " + reserve(set) + means_caption(data_, set),
                 format("tab:means-%d", index), name_columns(), header, rows);
  }

  /// Empty where the study named no comparisons.
  std::string differences(const SetReport& set, size_t index) const {
    const Metric& metric = set.table.metrics[data_.primary];
    std::vector<Cells> rows;
    for (const ArmDifference& d : set.differences) {
      if (!d.is_named) continue;
      const PairedAnalysis& a = d.metrics[data_.primary].analysis;
      Cells& cells = rows.emplace_back(names_of(d, d.method + " − " + d.reference));
      const std::string interval = interval_text(a.difference, metric.decimals);
      const std::string mean = difference_text(a.difference, metric.decimals);
      for (const std::string& cell :
           {format("%d", a.difference.n), number(mean + (interval.empty() ? "" : "\\ " + interval)),
            number(p_text(a.p)), number(p_text(d.holm_p))}) {
        cells.push_back(cell);
      }
    }
    if (rows.empty()) return "";
    const Cells header =
        names_header({"Comparison", "$n$", "$\\Delta$ " + tex(metric.title) + ", 95\\,\\%",
                      "$p$ ($t$)", "$p$ (Holm)"});
    return table("Differences in " + metric.title + ", set " + set.name + partial_ + ". " +
                     reserve(set) + differences_caption(data_, set),
                 format("tab:differences-%d", index), name_columns(), header, rows);
  }

 private:
  /// What nobody may cite a table without.
  std::string reserve(const SetReport& set) const {
    std::string text;
    if (is_unfair_) text += "Unfair arms: see the notes of table.md. ";
    for (const std::string& note : set.notes) text += note + ". ";
    return text;
  }

  size_t name_columns() const { return data_.has_sweep ? 3 : 2; }

  Cells names_header(const Cells& more) const {
    Cells header = {"Scenario"};
    if (data_.has_sweep) header.emplace_back("Sweep");
    header.insert(header.end(), more.begin(), more.end());
    return header;
  }

  template <class Row>
  Cells names_of(const Row& row, const std::string& last) const {
    Cells cells = {tex(row.scenario)};
    if (data_.has_sweep) cells.push_back(tex(row.sweep));
    cells.push_back(tex(last));
    return cells;
  }

  const ReportData& data_;
  std::string partial_;
  bool is_unfair_;
};

}  // namespace

std::string report_tex(const StudyConfig& config, const StudyResults& results,
                       const ReportData& data) {
  std::string text =
      "% " + tex(config.study.name + partial_text(results)) + "\n% \\usepackage{booktabs}\n";
  const Tex writer(results, data);
  for (size_t i = 0; i < data.sets.size(); ++i) {
    text += "\n" + writer.means(data.sets[i], i + 1);
    const std::string differences = writer.differences(data.sets[i], i + 1);
    if (!differences.empty()) text += "\n" + differences;
  }
  return text;
}

}  // namespace limbeck
