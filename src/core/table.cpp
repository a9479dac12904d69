#include "limbeck/core/table.h"

#include <algorithm>

#include "limbeck/core/utf8.h"

namespace limbeck {
namespace {

/// Characters as a terminal counts them: UTF-8 continuation bytes take no place.
size_t width_of(const std::string& text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

/// A bar in a cell would end it, and a newline the table.
std::vector<std::string> escaped(std::vector<std::string> cells) {
  for (std::string& cell : cells) {
    cell = displayable(cell);
    std::replace(cell.begin(), cell.end(), '\n', ' ');
    for (size_t at = cell.find('|'); at != std::string::npos; at = cell.find('|', at + 2)) {
      cell.insert(at, 1, '\\');
    }
  }
  return cells;
}

}  // namespace

std::string markdown_table(const std::vector<std::string>& plain_header,
                           const std::vector<std::vector<std::string>>& plain_rows,
                           size_t text_columns) {
  const auto header = escaped(plain_header);
  std::vector<std::vector<std::string>> rows;
  for (const auto& row : plain_rows) rows.push_back(escaped(row));
  std::vector<size_t> widths;
  for (const auto& cell : header) widths.push_back(std::max<size_t>(width_of(cell), 3));
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()), 3);
    for (size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], width_of(row[c]));
  }
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string text = "|";
    for (size_t c = 0; c < widths.size(); ++c) {
      const std::string cell = c < cells.size() ? cells[c] : "";
      const std::string space(widths[c] - width_of(cell), ' ');
      text += c < text_columns ? " " + cell + space + " |" : " " + space + cell + " |";
    }
    return text + "\n";
  };
  std::string text = line(header) + "|";
  for (size_t c = 0; c < widths.size(); ++c) {
    text += c < text_columns ? " " + std::string(widths[c], '-') + " |"
                             : " " + std::string(widths[c] - 1, '-') + ": |";
  }
  text += "\n";
  for (const auto& row : rows) text += line(row);
  return text;
}

}  // namespace limbeck
