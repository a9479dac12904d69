#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace limbeck {

/// A table of text with a header row (RFC 4180: quotes, doubled quotes, CRLF or LF).
struct Csv {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
  std::vector<size_t> lines;  ///< line number of each row in the file, from 1

  /// Index of a column, or −1.
  int column(std::string_view name) const;
};

/// Throws DataError with file and line for an unclosed quote, a row of another width than the
/// header's, and what is another kind of table: UTF-16, a spreadsheet, columns between ';' or tabs.
Csv parse_csv(std::string_view text, const std::string& file_name);
Csv read_csv(const std::filesystem::path& path);

/// One line with its newline; fields are quoted where they need it.
std::string csv_line(const std::vector<std::string>& fields);

}  // namespace limbeck
