#include "limbeck/core/csv.h"

#include <algorithm>

#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"

namespace limbeck {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";  // what spreadsheets write

/// Files that look like tables to their owner, and are none of this kind.
void require_plain_text(std::string_view text, const std::string& file_name) {
  const auto fail = [&](const char* what) { throw DataError(file_name + ": " + what); };
  if (text.starts_with("PK\x03\x04")) {
    fail("is a zip file or a spreadsheet (.xlsx, .ods); save the table as CSV, UTF-8");
  }
  const bool has_utf16_mark = text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF");
  if (has_utf16_mark || (text.size() > 1 && (text[0] == '\0' || text[1] == '\0'))) {
    fail("is UTF-16 text; save it as UTF-8 (iconv -f UTF-16 -t UTF-8)");
  }
  if (text.find('\0') != std::string_view::npos) fail("is no text: it holds zero bytes");
}

/// Whole lines in one field are columns that something else than a comma separates.
void require_commas(const std::vector<std::string>& header, const std::string& file_name) {
  const std::string& first = header.front();
  if (header.size() == 1 && first.find_first_of(";\t") != std::string::npos) {
    const bool is_tab = first.find(';') == std::string::npos;
    throw DataError(file_name + ":1: columns are separated by " +
                    (is_tab ? "tabs" : "';' (as some spreadsheets do)") + "; needed are commas");
  }
  const auto holds_cr = [](const std::string& name) { return name.find('\r') != name.npos; };
  if (std::any_of(header.begin(), header.end(), holds_cr)) {
    throw DataError(file_name + ":1: lines end in CR alone; needed is LF or CRLF");
  }
}

}  // namespace

int Csv::column(std::string_view name) const {
  const auto found = std::find(header.begin(), header.end(), name);
  return found == header.end() ? -1 : static_cast<int>(found - header.begin());
}

Csv parse_csv(std::string_view text, const std::string& file_name) {
  require_plain_text(text, file_name);
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  Csv csv;
  std::vector<std::string> fields;
  std::string field;
  bool quoted = false;
  bool any = false;  // something of the current row has been seen
  size_t line = 1;
  size_t row_line = 1;

  const auto end_row = [&] {
    if (!any) return;  // blank line
    fields.push_back(std::move(field));
    if (csv.header.empty()) {
      require_commas(fields, file_name);
      csv.header = std::move(fields);
    } else if (fields.size() != csv.header.size()) {
      throw DataError(format("%s:%d: %d fields where the header has %d", file_name, row_line,
                             fields.size(), csv.header.size()));
    } else {
      csv.rows.push_back(std::move(fields));
      csv.lines.push_back(row_line);
    }
    fields = {};
    field = {};
    any = false;
  };

  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n') ++line;
    if (quoted) {
      if (c != '"') {
        field += c;
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        field += '"';
        ++i;
      } else {
        quoted = false;
      }
    } else if (c == '"' && field.empty()) {
      quoted = any = true;
    } else if (c == ',') {
      fields.push_back(std::move(field));
      field = {};
      any = true;
    } else if (c == '\n') {
      end_row();
      row_line = line;
    } else if (c != '\r' || (i + 1 < text.size() && text[i + 1] != '\n')) {
      field += c;  // a CR goes only where it ends a line
      any = true;
    }
  }
  if (quoted) throw DataError(format("%s:%d: a quote is not closed", file_name, row_line));
  end_row();
  if (csv.header.empty()) throw DataError(file_name + ": is empty");
  return csv;
}

Csv read_csv(const std::filesystem::path& path) {
  return parse_csv(read_file(path), path.string());
}

std::string csv_line(const std::vector<std::string>& fields) {
  std::string line;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) line += ',';
    const bool looks_blank = fields.size() == 1 && fields[i].empty();  // blank lines are skipped
    const bool looks_marked = i == 0 && fields[i].starts_with(kByteOrderMark);
    if (!looks_blank && !looks_marked && fields[i].find_first_of(",\"\n\r") == std::string::npos) {
      line += fields[i];
      continue;
    }
    line += '"';
    for (const char c : fields[i]) {
      if (c == '"') line += '"';
      line += c;
    }
    line += '"';
  }
  return line + '\n';
}

}  // namespace limbeck
