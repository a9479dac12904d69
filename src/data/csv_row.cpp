#include "data/csv_row.h"

#include <charconv>
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

std::string without_blanks(const std::string& text) {
  const size_t first = text.find_first_not_of(' ');
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

/// What was meant by a name of the header, perhaps; empty: nothing is like it.
std::string hint_of(const Csv& csv, const std::string& name) {
  for (const std::string& other : csv.header) {
    if (other != name && without_blanks(other) == name) {
      return " (the header has '" + other + "': blanks beside commas count)";
    }
  }
  const std::string meant = nearest(name, csv.header);
  return meant.empty() ? "" : " (the header has '" + meant + "')";
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

int64_t CsvRow::integer(const std::string& column, int64_t smallest, int64_t largest) const {
  int64_t value = 0;
  if (!parse(text(column), value) || value < smallest || value > largest) {
    fail(format("column '%s': '%s' is not a whole number from %d to %d", column, text(column),
                smallest, largest));
  }
  return value;
}

double CsvRow::number(const std::string& column, double smallest, double largest) const {
  double value = 0;
  if (!parse(text(column), value) || !(value >= smallest && value <= largest)) {
    fail(format("column '%s': '%s' is not a number from %s to %s", column, text(column),
                shortest(smallest), shortest(largest)));
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
    throw DataError(file.string() + ":1: column '" + name + "' is missing" + hint_of(csv, name) +
                    "; " + what + " has " + join(needed, ","));
  }
}

}  // namespace limbeck
