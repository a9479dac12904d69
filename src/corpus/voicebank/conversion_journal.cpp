#include "corpus/voicebank/conversion_journal.h"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>
#include <vector>

#include "limbeck/core/csv.h"
#include "limbeck/core/error.h"
#include "limbeck/core/files.h"

namespace limbeck {
namespace {

// The last column ends every whole row, so that one that was cut off is told from a shorter number.
const std::vector<std::string> kColumns = {
    "id",          "clean_version", "noisy_version", "samples",    "clean_cut",     "noisy_cut",
    "clean_bytes", "noisy_bytes",   "clean_hash",    "noisy_hash", "clean_clipped", "noisy_clipped",
    "end"};

bool parse(const std::string& text, int64_t& number) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stop == end && number >= 0;
}

/// False for a row that is not whole.
bool parse_row(const std::string& line, std::string& id, ConvertedPair& pair) {
  std::vector<std::string> fields;
  try {
    const Csv csv = parse_csv(csv_line(kColumns) + line + "\n", "journal");
    if (csv.rows.size() != 1) return false;
    fields = csv.rows.front();
  } catch (const DataError&) {
    return false;
  }
  id = fields[0];
  pair.clean_version = fields[1];
  pair.noisy_version = fields[2];
  pair.clean_hash = fields[8];
  pair.noisy_hash = fields[9];
  return parse(fields[3], pair.samples) && parse(fields[4], pair.clean_cut) &&
         parse(fields[5], pair.noisy_cut) && parse(fields[6], pair.clean_bytes) &&
         parse(fields[7], pair.noisy_bytes) && parse(fields[10], pair.clean_clipped) &&
         parse(fields[11], pair.noisy_clipped) && fields[12] == ".";
}

std::string row_of(const std::string& id, const ConvertedPair& pair) {
  return csv_line({id, pair.clean_version, pair.noisy_version, std::to_string(pair.samples),
                   std::to_string(pair.clean_cut), std::to_string(pair.noisy_cut),
                   std::to_string(pair.clean_bytes), std::to_string(pair.noisy_bytes),
                   pair.clean_hash, pair.noisy_hash, std::to_string(pair.clean_clipped),
                   std::to_string(pair.noisy_clipped), "."});
}

}  // namespace

ConversionJournal::ConversionJournal(std::filesystem::path path) : path_(std::move(path)) {
  const std::string header = csv_line(kColumns);
  std::string text = std::filesystem::exists(path_) ? read_file(path_) : "";
  if (text.starts_with(header)) {
    for (size_t at = header.size(); at < text.size();) {
      const size_t end = std::min(text.find('\n', at), text.size());
      std::string id;
      ConvertedPair pair;
      if (parse_row(text.substr(at, end - at), id, pair)) pairs_[id] = pair;
      at = end + 1;
    }
  }
  // Written anew without what was cut off, so that the next row begins a line.
  text = header;
  for (const auto& [id, pair] : pairs_) text += row_of(id, pair);
  write_file_atomically(path_, text);
  out_.open(path_, std::ios::binary | std::ios::app);
  if (!out_) throw DataError(path_.string() + ": cannot be written: " + std::strerror(errno));
}

void ConversionJournal::append(const std::string& id, const ConvertedPair& pair) {
  const std::string row = row_of(id, pair);
  const std::lock_guard lock(mutex_);
  out_ << row << std::flush;
  if (!out_) throw DataError(path_.string() + ": cannot be written: " + std::strerror(errno));
}

}  // namespace limbeck
