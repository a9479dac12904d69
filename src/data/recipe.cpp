#include "limbeck/data/recipe.h"

#include <charconv>
#include <unordered_map>

#include "data/csv_row.h"
#include "limbeck/core/error.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"

namespace limbeck {
namespace {

const std::vector<std::string> kColumns = {"id",         "speech",  "noise",      "response",
                                           "early_ms",   "snr_db",  "level_dbfs", "speech_gain",
                                           "noise_gain", "samples", "clean_hash", "noisy_hash"};

constexpr int64_t kMostSamples = int64_t{1} << 40;  // more than a year, and sums stay numbers

int64_t parse_count(const CsvRow& row, std::string_view text, const std::string& piece) {
  int64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || stop != text.data() + text.size() || value < 0 ||
      value > kMostSamples) {
    row.fail("'" + piece + "' is no piece; one is id@start+count");
  }
  return value;
}

/// From the right, so that an id may hold '@' and '+'.
Piece parse_piece(const CsvRow& row, const std::string& text) {
  const size_t at = text.rfind('@');
  const size_t plus = text.rfind('+');
  if (at == std::string::npos || plus == std::string::npos || plus < at || at == 0) {
    row.fail("'" + text + "' is no piece; one is id@start+count");
  }
  const std::string_view numbers(text);
  return {text.substr(0, at), parse_count(row, numbers.substr(at + 1, plus - at - 1), text),
          parse_count(row, numbers.substr(plus + 1), text)};
}

std::vector<Piece> parse_pieces(const CsvRow& row, const std::string& column) {
  const std::string& text = row.non_empty(column);
  std::vector<Piece> pieces;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find(';', at), text.size());
    pieces.push_back(parse_piece(row, text.substr(at, end - at)));
    at = end + 1;
  }
  return pieces;
}

Recipe parse_recipe(const CsvRow& row) {
  Recipe recipe;
  recipe.id = row.non_empty("id");
  recipe.speech = parse_pieces(row, "speech");
  recipe.noise = parse_pieces(row, "noise");
  recipe.response = row.text("response");
  recipe.early_ms = row.number("early_ms");
  recipe.snr_db = row.number("snr_db");
  recipe.level_dbfs = row.number("level_dbfs");
  recipe.speech_gain = row.number("speech_gain");
  recipe.noise_gain = row.number("noise_gain");
  recipe.clean_hash = row.hash("clean_hash");
  recipe.noisy_hash = row.hash("noisy_hash");
  const int64_t samples = row.positive("samples");
  for (const auto* pieces : {&recipe.speech, &recipe.noise}) {
    if (samples_of(*pieces) == samples) continue;
    row.fail(format("%s are %d samples, column 'samples' says %d",
                    pieces == &recipe.speech ? "the pieces of speech" : "the pieces of noise",
                    samples_of(*pieces), samples));
  }
  return recipe;
}

}  // namespace

int64_t samples_of(const std::vector<Piece>& pieces) {
  int64_t sum = 0;
  for (const Piece& piece : pieces) sum += piece.count;
  return sum;
}

std::string pieces_text(const std::vector<Piece>& pieces) {
  std::vector<std::string> texts;
  for (const Piece& piece : pieces) {
    texts.push_back(piece.id + format("@%d+%d", piece.start, piece.count));
  }
  return join(texts, ";");
}

std::vector<Recipe> read_recipes(const std::filesystem::path& path) {
  const Csv csv = read_csv(path);
  require_columns(csv, kColumns, path, "a file of recipes");
  std::vector<Recipe> recipes;
  std::unordered_map<std::string, size_t> line_of_id;
  for (size_t i = 0; i < csv.rows.size(); ++i) {
    const CsvRow row(csv, i, path);
    recipes.push_back(parse_recipe(row));
    const std::string& id = recipes.back().id;
    const auto [before, is_new] = line_of_id.emplace(id, row.line());
    if (!is_new) row.fail(format("id '%s' stands in line %d too", id, before->second));
  }
  return recipes;
}

void write_recipes(const std::filesystem::path& path, const std::vector<Recipe>& recipes) {
  std::string text = csv_line(kColumns);
  for (const Recipe& recipe : recipes) {
    for (const auto* pieces : {&recipe.speech, &recipe.noise}) {
      for (const Piece& piece : *pieces) {
        if (piece.id.find(';') == std::string::npos) continue;
        throw DataError(path.string() + ": the id '" + piece.id +
                        "' holds ';', which separates pieces in a recipe; rename the file");
      }
    }
    text +=
        csv_line({recipe.id, pieces_text(recipe.speech), pieces_text(recipe.noise), recipe.response,
                  shortest(recipe.early_ms), shortest(recipe.snr_db), shortest(recipe.level_dbfs),
                  shortest(recipe.speech_gain), shortest(recipe.noise_gain),
                  std::to_string(recipe.samples()), recipe.clean_hash, recipe.noisy_hash});
  }
  write_file_atomically(path, text);
}

}  // namespace limbeck
