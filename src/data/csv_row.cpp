#include "data/csv_row.h"

#include <charconv>
#include <cmath>
#include <set>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"

namespace limbeck {
namespace {

/// False unless the whole text is a number.
template <class Number>
bool parse(const std::string& text, Number& number) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stop == end;
}

}  // namespace

void CsvRow::fail(const std::string& reason) const {
  throw DataError(format("%s:%d: %s", file_, line(), reason));
}

const std::string& CsvRow::text(const std::string& column) const {
  return csv_.rows[index_][static_cast<size_t>(csv_.column(column))];
}

const std::string& CsvRow::non_empty(const std::string& column) const {
  const std::string& value = text(column);
  if (value.empty()) fail("column '" + column + "' is empty");
  return value;
}

int64_t CsvRow::positive(const std::string& column, int64_t largest) const {
  int64_t value = 0;
  if (!parse(text(column), value) || value <= 0 || value > largest) {
    fail("column '" + column + "': '" + text(column) + "' is not a positive whole number");
  }
  return value;
}

int64_t CsvRow::count(const std::string& column, int64_t largest) const {
  int64_t value = 0;
  if (!parse(text(column), value) || value < 0 || value > largest) {
    fail(format("column '%s': '%s' is not a whole number from 0 to %d", column, text(column),
                largest));
  }
  return value;
}

double CsvRow::number(const std::string& column) const {
  double value = 0;
  if (!parse(text(column), value) || !std::isfinite(value)) {
    fail("column '" + column + "': '" + text(column) + "' is not a number");
  }
  return value;
}

const std::string& CsvRow::hash(const std::string& column) const {
  const std::string& value = text(column);
  if (value.size() != 32 || value.find_first_not_of("0123456789abcdef") != std::string::npos) {
    fail("column '" + column + "': '" + value + "' is not a hash of 32 hexadecimal digits");
  }
  return value;
}

void require_columns(const Csv& csv, const std::vector<std::string>& needed,
                     const std::filesystem::path& file, const std::string& what) {
  std::set<std::string> seen;
  for (const auto& name : csv.header) {
    if (!seen.insert(name).second) {
      throw DataError(file.string() + ":1: column '" + name + "' occurs twice");
    }
  }
  for (const auto& name : needed) {
    if (csv.column(name) >= 0) continue;
    throw DataError(file.string() + ":1: column '" + name + "' is missing; " + what + " has " +
                    join(needed, ","));
  }
}

}  // namespace limbeck
